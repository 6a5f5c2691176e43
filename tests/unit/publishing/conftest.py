"""The same promises on every kind of registry and catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shop import Shop, make_shop
from tests.stores import STORES, environment_of


@pytest.fixture(params=STORES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Two small domains, nothing built; in files, in PostgreSQL, or there and in a bucket."""
    return make_shop(tmp_path, **environment_of(request))
