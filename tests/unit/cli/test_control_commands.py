"""`mesh pause` and its kin, and `mesh status`, as a person runs them."""

from __future__ import annotations

import json

from tests.shop import Shop
from tests.unit.cli.conftest import Command


def test_a_pause_is_shown_everywhere_until_it_is_resumed(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    assert mesh("status").code == 0

    assert mesh("pause", "shop", "--reason", "new till", "--until", "2h").code == 0

    assert "new till" in mesh("pauses").out
    assert "new till" in mesh("products").out
    assert "new till" in mesh("show", "shop.orders").out
    status = mesh("status")
    assert status.code == 1 and "new till" in status.out and "shop (paused)" in status.out
    assert mesh("status", "books").code == 0
    assert mesh("resume", "shop").code == 0
    assert mesh("status").code == 0
    assert "new till" in mesh("pauses", "--history").out


def test_what_cannot_be_paused_or_resumed_is_one_message(mesh: Command) -> None:
    unknown = mesh("pause", "shopp", "--reason", "x")
    assert unknown.code == 2 and "Did you mean shop" in unknown.err
    assert mesh("pause", "shop.nothing", "--reason", "x").code == 2
    assert mesh("resume", "shop").code == 1
    assert "is over already" in mesh("pause", "shop", "--reason", "x", "--until", "2020-01-01").err
    assert "no moment" in mesh("pause", "shop", "--reason", "x", "--until", "soon").err
    assert mesh("withdraw", "7").code == 1


def test_an_announcement_reaches_consumers_and_can_hold_them(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    both = mesh("announce", "shop.orders", "--breaking", "--deprecated", "--on", "2099-01-31", "--text", "x")
    assert both.code == 2

    options = ("--breaking", "--on", "2099-01-31", "--text", "amounts become cents", "--hold")
    assert mesh("announce", "shop.orders", *options).code == 0

    consumer = mesh("show", "books.revenue").out
    assert "amounts become cents" in consumer and "mesh let-go shop.orders" in consumer
    assert "amounts become cents" in mesh("status").out
    assert mesh("let-go", "shop.orders").code == 0
    assert mesh("status").code == 0  # an announcement alone is no fault
    assert mesh("withdraw", "1").code == 0
    assert "nothing is paused" in mesh("pauses").out


def test_status_for_scripts_has_facts_of_every_product_and_the_days_before(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("status", "--json", "--days", "7")

    found = json.loads(said.out)
    assert said.code == 1 and found["good"] is False
    states = {each["product"]: each["states"] for each in found["products"]}
    assert states == {"shop.orders": [], "books.revenue": ["missing"]}
    (shop_health,) = [each for each in found["domains"] if each["domain"] == "shop"]
    assert (shop_health["products"], shop_health["served"], shop_health["good"]) == (1, 1, True)
    assert [each["published"] for each in found["days"]] == [1]


def test_a_broken_domain_is_named_with_its_problem(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")
    (shop.folder("shop.orders") / "recipe.sql").write_text("-- input: nothing\n", encoding="utf-8")

    said = mesh("status")

    assert said.code == 1
    assert "shop does not load since" in said.out and "recipe.sql:1" in said.out
    assert mesh("read", "shop.orders", "--format", "csv").code == 0  # its products stay readable


def test_records_that_would_go_are_counted(shop: Shop, mesh: Command) -> None:
    assert "0 events of 0 runs" in mesh("records", "--dry-run").out
    assert "no span of time" in mesh("records", "--older-than", "soon").err
