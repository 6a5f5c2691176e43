"""`mesh follow` and `mesh access` as consumers and owners use them."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Command


def test_who_follows_a_product_is_listed_until_it_ends(mesh: Command) -> None:
    made = mesh("follow", "shop.orders", "--mail", "ann@example.com", "--on", "breaking", "--json")
    listed = mesh("follow", "--list")
    ended = mesh("follow", "--end", "1")

    assert made.code == 0
    told = json.loads(made.out)
    assert (told["scope"], told["by"], told["events"]) == ("shop.orders", "mail", ["breaking"])
    assert "ann@example.com" in listed.out
    assert ended.code == 0
    assert "follows nothing. Begin: `mesh follow" in mesh("follow", "--list").out


def test_access_is_asked_for_granted_with_its_steps_and_listed(mesh: Command) -> None:
    asked = mesh("access", "ask", "shop.orders", "--purpose", "planning", "--until", "2999-01-31")
    granted = mesh("access", "grant", "1", "--json")
    listed = mesh("access", "list", "shop", "--json")

    assert asked.code == 0 and "`mesh access grant 1`" in asked.out
    told = json.loads(granted.out)
    assert told["state"] == "granted" and told["until"] == "2999-01-31"
    assert told["now"] and told["after"]
    assert [each["purpose"] for each in json.loads(listed.out)] in ([], ["planning"])
    assert mesh("access", "list", "--due").code == 0


def test_access_is_refused_with_a_reason(mesh: Command) -> None:
    mesh("access", "ask", "shop.orders", "--purpose", "planning", "--until", "2999-01-31")

    said = mesh("access", "refuse", "1", "--reason", "use books.revenue")

    assert said.code == 0 and "use books.revenue" in said.out
    assert json.loads(mesh("access", "list", "--json").out)[0]["state"] == "refused"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("follow", "shop.nothing", "--mail", "a@example.com"), "shop.nothing", 2),
        (("follow", "shop.orders", "--mail", "nowhere"), "nowhere", 2),
        (("follow", "--end", "99"), "99", 1),
        (("access", "ask", "shop.orders", "--purpose", "x", "--until", "2001-01-31"), "over already", 2),
        (("access", "ask", "shop.orders", "--purpose", " ", "--until", "2999-01-31"), "say what for", 2),
        (("access", "grant", "99"), "99", 1),
    ],
)
def test_what_cannot_be_is_told(mesh: Command, words: tuple[str, ...], told: str, code: int) -> None:
    said = mesh(*words)

    assert said.code == code
    assert told in said.err
