"""The drops at a fiftieth of scale 1, written once; a copy of them for tests that break something."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from mesh_assets.operational import write_sources

SCALE = 0.02


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    write_sources(folder, scale=SCALE)
    return folder


@pytest.fixture
def breakable(sources: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sources, tmp_path / "sources"))


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 2})
