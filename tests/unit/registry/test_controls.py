"""Pauses, holds of what uses a product, announcements, and their history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from mesh_assets.capabilities.registry.controls import why_not
from mesh_assets.words.controls import Announcement, AnnouncementKind, NothingPaused, UnknownAnnouncement
from mesh_assets.words.versions import InputVersion
from tests.unit.registry.conftest import FIELDS, ORDERS, STOCK, certificate, release


def test_a_paused_domain_stops_its_products_and_no_other(registry):
    registry.pause("shop", "the till is being replaced", "ann")

    told = why_not(registry, ORDERS)

    assert told is not None
    assert all(
        word in told for word in ("shop.orders", "ann", "the till is being replaced", "mesh resume shop")
    )
    assert why_not(registry, FIELDS) is None


def test_a_paused_product_stops_alone_until_it_is_resumed(registry):
    registry.pause("shop.orders", "bad week", "ann")
    assert why_not(registry, ORDERS) is not None
    assert why_not(registry, STOCK) is None

    registry.resume("shop.orders", "bob")

    assert why_not(registry, ORDERS) is None


def test_a_pause_with_an_end_is_over_by_itself(registry):
    now = datetime.now(UTC)
    registry.pause("shop", "inventory", "ann", until=now + timedelta(hours=1))

    assert set(registry.paused()) == {"shop"}
    assert registry.paused(now + timedelta(hours=2)) == {}


def test_who_paused_and_who_resumed_stays_on_record(registry):
    registry.pause("shop", "first", "ann")
    registry.pause("shop", "second", "bob")
    registry.resume("shop", "cid")

    newest, oldest = registry.pauses("shop")

    assert (newest.reason, newest.who, newest.ended_by) == ("second", "bob", "cid")
    assert (oldest.reason, oldest.who, oldest.ended_by) == ("first", "ann", "bob")
    assert registry.paused(newest.since)["shop"].reason == "second"


def test_nothing_paused_cannot_be_resumed(registry):
    with pytest.raises(NothingPaused, match="shop is not paused"):
        registry.resume("shop", "ann")


def test_a_hold_stops_what_reads_the_product_and_not_the_product(registry):
    release(registry, "run1", STOCK)
    read = InputVersion(product=STOCK, number=1, snapshot=7, fingerprint="x")
    made = certificate(ORDERS, run_id="run2", inputs=(read,))
    registry.release([made], expected={ORDERS: None}, reads={STOCK: 1}, who="ann", run_id="run2")

    registry.hold_users(STOCK, "columns change on Monday", "ann")

    assert why_not(registry, STOCK) is None
    assert "mesh let-go shop.stock" in (why_not(registry, ORDERS) or "")  # from what its version was made of
    assert why_not(registry, FIELDS) is None
    assert why_not(registry, FIELDS, needs=[STOCK]) is not None  # from what its recipe declares
    registry.let_users_go(STOCK, "bob")
    assert why_not(registry, ORDERS) is None


def test_announcements_stand_by_their_day_until_withdrawn(registry):
    def announced(on: date, text: str) -> Announcement:
        moment = datetime.now(UTC)
        return registry.announce(Announcement(0, ORDERS, AnnouncementKind.BREAKING, on, text, "ann", moment))

    later = announced(date(2030, 2, 1), "amount becomes cents")
    sooner = announced(date(2030, 1, 1), "order_id becomes text")

    assert registry.announcements() == [sooner, later]
    assert registry.announcements(STOCK) == []
    registry.withdraw(sooner.number, "bob")
    assert registry.announcements(ORDERS) == [later]
    with pytest.raises(UnknownAnnouncement):
        registry.withdraw(sooner.number, "bob")
