"""What Dagster hears of a release of several domains."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.together import release_together
from mesh_assets.capabilities.publishing.together import Together
from mesh_assets.capabilities.registry import open_registry
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop

REVENUE = dg.AssetKey(["books", "revenue"])
KEYS = [dg.AssetKey(["shop", "orders"]), REVENUE]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = make_shop(tmp_path)
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    return shop


def release(shop: Shop) -> Together:
    mesh = read_mesh(shop.settings)
    with open_registry(shop.settings) as registry:
        return release_together(shop.settings, registry, mesh, list(mesh.assets))


def told(shop: Shop) -> dict[dg.AssetKey, int]:
    """How many materializations Dagster has of each."""
    with open_instance(shop.settings) as instance:
        return {key: len(instance.fetch_materializations(key, limit=10).records) for key in KEYS}


def test_dagster_sees_what_was_released_and_nothing_of_a_refused_group(shop: Shop) -> None:
    assert release(shop).released
    shop.deliver(ORDERS + "3,-30\n")
    assert not release(shop).released

    assert told(shop) == dict.fromkeys(KEYS, 1)
    with open_instance(shop.settings) as instance:
        (record,) = instance.fetch_materializations(REVENUE, limit=1).records
        key = dg.AssetCheckKey(KEYS[0], "amount_positive")
        check = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    materialization = record.asset_materialization
    assert materialization is not None
    assert materialization.metadata["version"].value == 1
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS_NAME)
    assert head is not None and head.number == 1
    assert check.evaluation is not None and not check.evaluation.passed
