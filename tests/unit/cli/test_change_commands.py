"""`mesh impact` and `mesh contract diff` of a change, in each form, as a CI runs them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.shop import Shop
from tests.unit.cli.conftest import Command
from tests.unit.kitchens.conftest import in_git


@pytest.fixture
def narrowed(shop: Shop) -> Shop:
    """A committed shop; in its tree `amount` has another type, and the version is as it was."""
    in_git(shop)
    path = shop.folder("shop.orders") / "contract.yaml"
    head, amount, rest = path.read_text(encoding="utf-8").partition("- name: amount")
    path.write_text(head + amount + rest.replace("physicalType: BIGINT", "physicalType: INTEGER", 1), "utf-8")
    recipe = shop.folder("shop.orders") / "recipe.sql"
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace("cast(amount as bigint)", "cast(amount as integer)"), "utf-8")
    return shop


def raise_version(shop: Shop, version: str) -> None:
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("version: 1.0.0", f"version: {version}", 1), encoding="utf-8")


def test_an_impact_is_told_as_text_json_markdown_and_junit_and_breaks_a_ci(
    narrowed: Shop, mesh: Command, tmp_path: Path
) -> None:
    text, told = mesh("impact"), mesh("impact", "--json")
    page, xml = tmp_path / "impact.md", tmp_path / "impact.xml"
    ci = mesh("impact", "--base", "main", "--ci", f"--output={page}", f"--junit={xml}")

    assert text.code == told.code == 0
    assert "shop.orders 1.0.0 -> 1.0.0: 1 changes BREAKS CONSUMERS" in text.out
    assert "Ask shop" not in text.out and "books reads what changes" in text.out
    found = json.loads(told.out)
    assert [each["product"] for each in found["rebuild"]] == ["shop.orders", "books.revenue"]
    assert found["unannounced"] == ["shop.orders"]
    assert found["consumers"] == {"books": ["owner@example.com", "books"]}
    assert ci.code == 1
    assert ci.out == page.read_text(encoding="utf-8")
    assert "| `shop.orders` | code, contract | amount | *inferred* |" in ci.out
    suite = ElementTree.fromstring(xml.read_text(encoding="utf-8"))
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [each.get("name") for each in suite if each.find("failure") is not None] == ["shop.orders"]

    raise_version(narrowed, "2.0.0")
    assert mesh("impact", "--base", "main", "--ci").code == 0


def test_a_tree_as_it_was_committed_has_no_impact(shop: Shop, mesh: Command) -> None:
    in_git(shop)

    said = mesh("impact", "--ci")

    assert said.code == 0
    assert "0 to make again, 0 spared" in said.out


def test_a_difference_of_contracts_is_told_in_each_form_with_the_same_exit_code(
    narrowed: Shop, mesh: Command
) -> None:
    said = {form: mesh("contract", "diff", "main", f"--format={form}") for form in FORMS}

    assert {each.code for each in said.values()} == {1}
    assert "REFUSED, consumers break" in said["text"].out
    (told,) = json.loads(said["json"].out)
    assert (told["product"], told["asks_for"], told["enough"]) == ("shop.orders", "major", False)
    assert "### `shop.orders` 1.0.0 → 1.0.0" in said["markdown"].out
    suite = ElementTree.fromstring(said["junit"].out)
    assert suite.get("failures") == "1"

    raise_version(narrowed, "2.0.0")
    again = mesh("contract", "diff", "main:shop.orders", "shop.orders", "--ci")
    assert again.code == 0
    assert "asks for major, the version was raised by major" in again.out


def test_contracts_that_are_the_same_differ_in_nothing(shop: Shop, mesh: Command) -> None:
    in_git(shop)

    said = mesh("contract", "diff", "main", "--ci")

    assert (said.code, said.out.strip()) == (0, "no difference")


FORMS = ("text", "json", "markdown", "junit")
