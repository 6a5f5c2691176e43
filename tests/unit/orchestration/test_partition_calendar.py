"""Weeks and months are dates: the same for the mesh and for Dagster, whatever clocks do."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.capabilities.orchestration.partitions import partitions
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import MONTH, WEEK, beginning, days_of, overlapping

NAME = ProductName("shop", "orders")
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock is elsewhere."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("every", "first", "until"),
    [
        (WEEK, date(2020, 12, 21), date(2021, 1, 18)),  # ISO week 53 of 2020
        (WEEK, date(2024, 3, 4), date(2024, 4, 15)),  # clocks go forward
        (WEEK, date(2024, 10, 7), date(2024, 11, 25)),  # clocks go back
        (WEEK, date(2023, 12, 18), date(2024, 1, 15)),
        (MONTH, date(2023, 11, 1), date(2025, 4, 1)),
        (WEEK, date(2025, 12, 1), None),
        (MONTH, date(2025, 1, 1), None),
    ],
)
def test_the_mesh_and_dagster_have_the_same_keys(every: str, first: date, until: date | None) -> None:
    cut = Partitioning("day", every, first, until)
    definition = partitions(NAME, cut)

    assert definition is not None
    assert all_partitions(cut) == tuple(definition.get_partition_keys())
    assert all_partitions(cut)


def test_iso_week_53_is_a_week_like_any_other_and_is_in_both_years() -> None:
    assert overlapping("2020-12-28", WEEK, MONTH) == ("2020-12-01", "2021-01-01")


def test_a_month_with_five_mondays_has_five_weeks_or_six_that_overlap_it() -> None:
    assert overlapping("2024-07-01", MONTH, WEEK) == tuple(f"2024-07-{day:02}" for day in (1, 8, 15, 22, 29))
    assert len(overlapping("2024-12-01", MONTH, WEEK)) == 6


def test_a_february_of_four_weeks_overlaps_four() -> None:
    assert len(overlapping("2021-02-01", MONTH, WEEK)) == 4


@given(DAYS)
def test_each_month_of_a_week_has_that_week_and_no_other_month_has_it(day: date) -> None:
    week = str(beginning(WEEK, day))
    months = overlapping(week, WEEK, MONTH)
    days = {str((beginning(WEEK, day) + timedelta(days=n)).replace(day=1)) for n in range(7)}

    assert set(months) == days
    assert all(week in overlapping(month, MONTH, WEEK) for month in months)


@given(DAYS)
def test_the_weeks_of_a_month_follow_each_other_and_cover_it(day: date) -> None:
    month = str(day.replace(day=1))
    first, after = days_of(MONTH, month)
    weeks = [days_of(WEEK, week) for week in overlapping(month, MONTH, WEEK)]

    assert weeks[0][0] <= first and weeks[-1][1] >= after
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(weeks))
