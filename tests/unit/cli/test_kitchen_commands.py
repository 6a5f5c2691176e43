"""`mesh kitchen …`, `mesh lineage` and `mesh impact` as a person runs them: codes, JSON, wrong words."""

from __future__ import annotations

import json

import pytest

from tests.shop import Shop
from tests.unit.cli.conftest import Command


def test_a_kitchen_of_an_empty_mesh_says_that_there_is_nothing_to_read(mesh: Command) -> None:
    said = mesh("kitchen", "open", "try", "--json")

    assert said.code == 0
    told = json.loads(said.out)
    assert told["name"] == "try"
    assert any("nothing has been published yet" in note for note in told["notes"])


def test_a_kitchen_is_listed_shown_extended_and_dropped(mesh: Command, shop: Shop) -> None:
    shop.build("shop.orders")
    assert mesh("kitchen", "open", "try").code == 0

    listed, shown = mesh("kitchen", "list", "--json"), mesh("kitchen", "show", "try", "--json")
    assert mesh("kitchen", "open", "try").code != 0
    longer = mesh("kitchen", "extend", "try", "--ttl", "2w", "--json")
    empty = mesh("kitchen", "promote", "try", "--data-only", "--reason", "none", "--dry-run")
    dropped = mesh("kitchen", "drop", "try", "--json")

    assert [each["name"] for each in json.loads(listed.out)] == ["try"]
    assert json.loads(shown.out)["name"] == "try"
    assert json.loads(longer.out)["name"] == "try"
    assert empty.code == 1
    assert "`mesh kitchen run try`" in empty.err
    assert json.loads(dropped.out)["name"] == "try"
    assert json.loads(mesh("kitchen", "list", "--json").out) == []


def test_within_a_kitchen_a_command_that_is_told_next_names_the_kitchen(
    mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copies it works where they were."""
    assert mesh("kitchen", "open", "try").code == 0
    monkeypatch.setenv("MESH_KITCHEN", "")  # put back afterwards, whatever a command sets

    by_option = mesh("--kitchen", "try", "why", "shop.orders")
    refused = mesh("--kitchen", "try", "read", "shop.orders")
    of_the_kitchen = mesh("--kitchen", "try", "kitchen", "promote", "try", "--data-only", "--reason", "none")
    monkeypatch.setenv("MESH_KITCHEN", "")
    outside = mesh("why", "shop.orders")

    assert "`mesh --kitchen try build shop.orders`" in by_option.out
    assert "`mesh --kitchen try build shop.orders`" in refused.err
    assert "`mesh kitchen run try`" in of_the_kitchen.err
    assert "`mesh build shop.orders`" in outside.out


def test_what_a_run_of_a_kitchen_says_of_a_failure_names_the_kitchen(mesh: Command, shop: Shop) -> None:
    shop.build("shop.orders")
    assert mesh("kitchen", "open", "try").code == 0
    path = shop.folder("shop.orders") / "recipe.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("cast(amount as bigint)", "-cast(amount as bigint)"), encoding="utf-8")

    said = mesh("kitchen", "run", "try")

    assert said.code == 1
    assert "`mesh --kitchen try why shop.orders`" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("kitchen", "undo", "99"), "mesh kitchen promotions"),
        (("kitchen", "show", "nobody"), "nobody"),
        (("kitchen", "run", "nobody"), "nobody"),
        (("kitchen", "drop", "nobody"), "nobody"),
        (("kitchen", "open", "Try"), "Try"),
        (("kitchen", "open", "try", "--ttl", "soon"), "soon"),
        (("lineage", "shop.nothing"), "shop.nothing"),
        (("lineage", "shop.orders.nothing"), "nothing"),
        (("contract", "diff", "nowhere.yaml", "nor-here.yaml"), "nowhere.yaml"),
    ],
)
def test_a_wrong_word_is_code_2_and_named(mesh: Command, words: tuple[str, ...], told: str) -> None:
    said = mesh(*words)

    assert said.code == 2
    assert told in said.err


def test_the_lineage_of_a_column_is_told_across_domains_as_json(mesh: Command) -> None:
    said = mesh("lineage", "books.revenue.revenue", "--json")

    assert said.code == 0
    assert "shop.orders" in said.out
    json.loads(said.out)
