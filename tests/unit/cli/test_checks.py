"""`mesh checks`: what rules say, said and say again, and the exit codes that scripts go by."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer

from mesh_assets.cli.matrix import numbers, sparkline
from mesh_assets.cli.terminal import complete_rule
from mesh_assets.words.errors import PromiseBroken
from tests.shop import ORDERS, Shop

from .conftest import Command

CHEAP = """    properties:
      - name: amount
        quality:
          - name: cheap
            metric: invalidValues
            mustBe: 0
            unit: rows
            arguments: {validValues: [10]}
            dimension: accuracy
            description: Everything costs 10.
"""


def refuse(shop: Shop, run_id: str) -> None:
    shop.deliver(ORDERS + "3,-5\n")
    with pytest.raises(PromiseBroken):
        shop.build("shop.orders", run_id=run_id)


def test_rules_stand_by_dimension_with_what_was_measured(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("checks", "shop.orders")

    lines = [line.strip() for line in said.out.splitlines()]
    assert said.code == 0
    assert lines.index("accuracy") < lines.index("completeness") < lines.index("uniqueness")
    assert "said of version 1" in lines[0]
    (rule,) = [line.split() for line in lines if line.startswith("amount_positive")]
    assert rule == ["amount_positive", "error", "passed", "0"]


def test_a_failing_rule_says_since_when_and_ends_with_one(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    refuse(shop, "run-2")
    refuse(shop, "run-3")

    said = mesh("checks", "shop.orders", "--json")

    (rule,) = [row for row in json.loads(said.out)["rules"] if row["rule"] == "amount_positive"]
    assert (rule["outcome"], rule["failing_audits"]) == ("failed", 2)
    assert (rule["audit"]["outcome"], rule["audit"]["run"]) == ("refused", "run-3")
    assert rule["failing_since"] < rule["audit"]["started"]
    assert said.code == 1


def test_a_product_that_was_never_audited_has_not_passed(mesh: Command) -> None:
    said = mesh("checks", "shop.orders")

    assert "not run" in said.out
    assert said.code == 1


def test_a_consumers_disappointment_warns_and_ends_with_zero(shop: Shop, mesh: Command) -> None:
    shop.expects("books", "shop.orders", CHEAP)
    shop.build("shop.orders")

    said = mesh("checks", "shop.orders")

    (rule,) = [line.split() for line in said.out.splitlines() if "books__cheap" in line]
    assert rule[:4] == ["books__cheap", "warning", "warned", "1"]
    assert said.code == 0


def test_one_rule_decides_alone(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    refuse(shop, "run-2")

    assert mesh("checks", "shop.orders", "--rule", "primary_key").code == 0
    assert mesh("checks", "shop.orders", "--rule", "primary_key", "--rule", "amount_positive").code == 1


def test_a_name_that_is_none_ends_with_two(shop: Shop, mesh: Command) -> None:
    unknown = mesh("checks", "shop.orders", "--rule", "amount_positiv")

    assert unknown.code == 2
    assert "Did you mean amount_positive?" in unknown.err
    assert mesh("checks", "shop.order").code == 2


def test_run_holds_the_published_version_against_the_rules_of_now(shop: Shop, mesh: Command) -> None:
    """A consumer tries a rule on what is there; nothing is built or published."""
    shop.build("shop.orders")
    shop.expects("books", "shop.orders", CHEAP)

    before = mesh("checks", "shop.orders", "--rule", "books__cheap", "--json")
    after = mesh("checks", "shop.orders", "--rule", "books__cheap", "--run", "--json")

    assert json.loads(before.out)["rules"][0]["outcome"] == "not run"
    (rule,) = json.loads(after.out)["rules"]
    assert (rule["outcome"], rule["failed_rows"], rule["audit"]["version"]) == ("warned", 1, 1)
    assert rule["audit"]["outcome"] == "checked"
    assert shop.head("shop.orders") == 1
    assert json.loads(mesh("products", "shop", "--json").out)[0]["last_build"] == "published"


def test_run_without_a_version_is_told(mesh: Command) -> None:
    said = mesh("checks", "shop.orders", "--run")

    assert "has no version yet" in said.err
    assert said.code == 1


def test_history_is_a_line_per_rule_and_a_column_per_audit(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    refuse(shop, "run-2")
    mesh("checks", "shop.orders", "--run", "--rule", "amount_positive")

    said = mesh("checks", "shop.orders", "--history")

    (heading,) = [line.split() for line in said.out.splitlines() if line.strip().startswith("rule")]
    lines = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line.strip()}
    assert heading[1] == "PRc"
    assert lines["amount_positive"] == ["✓✗✓", "2", "1", "▁█▁", "0"]
    assert lines["primary_key"] == ["✓✓·", "2", "0"]
    assert said.code == 0  # the last word on each rule is a good one


def test_history_is_one_document_for_scripts(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    refuse(shop, "run-2")

    told = mesh("checks", "shop.orders", "--history", "--limit", "1", "--rule", "amount_positive", "--json")

    (audit,) = json.loads(told.out)["audits"]
    assert (audit["run"], audit["outcome"], audit["version"]) == ("run-2", "refused", None)
    assert audit["rules"] == {
        "amount_positive": {"outcome": "failed", "failed_rows": None, "checked_rows": 3, "value": "1"}
    }


def test_show_lists_who_expects_what_and_what_is_left_out(shop: Shop, mesh: Command) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    good = mesh("show", "shop.orders")
    path.write_text(
        path.read_text(encoding="utf-8").replace("name: amount", "name: amuont"), encoding="utf-8"
    )
    bad = mesh("show", "shop.orders")

    assert "books__cheap" in good.out and "Everything costs 10." in good.out
    assert "books__cheap" not in bad.out
    assert f"left out, expected by books: {path}:9:" in bad.out
    (row,) = json.loads(mesh("show", "shop.orders", "--json").out)["expectations"]
    assert row["consumer"] == "books" and "no column 'amuont'" in row["left_out"]


def test_a_build_tells_a_consumer_of_its_broken_file_and_goes_on_with_the_producer(
    shop: Shop, mesh: Command
) -> None:
    path = shop.expects("books", "shop.orders", CHEAP)
    path.write_text(path.read_text(encoding="utf-8").replace("status: active", "status: ["), encoding="utf-8")

    built = mesh("build", "--json")

    ended = {each["product"]: each for each in json.loads(built.out)}
    assert built.code == 1
    assert ended["shop.orders"]["outcome"] == "published"
    assert ended["books.revenue"]["outcome"] == "failed"
    assert f"{path}:7:" in ended["books.revenue"]["message"]


def test_a_build_holds_what_is_published_against_a_consumers_changed_rule_once(
    shop: Shop, mesh: Command
) -> None:
    mesh("build", "shop.orders", "--json")
    path = shop.expects("books", "shop.orders", CHEAP)

    said = [_last_word(mesh)]
    path.write_text(path.read_text(encoding="utf-8").replace("[10]", "[10, 20]"), encoding="utf-8")
    said += [_last_word(mesh), _last_word(mesh)]

    assert [rule["outcome"] for rule in said] == ["warned", "passed", "passed"]
    assert said[1]["audit"]["started"] == said[2]["audit"]["started"]  # nothing had changed
    assert shop.head("shop.orders") == 1


def _last_word(mesh: Command) -> dict[str, Any]:
    """What the consumer's rule says after another build."""
    assert '"unchanged"' in mesh("build", "shop.orders", "--json").out
    (rule,) = json.loads(mesh("checks", "shop.orders", "--rule", "books__cheap", "--json").out)["rules"]
    found: dict[str, Any] = rule
    return found


@pytest.mark.parametrize(
    ("product", "typed", "offered"),
    [
        ("shop.orders", "books", ["books__cheap"]),
        ("shop.orders", "prim", ["primary_key"]),
        ("shop.order", "", []),
        ("nonsense", "", []),
    ],
)
def test_names_of_rules_are_completed(
    shop: Shop, mesh: Command, product: str, typed: str, offered: list[str]
) -> None:
    shop.expects("books", "shop.orders", CHEAP)
    context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))
    context.params = {"product": product}

    assert complete_rule(context, typed) == offered


def test_measures_are_read_as_they_are_shown() -> None:
    assert numbers(["1,204", "12.5%", "-3", "unknown", "0"]) == [1204, 12.5, -3, 0]
    assert sparkline([0, 2, 10]) == "▁▂█"
    assert sparkline([7, 7]) == "▁▁"
    assert sparkline([]) == ""
