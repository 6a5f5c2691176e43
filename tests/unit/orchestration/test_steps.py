"""What Dagster is told of a build, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration import steps
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from tests.shop import ORDERS, Shop

ORDERS_KEY = dg.AssetKey(["shop", "orders"])
RULE = dg.AssetCheckKey(ORDERS_KEY, "amount_positive")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")


@pytest.fixture
def instance(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    shop: Shop,
    instance: dg.DagsterInstance,
    *assets: str,
    checks: tuple[dg.AssetCheckKey, ...] | None = None,
    domain: str = "shop",
) -> dg.ExecuteInProcessResult:
    """One Dagster run over a domain's own definitions, as its code location would do it."""
    definitions = domain_definitions(domain, shop.settings)
    job = definitions.resolve_implicit_global_asset_job_def()
    if checks is not None:
        job = job.get_subset(asset_selection=set(), asset_check_selection=set(checks))
        return job.execute_in_process(instance=instance, raise_on_error=False)
    keys = [dg.AssetKey(asset.split(".")) for asset in assets]
    return job.execute_in_process(instance=instance, asset_selection=keys, raise_on_error=False)


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def test_a_published_product_is_a_materialization_with_its_version_and_all_its_checks(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    result = run(shop, instance, "shop.orders")

    (event,) = result.asset_materializations_for_node("shop__orders")
    assert event.metadata["version"].value == 1
    assert event.metadata["dagster/row_count"].value == 2
    assert event.tags is not None and event.tags["dagster/data_version"].startswith("d")
    assert {name: each.passed for name, each in evaluations(result).items()} == {
        "columns_as_promised": True,
        "order_id_required": True,
        "primary_key": True,
        "amount_positive": True,
        "not_more_than_a_million": True,
    }


def test_a_refused_draft_has_failed_checks_and_no_materialization(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    """Whatever listens to materializations, here or in another location, hears nothing."""
    shop.deliver(ORDERS + "3,-5\n")

    result = run(shop, instance, "shop.orders")

    assert not result.success
    assert instance.get_latest_materialization_event(ORDERS_KEY) is None
    failed = evaluations(result)["amount_positive"]
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "must be 0" in (failed.description or "")


def test_a_run_that_somebody_starts_in_spite_of_a_refusal_reads_what_readers_see(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    """The gate behind the gate: whoever starts it, another location, a backfill, a person."""
    run(shop, instance, "shop.orders")
    shop.deliver(ORDERS + "3,-5\n")
    assert not run(shop, instance, "shop.orders").success

    assert run(shop, instance, "books.revenue", domain="books").success

    assert shop.rows("books.revenue") == [(2, 30)]


def test_the_failing_rows_are_shown_beside_the_check(shop: Shop, instance: dg.DagsterInstance) -> None:
    shop.deliver(ORDERS + "2,30\n")

    failed = evaluations(run(shop, instance, "shop.orders"))["primary_key"]

    assert failed.metadata["failed rows"].value == 2
    table = failed.metadata["failing rows"]
    assert isinstance(table, dg.TableMetadataValue)
    assert {record.data["order_id"] for record in table.records} == {"2"}


def test_an_unchanged_product_keeps_its_data_version_so_that_nobody_is_woken(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    first = run(shop, instance, "shop.orders").asset_materializations_for_node("shop__orders")[0]
    second = run(shop, instance, "shop.orders").asset_materializations_for_node("shop__orders")[0]

    assert second.metadata["outcome"].value == "unchanged"
    assert first.tags is not None and second.tags is not None
    assert first.tags["dagster/data_version"] == second.tags["dagster/data_version"]


def test_executing_a_check_alone_audits_the_published_version_again(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    run(shop, instance, "shop.orders")
    contract = shop.folder("shop.orders") / "contract.yaml"
    contract.write_text(contract.read_text().replace("where amount <= 0", "where amount <= 10"))

    result = run(shop, instance, checks=(RULE,))

    assert {name: each.passed for name, each in evaluations(result).items()} == {"amount_positive": False}
    assert shop.head("shop.orders") == 1


def test_a_mistake_of_a_person_is_not_retried_and_told_in_words(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.deliver("order_id\n1\n")

    result = run(shop, instance, "shop.orders")

    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert "the column amount is missing" in str(failure.step_failure_data.user_failure_data)


def test_what_nobody_expected_is_tried_again_twice(
    shop: Shop, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "FIRST_PAUSE", 0)
    shop.settings.home.mkdir(parents=True, exist_ok=True)
    shop.settings.staging.write_text("no folder", encoding="utf-8")

    result = run(shop, instance, "shop.orders")

    assert [event.event_type_value for event in result.all_events].count("STEP_RESTARTED") == 2
    assert not result.success


def test_a_step_knows_the_contract(shop: Shop) -> None:
    definitions = domain_definitions("shop", shop.settings)
    (spec,) = [spec for spec in definitions.resolve_all_asset_specs() if spec.key == ORDERS_KEY]

    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [(column.name, column.type) for column in schema.columns] == [
        ("order_id", "BIGINT"),
        ("amount", "BIGINT"),
    ]
    assert spec.group_name == "shop"
    assert spec.kinds == {"sql", "duckdb"}
    assert spec.owners == ["owner@example.com", "team:shop"]
    checks = definitions.resolve_asset_graph().asset_check_keys
    assert RULE in checks


def test_domains_connect_by_asset_key_alone(shop: Shop) -> None:
    definitions = domain_definitions("books", shop.settings)

    (spec,) = [
        spec for spec in definitions.resolve_all_asset_specs() if spec.key.path == ["books", "revenue"]
    ]

    assert [dep.asset_key for dep in spec.deps] == [ORDERS_KEY]


LOOKS_AT_ITSELF = """
import os
from pathlib import Path
from mesh_assets import mesh


@mesh.recipe(sources=["order_log"])
def orders(run: mesh.Run) -> str:
    held = [path.name for path in (Path(os.environ["MESH_HOME"]) / "dagster" / "alive").glob("[!.]*")]
    assert held == [run.run_id], held
    return "SELECT order_id::BIGINT AS order_id, amount::BIGINT AS amount FROM source.order_log"
"""


def test_a_run_that_nobody_here_started_says_that_it_is_alive_while_a_step_works(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    folder = shop.folder("shop.orders")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(LOOKS_AT_ITSELF, encoding="utf-8")

    assert run(shop, instance, "shop.orders").success
    assert list((shop.settings.dagster_home / "alive").iterdir()) == []
