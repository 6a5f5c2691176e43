"""The places that a lake can be in: the same tests run over each.

`sqlite`: SQLite catalogs and folders. `postgres`: catalogs and registry in PostgreSQL, data in folders.
`objects`: PostgreSQL, and data in a bucket. Tests for which the store matters run on all three
(`on_every_store`), the others on two; with EVERY_STORE=1 in the environment every test runs on all.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lake.credentials import credentials
from mesh_assets.capabilities.lake.objects import Bucket
from mesh_assets.capabilities.lake.stores import is_object, store_at
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

FILES, POSTGRES, OBJECTS = "sqlite", "postgres", "objects"

ALL = [
    FILES,
    pytest.param(POSTGRES, marks=pytest.mark.postgres),
    pytest.param(OBJECTS, marks=[pytest.mark.postgres, pytest.mark.objects]),
]
STORES = ALL if os.environ.get("EVERY_STORE") else ALL[:2]


def on_every_store(fixture: str) -> pytest.MarkDecorator:
    """For a test whose promise depends on where the files are; `fixture` is `shop` or `settings`."""
    return pytest.mark.parametrize(fixture, ALL, indirect=True)


def environment_of(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of the store that the test is run on; keys go into the process's environment."""
    if request.param == FILES:
        return {}
    server = request.getfixturevalue("postgres")
    database = server.database()
    request.addfinalizer(lambda: server.drop(database))
    more = {"MESH_REGISTRY": server.url(database), "MESH_CATALOG": f"postgres:{database}"}
    if request.param == POSTGRES:
        return more
    objects = request.getfixturevalue("object_store")
    patch = request.getfixturevalue("monkeypatch")
    for name, value in objects.environment().items():
        patch.setenv(name, value)
    return {**more, "MESH_DATA": objects.prefix()}


class Held:
    """One file of a lake, wherever it is: what a test does to it behind the lake's back."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._store = store_at(path)

    def read(self) -> bytes:
        content = self._store.read(self.path)
        assert content is not None, f"{self.path} is not there"
        return content

    def write(self, content: bytes) -> None:
        self._store.write(self.path, content)

    def exists(self) -> bool:
        return self._store.size(self.path) is not None

    def remove(self) -> None:
        if is_object(self.path):
            bucket, _, key = self.path.removeprefix("s3://").partition("/")
            Bucket(bucket, credentials(bucket)).delete(key)
        else:
            Path(self.path).unlink()


def held(settings: Settings, product: ProductName, run: str) -> Held:
    """The file that a run committed; for a run that did not, the name that its file would have."""
    folder = lake_of(settings, product.domain).table_folder(product)
    found = [each.path for each in store_at(folder).below(folder) if Path(each.path).name.startswith(run)]
    return Held(found[0] if found else f"{folder}/{run}.parquet")
