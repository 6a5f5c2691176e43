"""A journey's file is read strictly: a slip is told with its file, line, value and what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh_assets.capabilities.lineage.journeys import find_journey, members, read_journeys
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.journeys import JourneyStep, ReadyBy, RowBounds, UnknownJourney
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import read_settings
from tests.shop import Shop

ORDERS, REVENUE = ProductName("shop", "orders"), ProductName("books", "revenue")
TAKINGS = """name: takings
description: What was taken.
targets: [books.revenue]
schedule: {cron: "0 6 * * 1", timezone: Europe/Vienna}
steps:
  - {name: till, products: [shop.orders]}
  - {name: bank, external: bank_sync, within: 2h}
expectations:
  ready_by: {time: "08:00"}
  at_most_old: 8d
  rows: {books.revenue: {minimum: 1, maximum: 9}}
  steps_in_order: true
owners: [owner@example.com]
told: [owner]
"""


def write(shop: Shop, text: str = TAKINGS, name: str = "takings") -> Path:
    path = shop.root / "journeys" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def mesh(shop: Shop) -> Mesh:
    return read_mesh(shop.settings)


def test_a_journey_is_read_with_all_that_it_says(shop: Shop, mesh: Mesh) -> None:
    write(shop)

    (journey,) = read_journeys(shop.settings, mesh)

    assert (journey.cron, journey.zone, journey.targets) == ("0 6 * * 1", "Europe/Vienna", (REVENUE,))
    assert journey.steps == (
        JourneyStep("till", products=(ORDERS,)),
        JourneyStep("bank", external="bank_sync", within=timedelta(hours=2)),
    )
    assert journey.ready_by == ReadyBy(8, 0, "Europe/Vienna")
    assert journey.rows == {REVENUE: RowBounds(1, 9)}
    assert members(mesh, journey) == {ORDERS, REVENUE}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("description: What was taken.\n", "", 1, "`description` is missing"),
        ("owners:", "owner:", 13, "Did you mean owners?"),
        ("name: takings", "name: taking", 1, "the file is takings.yaml"),
        ("name: takings", "name: shop", 1, "the file is takings.yaml"),
        ("[books.revenue]", "[books.revenu]", 3, "Did you mean books.revenue?"),
        ('"0 6 * * 1"', '"0 6 * *"', 4, "it has 4 fields"),
        ('"0 6 * * 1"', '"0 6 31 2 *"', 4, "names no day of any year"),
        ("Europe/Vienna", "Europe/Wien", 4, "'Europe/Wien' is no time zone"),
        ("external: bank_sync", "external: bank_sync, products: [shop.orders]", 7, "Write one of the two"),
        ("owners:", "since: soon\nowners:", 13, "'soon' is no day"),
        ("within: 2h", "within: soon", 7, "soon"),
        ('"08:00"', '"8 am"', 9, "'8 am' is no time of day"),
        ("minimum: 1", "minimum: 10", 11, "no number of rows"),
        ("rows: {books.revenue", "rows: {shop.orders", 11, "no target of the journey"),
        ("steps_in_order: true", "steps_in_order: maybe", 12, "write true or false"),
        (
            "schedule: {",
            "trigger: {published: shop.orders}\nschedule: {",
            1,
            "Write one of schedule and trigger",
        ),
    ],
)
def test_a_slip_is_told_with_its_place(
    shop: Shop, mesh: Mesh, old: str, new: str, line: int, said: str
) -> None:
    path = write(shop, TAKINGS.replace(old, new, 1))

    with pytest.raises(DocumentMalformed) as caught:
        read_journeys(shop.settings, mesh)

    assert f"{path}:{line}:" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("day", ["2026-12-01", '"2026-12-01"'])
def test_a_journey_says_since_when_it_owes_anything_in_its_own_time_zone(
    shop: Shop, mesh: Mesh, day: str
) -> None:
    write(shop, f"{TAKINGS}since: {day}\n")

    (journey,) = read_journeys(shop.settings, mesh)

    assert journey.since == datetime(2026, 11, 30, 23, tzinfo=UTC)


def test_an_unknown_journey_names_its_neighbour(shop: Shop, mesh: Mesh) -> None:
    write(shop)

    with pytest.raises(UnknownJourney, match="Did you mean takings"):
        find_journey(shop.settings, mesh, "taking")


def test_the_examples_journeys_are_read() -> None:
    settings = read_settings({})

    found = read_journeys(settings, read_mesh(settings))

    assert [each.name for each in found] == ["call_planning", "spend_transparency", "weekly_brand_scorecard"]
