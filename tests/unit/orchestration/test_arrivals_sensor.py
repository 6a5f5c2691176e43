"""The sensor of a domain: what came starts what reads it, for the weeks that it feeds, and once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.lineage.model import DomainAssets
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.arrivals import fed_partitions
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import read_settings
from tests.shop import ORDERS, Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = make_shop(tmp_path)
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    return shop


def deliver(shop: Shop, text: str, *, ago: float = 100) -> None:
    """A delivery of so many seconds ago, so that it is whole at the first look."""
    shop.deliver(text)
    moment = time.time() - ago
    os.utime(shop.root / "sources/shop/orders.csv", (moment, moment))


def tick(shop: Shop, cursor: str | None = None) -> dg.SensorResult:
    """One evaluation as the daemon makes it."""
    definitions = domain_definitions("shop", shop.settings)
    sensor = next(each for each in definitions.sensors or () if each.name == "shop_arrivals")
    assert isinstance(sensor, dg.SensorDefinition)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions)
        found = sensor(context)
    return found if isinstance(found, dg.SensorResult) else dg.SensorResult(cursor=cursor)


def keys(result: dg.SensorResult) -> list[str]:
    return [str(request.run_key) for request in result.run_requests or ()]


def test_a_file_starts_what_reads_it_and_nothing_else(shop: Shop) -> None:
    deliver(shop, ORDERS)

    (request,) = tick(shop).run_requests or ()

    assert request.asset_selection == [dg.AssetKey(["shop", "orders"])]
    assert request.tags["mesh/started-by"] == "arrivals"


def test_a_sensor_that_dies_before_its_cursor_is_kept_asks_under_the_same_key(shop: Shop) -> None:
    deliver(shop, ORDERS)
    first = tick(shop)  # and its cursor is lost

    again = tick(shop)

    assert keys(first) == keys(again)
    assert keys(tick(shop, again.cursor)) == []


def test_a_file_that_a_version_was_made_of_already_starts_nothing(shop: Shop) -> None:
    deliver(shop, ORDERS)
    shop.build("shop.orders")

    found = tick(shop)

    assert (keys(found), found.cursor) == ([], '{"done": 1, "held": {}}')


def test_what_is_paused_starts_when_it_is_resumed_and_once(shop: Shop) -> None:
    deliver(shop, ORDERS)
    with open_registry(shop.settings) as registry:
        registry.pause("shop.orders", "stocktaking", "tester")
    held = tick(shop)
    assert (keys(held), held.cursor) == ([], '{"done": 1, "held": {"1": []}}')
    assert keys(tick(shop, held.cursor)) == []

    with open_registry(shop.settings) as registry:
        registry.resume("shop.orders", "tester")
    resumed = tick(shop, held.cursor)

    assert len(keys(resumed)) == 1
    assert keys(tick(shop, resumed.cursor)) == []


def test_a_product_that_is_made_by_hand_is_not_started(shop: Shop) -> None:
    deliver(shop, ORDERS)
    contract = shop.folder("shop.orders") / "contract.yaml"
    with contract.open("a", encoding="utf-8") as text:
        text.write("customProperties:\n  - {property: automation, value: manual}\n")

    assert keys(tick(shop)) == []


@pytest.fixture(scope="module")
def prescriptions() -> DomainAssets:
    return read_domain_assets(read_settings({}), "prescriptions")


@pytest.mark.parametrize(
    ("week", "fed"),
    [
        ("2023-01-02", ["2023-01-02"]),
        ("2024-12-30", ["2024-12-02", "2024-12-09", "2024-12-16", "2024-12-23", "2024-12-30"]),
        ("2031-01-06", []),
    ],
)
def test_a_weekly_file_concerns_its_week_and_those_of_which_it_has_late_rows(
    prescriptions: DomainAssets, week: str, fed: list[str]
) -> None:
    (rx_fill,) = [each for each in prescriptions.assets if each.name == product_name("prescriptions.rx_fill")]

    assert sorted(fed_partitions(prescriptions, rx_fill, {"fills": {week}})) == fed
