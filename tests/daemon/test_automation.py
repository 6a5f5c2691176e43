"""What runs by itself when something is published: over four code locations, with a real daemon."""

from __future__ import annotations

import pytest

from mesh_assets.words.errors import PromiseBroken
from tests.daemon.alive import Alive

PRODUCTS = ("books.revenue", "depot.parcels", "board.report")


def asked(alive: Alive) -> dict[str, int]:
    return {name: alive.asked(name) for name in (*PRODUCTS, "depot.lost")}


def one_more(before: dict[str, int], *products: str) -> dict[str, int]:
    return {name: count + (name in products) for name, count in before.items()}


def test_a_publication_goes_through_a_diamond_once_and_what_always_fails_holds_nobody_up(
    alive: Alive,
) -> None:
    before, report = asked(alive), alive.shop.head("board.report") or 0
    alive.deliver_prices(-5)
    alive.deliver_orders(50)

    alive.wait_for_version("board.report", report + 1)
    alive.wait_until_quiet()

    assert asked(alive) == one_more(before, *PRODUCTS, "depot.lost")
    assert alive.shop.head("board.report") == report + 1
    assert alive.builds("depot.lost")[-1].outcome == "failed"


def test_neither_a_refused_draft_nor_an_unchanged_one_starts_anything(alive: Alive) -> None:
    before = asked(alive)
    with pytest.raises(PromiseBroken):
        alive.deliver_orders(50, "4,-1")
    alive.deliver_orders(50)

    alive.wait_until_quiet()

    assert asked(alive) == before


def test_a_paused_domain_is_left_alone_and_catches_up(alive: Alive) -> None:
    before = asked(alive)
    alive.pause("books")
    alive.deliver_orders(70)
    alive.wait_for("a report of other parcels", lambda: alive.asked("board.report") > before["board.report"])
    alive.wait_until_quiet()
    assert asked(alive) == one_more(before, "depot.parcels", "board.report")

    alive.resume("books")
    alive.wait_for("what was missed", lambda: alive.asked("board.report") == before["board.report"] + 2)
    assert alive.asked("books.revenue") == before["books.revenue"] + 1


def test_a_broken_location_opens_no_gate_and_stops_nobody_else(alive: Alive) -> None:
    """The checks of a location that does not load are gone: a gate that asks for failed ones is open then."""
    alive.break_location("depot")
    try:
        before, revenue = asked(alive), alive.shop.head("books.revenue") or 0
        alive.deliver_orders(80)
        alive.wait_for_version("books.revenue", revenue + 1)
        alive.wait_until_quiet()
        assert asked(alive) == one_more(before, "books.revenue")  # the report waits for the parcels
    finally:
        alive.mend_location("depot")
    report = alive.shop.head("board.report") or 0
    alive.wait_for_version("board.report", report + 1)
    alive.wait_until_quiet()

    assert asked(alive) == one_more(before, *PRODUCTS)


def test_a_daemon_that_is_killed_in_the_middle_loses_nothing_and_repeats_nothing(alive: Alive) -> None:
    before, report = asked(alive), alive.shop.head("board.report") or 0
    alive.deliver_orders(90)
    alive.wait_for("a request", lambda: sum(asked(alive).values()) > sum(before.values()))
    alive.kill("daemon")
    alive.start_daemon()

    alive.wait_for_version("board.report", report + 1)
    alive.wait_until_quiet()

    assert asked(alive) == one_more(before, *PRODUCTS)
