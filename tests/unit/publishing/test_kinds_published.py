"""Rules that compare a product with its own past and with other products, through real builds."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.publishing.reaudit import reaudit
from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Outcome, RuleResult
from tests.shop import ORDERS, Shop, write_product

CHANGE = """        quality:
          - name: steady
            type: custom
            engine: mesh
            implementation: {kind: change, aggregate: sum, mustBeBetween: [-10, 50]}
          - name: steady_for_a_week
            type: custom
            engine: mesh
            implementation: {kind: change, aggregate: sum, against: same weekday, mustBeBetween: [-10, 50]}
"""
BALANCE = """        quality:
          - name: as_sold
            type: custom
            engine: mesh
            implementation: {kind: balance, aggregate: sum, product: shop.orders, to_column: amount}
"""


COLUMNS = {
    "shop.orders": (("order_id", "BIGINT"), ("amount", "BIGINT")),
    "books.revenue": (("order_count", "BIGINT"), ("revenue", "DECIMAL(38,0)")),
}


def _with(shop: Shop, product: str, rules: str) -> None:
    """The same product with these rules at its last column."""
    recipe = (shop.folder(product) / "recipe.sql").read_text(encoding="utf-8")
    write_product(shop, product, columns=COLUMNS[product], recipe=recipe, rules=rules)


def _results(built) -> dict[str, RuleResult]:
    return {result.rule.id: result for result in built.verdict.results}


@pytest.fixture
def steady(shop: Shop) -> Shop:
    _with(shop, "shop.orders", CHANGE)
    return shop


def test_the_first_version_has_nothing_to_compare_with_and_says_so(steady: Shop) -> None:
    results = _results(steady.build("shop.orders"))

    assert results["steady"].outcome is Outcome.PASSED
    assert results["steady"].summary.endswith("there is no version before this one")
    assert results["steady_for_a_week"].summary.endswith("there is no version of a week ago")


def test_a_version_is_compared_with_the_one_that_readers_see(steady: Shop) -> None:
    steady.build("shop.orders")
    steady.deliver(ORDERS + "3,15\n")

    results = _results(steady.build("shop.orders", run_id="run-2"))

    assert results["steady"].summary == "is 50%; must be between -10% and 50% (from 30 to 45)"


def test_a_draft_that_moved_too_far_is_refused(steady: Shop) -> None:
    steady.build("shop.orders")
    steady.deliver(ORDERS + "3,16\n")

    with pytest.raises(PromiseBroken, match=r"`steady` is 53\.33333333%.*\(from 30 to 46\)"):
        steady.build("shop.orders", run_id="run-2")

    assert steady.rows("shop.orders") == [(1, 10), (2, 20)]


def test_auditing_a_published_version_again_compares_it_with_the_one_before(steady: Shop) -> None:
    steady.build("shop.orders")
    steady.deliver(ORDERS + "3,3\n")
    steady.build("shop.orders", run_id="run-2")
    workshop = steady.workshop("shop", run_id="run-3")

    try:
        _, verdict = reaudit(workshop, product_name("shop.orders"), only={"steady"})
    finally:
        workshop.registry.close()

    assert [result.value for result in verdict.results] == ["10%"]


def test_a_product_that_a_rule_names_is_an_input_and_makes_stale(shop: Shop) -> None:
    _with(shop, "books.revenue", BALANCE)
    shop.build("shop.orders")

    first = shop.build("books.revenue", run_id="run-2")
    shop.deliver(ORDERS + "3,5\n")
    shop.build("shop.orders", run_id="run-3")
    second = shop.build("books.revenue", run_id="run-4")

    assert [str(each.product) for each in first.version.certificate.inputs] == ["shop.orders"]
    assert [_results(built)["as_sold"].summary for built in (first, second)] == [
        "is 0; must be 0 (30 here, 30 in shop.orders)",
        "is 0; must be 0 (35 here, 35 in shop.orders)",
    ]
