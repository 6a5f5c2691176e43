"""Checks run alone, and what consumers expect, as Dagster sees them: a real instance, lake and registry."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.names import product_name
from tests.shop import ORDERS, ORDERS_NAME, Shop
from tests.unit.orchestration.test_steps import ORDERS_KEY, RULE, evaluations, instance, run

__all__ = ["instance"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")

CHEAP = """    properties:
      - name: amount
        quality:
          - name: cheap
            type: sql
            query: SELECT count(*) FROM {object} WHERE amount > 15
            mustBe: 0
            dimension: accuracy
            description: Nobody pays more than 15.
"""
CHEAP_KEY = dg.AssetCheckKey(ORDERS_KEY, "books__cheap")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_one_check_executed_alone_runs_that_rule_and_publishes_nothing(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    run(shop, instance, "shop.orders")

    result = run(shop, instance, checks=(RULE,))

    assert result.success
    assert set(evaluations(result)) == {"amount_positive"}
    assert result.asset_materializations_for_node("shop__orders") == []
    assert shop.head("shop.orders") == 1
    with open_registry(shop.settings) as registry:
        recheck, build = registry.audits(ORDERS_NAME)
        assert len(registry.versions(ORDERS_NAME)) == 1
        assert [record.run_id for record in registry.builds(ORDERS_NAME)] == [build.build.run_id]
    assert (recheck.build.recheck, set(recheck.said)) == (True, {"amount_positive"})
    assert set(build.said) > {"amount_positive", "primary_key"}


def test_two_checks_of_many_are_two_results(shop: Shop, instance: dg.DagsterInstance) -> None:
    run(shop, instance, "shop.orders")

    result = run(shop, instance, checks=(RULE, dg.AssetCheckKey(ORDERS_KEY, "primary_key")))

    assert {name: each.passed for name, each in evaluations(result).items()} == {
        "amount_positive": True,
        "primary_key": True,
    }


def test_a_check_says_who_expects_it_and_how_severe_it_is(shop: Shop) -> None:
    shop.expects("books", "shop.orders", CHEAP)
    definitions = domain_definitions("shop", shop.settings)
    specs = {spec.name: spec for step in definitions.assets or () for spec in step.check_specs}  # type: ignore[union-attr]

    spec = specs["books__cheap"]

    assert spec.description == "Nobody pays more than 15. (expected by books)"
    assert not spec.blocking
    assert spec.metadata["severity"] == "warning"
    assert spec.metadata["dimension"] == "accuracy"
    assert spec.metadata["expected by"] == "books"
    assert spec.metadata["written at"].endswith("books/expects/shop.orders.yaml:11")
    assert specs["amount_positive"].metadata["expected by"] == ""


def test_a_disappointed_consumer_warns_and_the_product_is_published(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    shop.expects("books", "shop.orders", CHEAP)

    result = run(shop, instance, "shop.orders")

    warned = evaluations(result)["books__cheap"]
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert warned.metadata["expected by"].value == "books"
    assert shop.head("shop.orders") == 1
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS_NAME)
    assert head is not None
    said = {each["id"]: each for each in head.certificate.rule_results}
    assert (said["books__cheap"]["expected_by"], said["books__cheap"]["outcome"]) == ("books", "failed")
    assert said["amount_positive"]["expected_by"] is None


def test_a_consumer_who_changes_its_mind_makes_no_version_and_hears_at_once(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    run(shop, instance, "shop.orders")
    change(path, "amount > 15", "amount > 99")

    result = run(shop, instance, "shop.orders")

    (event,) = result.asset_materializations_for_node("shop__orders")
    assert event.metadata["outcome"].value == "unchanged"
    assert evaluations(result)["books__cheap"].passed
    assert shop.head("shop.orders") == 1


def test_a_forced_build_with_new_expectations_makes_no_version(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.expects("books", "shop.orders", CHEAP)

    built = shop.build("shop.orders", run_id="run-2", force=True)

    assert str(built.record.outcome) == "unchanged"
    assert built.verdict is not None
    assert [result.rule.id for result in built.verdict.warned] == ["books__cheap"]
    assert shop.head("shop.orders") == 1


def test_a_rule_of_a_consumer_that_cannot_run_is_its_error_alone(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    change(path, "WHERE amount > 15", "WHERE amuont > 15")

    found = evaluations(run(shop, instance, "shop.orders"))

    assert found["books__cheap"].metadata["could not run"].value is True
    assert [name for name, each in found.items() if not each.passed] == ["books__cheap"]
    assert shop.head("shop.orders") == 1


def test_a_rule_that_compares_with_a_consumers_product_waits_for_it_and_holds_nobody_up(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    text = "    properties:\n      - name: order_id\n        relationships:\n"
    shop.expects(
        "books", "shop.orders", text + "          - {type: foreignKey, to: books.revenue.order_count}\n"
    )
    rule = "books__order_id_is_revenue"

    first = evaluations(run(shop, instance, "shop.orders"))
    run(shop, instance, "books.revenue", domain="books")
    again = run(shop, instance, checks=(dg.AssetCheckKey(ORDERS_KEY, rule),))

    assert "no version of books.revenue" in (first[rule].description or "")
    assert (
        evaluations(again)[rule].metadata["failed rows"].value == 1
    )  # there are 2 orders, and one is order 1
    assert shop.head("shop.orders") == 1


def test_a_consumers_query_cannot_read_what_the_producer_is_made_from(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    """Two rules of the producer's own read `books.revenue`; a consumer that does not name it may not."""
    shop.expects(
        "shop",
        "books.revenue",
        "    quality:\n      - {name: q, type: sql, query: SELECT count(*) FROM shop.orders, mustBe: 2}\n",
    )
    domain = shop.root / "domains" / "shop" / "domain.yaml"
    port = "inputPorts:\n  - name: revenue\n    version: 1.0.0\n    contractId: books.revenue"
    change(domain, "inputPorts: []", port)
    shop.build("shop.orders")

    found = evaluations(run(shop, instance, "books.revenue", domain="books"))

    assert found["shop__q"].metadata["could not run"].value is True


