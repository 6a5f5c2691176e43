"""`mesh rollback` and `mesh reproduce`: what a person is told, and exit codes."""

from __future__ import annotations

import json

import pytest

from tests.shop import Shop

from .conftest import Command


@pytest.fixture
def bad(shop: Shop) -> Shop:
    """Version 2 of shop.orders has one row, and books.revenue was made from it."""
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,99\n")
    shop.build("shop.orders", run_id="run-2")
    shop.build("books.revenue")
    return shop


def test_rollback_names_what_is_made_from_the_product(bad: Shop, mesh: Command) -> None:
    said = mesh("rollback", "shop.orders", "--to", "1", "--why", "rows are missing")

    assert said.code == 0
    assert "shop.orders version 3 is version 1 again (2 rows)" in said.out
    assert "books.revenue reads it, made from version 2" in said.out
    assert "--release" in said.out
    assert "3 head, again 1" in mesh("versions", "shop.orders").out


def test_a_build_that_holds_says_so(bad: Shop, mesh: Command) -> None:
    mesh("rollback", "shop.orders", "--to", "1")

    said = mesh("build", "shop.orders")

    assert "shop.orders is held as it was in version 1" in said.out
    assert bad.head("shop.orders") == 3


def test_a_hold_is_released_once(bad: Shop, mesh: Command) -> None:
    assert mesh("rollback", "shop.orders", "--release").code == 1
    mesh("rollback", "shop.orders", "--to", "1")

    assert mesh("rollback", "shop.orders", "--release").code == 0
    again = mesh("rollback", "shop.orders", "--release")

    assert again.code == 1
    assert "is not held" in again.err


def test_rollback_is_one_document_for_scripts(bad: Shop, mesh: Command) -> None:
    told = json.loads(mesh("rollback", "shop.orders", "--to", "1", "--json").out)

    assert (told["version"], told["from"], told["to"]) == (3, 2, 1)
    assert told["dependents"] == [{"name": "books.revenue", "direct": True, "made_from": 2}]


@pytest.mark.parametrize("options", [[], ["--to", "1", "--release"]])
def test_rollback_wants_to_know_where_to(bad: Shop, mesh: Command, options: list[str]) -> None:
    assert mesh("rollback", "shop.orders", *options).code == 2


def test_a_rollback_to_what_is_there_is_refused(bad: Shop, mesh: Command) -> None:
    assert mesh("rollback", "shop.orders", "--to", "2").code == 1
    assert mesh("rollback", "shop.orders", "--to", "7").code == 1


def test_what_cannot_be_made_again_is_told_with_the_reason(bad: Shop, mesh: Command) -> None:
    said = mesh("reproduce", "shop.orders@1")

    assert said.code == 1
    assert "shop.orders version 1 cannot be made again" in said.err
