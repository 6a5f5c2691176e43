"""What a pause, a hold and an announcement do to runs that Dagster starts, whoever clicked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.controls import Announcement, AnnouncementKind
from mesh_assets.words.names import product_name
from tests.shop import ORDERS, Shop

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")
SHOP_ORDERS = product_name("shop.orders")
ORDERS_KEY = dg.AssetKey(["shop", "orders"])
REVENUE_KEY = dg.AssetKey(["books", "revenue"])


@pytest.fixture
def instance(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(shop: Shop, instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.ExecuteInProcessResult:
    job = domain_definitions(key.path[0], shop.settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[key], raise_on_error=False)


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [each for each in result.all_events if each.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]


@pytest.mark.parametrize("scope", ["shop", "shop.orders"])
def test_a_run_of_what_is_paused_fails_at_its_start_with_the_reason(
    shop: Shop, instance: dg.DagsterInstance, scope: str
) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    with open_registry(shop.settings) as registry:
        registry.pause(scope, "the till is replaced", "ann")

    result = run(shop, instance, ORDERS_KEY)

    assert not result.success
    assert "the till is replaced" in failure(result) and f"mesh resume {scope}" in failure(result)
    assert not result.get_asset_materialization_events() and not result.get_asset_check_evaluations()
    assert shop.head("shop.orders") == 1
    with open_registry(shop.settings) as registry:
        assert len(registry.builds(SHOP_ORDERS)) == 1  # nothing is wrong with the product
        registry.resume(scope, "ann")
    assert run(shop, instance, ORDERS_KEY).success
    assert shop.head("shop.orders") == 2


def test_what_reads_a_held_product_keeps_its_version_until_it_is_let_go(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    with open_registry(shop.settings) as registry:
        registry.hold_users(SHOP_ORDERS, "amounts become cents", "ann")
    shop.deliver(ORDERS + "3,30\n")

    assert run(shop, instance, ORDERS_KEY).success  # the product itself goes on
    held = run(shop, instance, REVENUE_KEY)

    assert not held.success and "amounts become cents" in failure(held)
    assert (shop.head("shop.orders"), shop.head("books.revenue")) == (2, 1)
    with open_registry(shop.settings) as registry:
        registry.let_users_go(SHOP_ORDERS, "ann")
    assert run(shop, instance, REVENUE_KEY).success
    assert shop.head("books.revenue") == 2


def test_an_announcement_is_on_the_product_and_on_what_reads_it_and_in_their_runs(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.build("shop.orders")
    with open_registry(shop.settings) as registry:
        moment, kind = datetime.now(UTC), AnnouncementKind.BREAKING
        registry.announce(Announcement(0, SHOP_ORDERS, kind, date(2099, 1, 31), "cents", "ann", moment))

    def metadata(key: dg.AssetKey) -> dict[str, str]:
        specs = domain_definitions(key.path[0], shop.settings).resolve_all_asset_specs()
        (spec,) = [each for each in specs if each.key == key and "announced" in str(each.metadata)]
        return {name: str(value.value) for name, value in spec.metadata.items() if "announced" in name}

    assert "2099-01-31: cents" in metadata(ORDERS_KEY)["announced"]
    assert "2099-01-31: cents" in metadata(REVENUE_KEY)["announced of its inputs"]
    result = run(shop, instance, REVENUE_KEY)
    assert result.success
    said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any("is announced to change" in each and "cents" in each for each in said)
