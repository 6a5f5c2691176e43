"""Products at the edges of what a contract can say, published: an answer for each, and no traceback."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest

from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.rules import Outcome
from tests.shop import Shop, write_product
from tests.unit.checks.test_columns import VALUES

#: A check's name, as Dagster takes it.
CHECK_NAME = re.compile(r"[A-Za-z0-9_]+\Z")


@pytest.mark.parametrize(
    "promised", ["VARCHAR", "BIGINT", "DECIMAL(12,2)", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"]
)
def test_no_pair_of_promised_and_made_types_ends_in_a_traceback(shop: Shop, promised: str) -> None:
    """All made types at once, a column each: the audit tells every wrong one, and none voids the run."""
    made = [kind for kind in VALUES if kind != promised]
    names = [f"c{at}" for at in range(len(made))]
    values = ", ".join(f"({VALUES[kind]})::{kind} as {name}" for kind, name in zip(made, names, strict=True))
    write_product(
        shop,
        "shop.orders",
        columns=tuple((name, promised) for name in names),
        recipe=f"-- source: order_log\nselect {values} from source.order_log limit 1\n",
    )

    with pytest.raises(PromiseBroken) as refused:
        shop.build("shop.orders")

    results = {each.rule.id: each for each in refused.value.verdict.results}  # type: ignore[attr-defined]
    told = results["columns_as_promised"]
    assert told.outcome is Outcome.FAILED
    assert {row["column"] for row in told.sample} <= set(names)
    assert f"failed on {len(made)} of the columns" in told.summary


def test_two_hundred_columns_and_five_hundred_rules_are_published(shop: Shop) -> None:
    names = [f"c{at}" for at in range(200)]
    rules = "        quality:\n" + "".join(
        f"          - {{name: r{at}, type: library, metric: nullValues, mustBeLessThan: {at + 1}}}\n"
        for at in range(500)
    )
    values = ", ".join(f"{at} as {name}" for at, name in enumerate(names))
    write_product(
        shop,
        "shop.orders",
        columns=tuple((name, "INTEGER") for name in names),
        recipe=f"-- source: order_log\nselect {values} from source.order_log limit 1\n",
        rules=rules,
    )

    verdict = shop.build("shop.orders").verdict

    assert verdict is not None
    ids = [each.rule.id for each in verdict.results]
    assert len(ids) >= 500
    assert all(CHECK_NAME.match(each) and len(each) <= 200 for each in ids)
    assert {each.outcome for each in verdict.results} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("said", "published"),
    [
        ("mustBeLessThan: 1000", False),
        ("mustNotBe: 7", False),
        ("mustBeGreaterThan: 0", False),
        ("mustBeBetween: [0, 9]", True),
        ("mustBeGreaterOrEqualTo: 0", True),
    ],
)
def test_an_empty_product_is_published_only_if_its_contract_says_so(
    shop: Shop, said: str, published: bool
) -> None:
    contract = shop.folder("shop.orders") / "contract.yaml"
    text = contract.read_text(encoding="utf-8").replace("mustBeBetween: [1, 1000000]", said)
    contract.write_text(text.replace("severity: warning", "severity: error"), encoding="utf-8")
    shop.deliver("order_id,amount\n")

    with nullcontext() if published else pytest.raises(PromiseBroken):
        shop.build("shop.orders")

    assert (shop.head("shop.orders") is not None) == published
