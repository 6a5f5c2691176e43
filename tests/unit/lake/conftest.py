"""A mesh of its own for each test, on every catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import Draft
from tests.stores import STORES, environment_of

ORDERS = ProductName("shop", "orders")


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings on every store, as far as `stores` of the test does not say otherwise."""
    return read_settings({"MESH_HOME": str(tmp_path / "home"), **environment_of(request)})


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """For what no catalog has a part in."""
    return read_settings({"MESH_HOME": str(tmp_path / "home")})


@pytest.fixture
def staged(settings: Settings) -> Callable[..., Draft]:
    """Stage a query as a draft of `shop.orders`."""
    return lambda query, run, **options: stage(settings, query, run, **options)


def stage(settings: Settings, query: str, run: str, **options: Any) -> Draft:
    with lake.connect(settings) as connection:
        return lake.stage(
            connection, query, **{"product": ORDERS, "run_id": run, "settings": settings, **options}
        )


@pytest.fixture
def committed(settings: Settings) -> Callable[..., lake.Committed]:
    """Stage and commit a query in one go."""

    def stage_and_commit(query: str, run: str, **options: Any) -> lake.Committed:
        return lake.commit(settings, stage(settings, query, run, **options), who="ann", extra={})

    return stage_and_commit


@pytest.fixture
def rows(settings: Settings) -> Callable[..., list[Any]]:
    """What a snapshot holds, in order."""

    def read(snapshot: int) -> list[Any]:
        with lake.connect(settings) as connection:
            return sorted(lake.relation(connection, settings, ORDERS, snapshot).fetchall(), key=repr)

    return read
