"""A mesh that runs by itself: what starts, what goes on when something dies, and what is told.

One file, because the servers of one module take half a minute to start.
"""

from __future__ import annotations

import os
import signal

import pytest

from mesh_assets.words.errors import PromiseBroken
from tests.daemon.alive import Alive
from tests.daemon.door import has_begun, open_door, shut_door
from tests.receivers import Receiver

PRODUCTS = ("books.revenue", "depot.parcels", "board.report")
TERMINATE = """mutation($run: String!) { terminateRun(runId: $run) { __typename } }"""
STATES = """{ assetOrError(assetKey: {path: ["journeys", "reporting"]}) { ... on Asset {
  assetMaterializations(limit: 5) { metadataEntries { label ... on TextMetadataEntry { text } } } } } }"""


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


def begun(alive: Alive) -> str:
    """A run of depot.night whose recipe waits for the door; its id."""
    shut_door(alive.shop)
    run = alive.launch("depot.night")
    alive.wait_for("its recipe", lambda: has_begun(alive.shop))
    return run


def ends(alive: Alive, run: str, status: str) -> None:
    alive.wait_for(f"{run} as {status}", lambda: alive.status(run) == status)
    alive.wait_for("the end of its process", lambda: alive.process_of(run) is None)


def test_a_run_is_forked_from_a_process_that_is_warm_and_can_be_stopped(alive: Alive) -> None:
    run = begun(alive)
    (warm,) = [each.tags.get("mesh/warm") for each in alive.runs() if each.id == run]

    assert alive.ask(TERMINATE, run=run)["terminateRun"]["__typename"] == "TerminateRunSuccess"

    ends(alive, run, "CANCELED")
    assert warm == "true"
    assert alive.shop.head("depot.night") is None


def test_a_run_that_dies_while_it_is_being_stopped_is_shown_as_stopped(alive: Alive) -> None:
    run = begun(alive)
    process = alive.process_of(run) or 0

    os.kill(process, signal.SIGSTOP)  # as if it were busy elsewhere
    alive.ask(TERMINATE, run=run)
    os.kill(process, signal.SIGKILL)

    ends(alive, run, "CANCELED")


def test_a_run_whose_process_is_killed_has_failed_at_once(alive: Alive) -> None:
    run = begun(alive)

    os.kill(alive.process_of(run) or 0, signal.SIGKILL)

    ends(alive, run, "FAILURE")
    assert alive.shop.head("depot.night") is None


def test_a_run_outlives_daemon_webserver_and_location_and_is_not_started_twice(alive: Alive) -> None:
    run, before = begun(alive), len(alive.runs())
    for name in ("daemon", "webserver", "depot"):
        alive.kill(name)
    alive.start_location("depot")
    alive.start_daemon()
    alive.start_webserver()
    assert alive.status(run) == "STARTED"

    open_door(alive.shop)

    ends(alive, run, "SUCCESS")
    alive.wait_until_quiet()
    assert alive.shop.head("depot.night") == 1
    assert len(alive.runs()) == before


def states(alive: Alive) -> list[str]:
    """The journey's states as Dagster was told of them, the newest first."""
    found = alive.ask(STATES)["assetOrError"].get("assetMaterializations", ())
    return [entry["text"] for each in found for entry in each["metadataEntries"] if entry["label"] == "state"]


def test_a_refusal_is_told_once_sent_as_lineage_and_seen_by_the_journey_and_so_is_its_end(
    alive: Alive, told: Receiver
) -> None:
    with pytest.raises(PromiseBroken):
        alive.deliver_orders(50, "4,-1")
    alive.wait_for("an alert", lambda: "shop.orders" in str(alerts(told)))
    alive.wait_for("lineage", lambda: ("FAIL", "shop.orders") in lineage(told))
    alive.wait_for("the journey's state", lambda: states(alive)[:1] == ["failed_tests"])

    alive.deliver_orders(60)

    alive.wait_for("a recovery", lambda: len(alerts(told)) > 1)
    alive.wait_for("more lineage", lambda: ("COMPLETE", "shop.orders") in lineage(told))
    alive.wait_for("the journey's state", lambda: states(alive)[:1] == ["on_time"])
    assert len(alerts(told)) == 2


def alerts(told: Receiver) -> list[object]:
    return [body for body in told.bodies if "eventType" not in body]


def lineage(told: Receiver) -> set[tuple[str, str]]:
    events = [body for body in told.bodies if "eventType" in body]
    return {(each["eventType"], each["job"]["name"]) for each in events}
