"""A contract binds consumers in other domains: in a kitchen, and when the kitchen is promoted."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.kitchens.changes import compare_kitchen, plain
from mesh_assets.capabilities.kitchens.crossing import crossing
from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.running import Plan, Verdict, run_kitchen
from mesh_assets.words.errors import MeshError
from mesh_assets.words.promotions import NotRun
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, git, opened

AMOUNT = "cast(amount as bigint) as amount"


def contract(shop: Shop, before: str, after: str) -> None:
    path = shop.settings.domains / "shop" / "orders" / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(shop: Shop) -> dict[str, tuple[Verdict, str]]:
    git(shop.settings.domains, "commit", "--quiet", "-am", "something else")
    done = run_kitchen(shop.settings, Plan(audit_share=0.0))
    return {str(each.product): (each.verdict, each.why) for each in done.steps}


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("amount as total", "amount"),
        ("cast(amount as varchar) as amount", "BIGINT"),
        ("-cast(amount as bigint) as amount", "amount_positive"),
    ],
    ids=["column", "type", "rule"],
)
def test_a_product_that_breaks_its_contract_reaches_no_consumer_of_another_domain(
    built: Shop, after: str, told: str
) -> None:
    here = opened(built)
    edit(here, "shop.orders", AMOUNT, after)

    verdicts = run(here)

    assert verdicts["shop.orders"][0] is Verdict.FAILED
    assert told in verdicts["shop.orders"][1]
    assert verdicts["books.revenue"][0] is Verdict.BLOCKED
    with pytest.raises(MeshError, match=r"shop\.orders"):
        promote(built.settings, "try")
    assert built.rows("shop.orders") == [(1, 10), (2, 20)]


def test_a_contract_that_drops_a_column_stops_the_consumer_that_reads_it_and_the_promotion(
    built: Shop,
) -> None:
    here = opened(built)
    edit(here, "shop.orders", AMOUNT, "cast(amount as bigint) as total")
    contract(here, "name: amount\n", "name: total\n")
    contract(here, "where amount <= 0", "where total <= 0")

    verdicts = run(here)

    assert verdicts["shop.orders"][0] is Verdict.MADE
    assert verdicts["books.revenue"][0] is Verdict.FAILED
    assert "amount" in verdicts["books.revenue"][1]
    with pytest.raises(NotRun, match=r"books\.revenue"):
        promote(built.settings, "try")
    with crossing(built.settings, "try") as sides:
        (changed,) = plain(compare_kitchen(sides))["contracts"]
    broken = [(each["product"], each["columns"]) for each in changed["broken"]]
    assert broken == [("books.revenue", ["amount"])]
    assert built.rows("books.revenue") == [(2, 30)]


def test_a_column_that_becomes_personal_is_told_with_its_consumers_and_is_masked(built: Shop) -> None:
    here = opened(built)
    edit(here, "shop.orders", AMOUNT, "cast(amount as bigint) + 4000 as amount")
    path = here.settings.domains / "shop" / "orders" / "contract.yaml"
    before, name, after = path.read_text(encoding="utf-8").partition("- name: amount\n")
    path.write_text(
        before + name + after.replace("classification: internal", "classification: personal", 1), "utf-8"
    )

    run(here)

    with crossing(built.settings, "try") as sides:
        found = plain(compare_kitchen(sides))
    (changed,) = found["contracts"]
    assert "classification" in str(changed["changes"])
    orders = next(each for each in found["data"] if each["product"] == "shop.orders")
    assert orders["changed"] == 2
    assert "4010" not in str(orders["sample"])
