"""What Dagster shows of rows that were set aside, and whom they stop."""

from __future__ import annotations

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from tests.shop import ORDERS, Shop, keep_quarantine

from .test_steps import ORDERS_KEY, evaluations, run
from .test_steps import instance as instance  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")

BAD = "3,5\n3,6\n"
KEY = dg.AssetCheckKey(ORDERS_KEY, "primary_key")


@pytest.fixture
def careful(shop: Shop) -> Shop:
    keep_quarantine(shop, personal="amount")
    shop.deliver(ORDERS + BAD)
    return shop


def test_the_step_counts_the_rows_and_says_how_to_see_them(
    careful: Shop, instance: dg.DagsterInstance
) -> None:
    result = run(careful, instance, "shop.orders")

    (event,) = result.asset_materializations_for_node("shop__orders")
    assert event.metadata["quarantined rows"].value == 2
    assert "`mesh quarantine shop.orders`" in str(event.metadata["quarantine"].value)
    assert event.metadata["dagster/row_count"].value == 2


def test_the_check_warns_with_the_rows(careful: Shop, instance: dg.DagsterInstance) -> None:
    found = evaluations(run(careful, instance, "shop.orders"))["primary_key"]

    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.metadata["quarantined rows"].value == 2
    table = found.metadata["failing rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [{"order_id": "3"}] * 2


def test_it_says_the_same_when_nothing_changed_and_when_the_check_runs_alone(
    careful: Shop, instance: dg.DagsterInstance
) -> None:
    run(careful, instance, "shop.orders")

    again = evaluations(run(careful, instance, "shop.orders"))["primary_key"]
    alone = evaluations(run(careful, instance, checks=(KEY,)))["primary_key"]

    for found in (again, alone):
        assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert found.metadata["quarantined rows"].value == 2
    assert isinstance(again.metadata["failing rows"], dg.TableMetadataValue)


def test_consumers_go_on_with_the_good_rows(careful: Shop, instance: dg.DagsterInstance) -> None:
    """No check of the producer is failed and blocking: the gate of downstream automation stays open."""
    run(careful, instance, "shop.orders")
    graph = domain_definitions("shop", careful.settings).resolve_asset_graph()

    assert not graph.get(KEY).blocking
    assert run(careful, instance, "books.revenue", domain="books").success
    assert careful.rows("books.revenue") == [(2, 30)]


def test_a_draft_beyond_the_limit_is_no_materialization(careful: Shop, instance: dg.DagsterInstance) -> None:
    careful.deliver("order_id,amount\n1,0\n2,0\n3,30\n")

    result = run(careful, instance, "shop.orders")

    assert not result.success
    assert instance.get_latest_materialization_event(ORDERS_KEY) is None
    assert evaluations(result)["amount_exclusive_minimum"].severity is dg.AssetCheckSeverity.ERROR