def test_who_may_block_blocks(shop: Shop, instance: dg.DagsterInstance) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    change(path, "mustBe: 0", "mustBe: 0\n            severity: error")
    with (shop.folder("shop.orders") / "contract.yaml").open("a", encoding="utf-8") as file:
        file.write("customProperties:\n  - property: acceptsBlockingExpectationsFrom\n    value: [books]\n")

    result = run(shop, instance, "shop.orders")

    assert not result.success
    assert evaluations(result)["books__cheap"].severity is dg.AssetCheckSeverity.ERROR
    assert shop.head("shop.orders") is None


def test_a_broken_file_of_a_consumer_stops_the_consumers_location_alone(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    change(path, "kind: DataContract", "kind: [")

    result = run(shop, instance, "shop.orders")

    assert result.success
    definitions = domain_definitions("shop", shop.settings)
    (spec,) = [spec for spec in definitions.resolve_all_asset_specs() if spec.key == ORDERS_KEY]
    told = spec.metadata["expectations left out"]
    assert isinstance(told, dg.MarkdownMetadataValue)
    assert "books" in (told.value or "") and f"{path}:" in (told.value or "")
    with pytest.raises(DocumentMalformed, match="not YAML"):
        domain_definitions("books", shop.settings)


def test_an_asset_says_who_would_be_hurt(shop: Shop) -> None:
    shop.expects("books", "shop.orders", CHEAP)
    definitions = domain_definitions("shop", shop.settings)

    (spec,) = [spec for spec in definitions.resolve_all_asset_specs() if spec.key == ORDERS_KEY]

    assert spec.metadata["expected by"] == "books (1 rule)"
    assert [dep.asset_key for dep in spec.deps] == []


def test_a_refused_draft_is_in_the_history(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,-5\n")
    with pytest.raises(Exception, match="amount_positive"):
        shop.build("shop.orders", run_id="run-2")

    with open_registry(shop.settings) as registry:
        newest, before = registry.audits(product_name("shop.orders"), rules={"amount_positive"})

    assert str(newest.build.outcome) == "refused"
    assert [str(audit.said["amount_positive"].outcome) for audit in (before, newest)] == ["passed", "failed"]
