"""What is kept of products that are made by themselves, and how a tick sees that something happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mesh_assets.words.automation import Told, Watched
from mesh_assets.words.versions import BuildOutcome, BuildRecord
from tests.unit.registry.conftest import FIELDS, ORDERS, STOCK, release

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def watched(**facts):
    return Watched(**{"product": STOCK, "rule": "eager", "inputs": (ORDERS,), "since": NOW, **facts})


def build(registry, product, outcome=BuildOutcome.PUBLISHED):
    registry.record_build(BuildRecord(product, "run", outcome, NOW, 1.0))


def test_the_pulse_differs_after_whatever_a_decision_depends_on(registry):
    seen = [registry.pulse()]
    release(registry, "run-1", ORDERS)
    seen.append(registry.pulse())
    build(registry, ORDERS)
    seen.append(registry.pulse())
    registry.pause("shop", "why", "ann")
    seen.append(registry.pulse())
    registry.resume("shop", "ann")
    seen.append(registry.pulse())

    assert len(set(seen)) == len(seen)
    assert registry.pulse() == seen[-1]


def test_what_was_asked_for_survives_another_start_of_its_location(registry):
    assert registry.declare_automation("shop", [watched()])
    kept = watched(seen={ORDERS: "f"}, asked=NOW, token="t", partitions=("a", "b"), after=7, lost=2)
    registry.keep_watched([kept])

    assert not registry.declare_automation("shop", [watched()])
    assert registry.watched([STOCK]) == [kept]


def test_a_changed_rule_replaces_the_old_one_and_a_lost_product_goes(registry):
    registry.declare_automation("shop", [watched(), watched(product=ORDERS, inputs=())])
    registry.declare_automation("farm", [watched(product=FIELDS)])

    assert registry.declare_automation("shop", [watched(rule="all_new")])
    assert registry.watched() == [watched(product=FIELDS), watched(rule="all_new")]


def test_a_picture_has_heads_rules_and_how_requested_builds_ended(registry):
    registry.declare_automation("shop", [watched(), watched(product=ORDERS, inputs=())])
    release(registry, "run-1", ORDERS)
    build(registry, STOCK)
    picture = registry.picture()
    registry.keep_watched([replace(watched(), token="t", after=picture.build)])
    assert picture.heads[ORDERS].fingerprint == registry.version(ORDERS, 1).fingerprint
    assert registry.picture().told == {}

    build(registry, STOCK, BuildOutcome.REFUSED)

    assert registry.picture().told == {STOCK: Told(NOW, good=False)}


def test_a_glimpse_has_the_domain_and_what_it_reads(registry):
    registry.declare_automation("shop", [watched()])
    registry.declare_automation("farm", [watched(product=FIELDS)])
    release(registry, "run-1", ORDERS)
    release(registry, "run-2", FIELDS)

    found = registry.glimpse("shop")

    assert (set(found.watched), set(found.heads)) == ({STOCK}, {ORDERS})
