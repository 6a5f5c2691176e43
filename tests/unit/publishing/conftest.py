"""The same promises on every kind of registry and catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.postgres import postgres as postgres  # a fixture
from tests.shop import Shop, make_shop


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Two small domains, nothing built; registry and lakes in files, or both in PostgreSQL."""
    if request.param == "sqlite":
        return make_shop(tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    database = server.database()
    return make_shop(tmp_path, MESH_REGISTRY=server.url(database), MESH_CATALOG=f"postgres:{database}")
