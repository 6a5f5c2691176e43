"""One mesh with a past, and one portal over it, for all tests that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal import Shown, make_past, shown
from tests.shop import Shop


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_past(tmp_path_factory.mktemp("portal"))


@pytest.fixture(scope="session")
def portal(past: Shop) -> Iterator[Shown]:
    with shown(past) as made:
        yield made


@pytest.fixture
def own_past(past: Shop, tmp_path: Path) -> Shop:
    """A copy of its files that a test may change; what the registry and lakes have is not copied."""
    import shutil

    shutil.copytree(past.root / "domains", tmp_path / "domains")
    shutil.copytree(past.root / ".mesh", tmp_path / ".mesh")
    shutil.copytree(past.root / "journeys", tmp_path / "journeys")
    shutil.copytree(past.root / "sources", tmp_path / "sources")
    return Shop(tmp_path)
