"""The state of a journey's run follows from facts, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.observability.journey_facts import instances
from mesh_assets.capabilities.observability.journeys import (
    Facts,
    Made,
    Reported,
    evaluate,
    owed,
    periods,
)
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.cron import CronRefused, last_tick, read_cron, ticks
from mesh_assets.words.journeys import Journey, JourneyState, JourneyStep, Period, ReadyBy, RowBounds
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop

ORDERS, REVENUE = ProductName("shop", "orders"), ProductName("books", "revenue")
SIX = datetime(2024, 3, 4, 6, tzinfo=UTC)
JOURNEY = Journey(
    name="takings",
    description="",
    targets=(REVENUE,),
    place=Place("takings.yaml", 1, 1),
    cron="0 6 * * *",
    steps=(
        JourneyStep("till", products=(ORDERS,)),
        JourneyStep("bank", external="bank_sync"),
        JourneyStep("count", products=(REVENUE,)),
    ),
    ready_by=ReadyBy(8, 0, "UTC"),
    at_most_old=timedelta(days=2),
    rows={REVENUE: RowBounds(1, 10)},
    in_order=True,
)
PERIOD = Period(SIX, SIX + timedelta(days=1), SIX + timedelta(hours=2))
NOON = SIX + timedelta(hours=6)


def made(product: ProductName, minute: float, outcome: str = "published", **more: object) -> Made:
    at = SIX + timedelta(minutes=minute)
    facts = {"rows": 5, "published": at, **more}
    return Made(product, at, BuildOutcome(outcome), **facts)  # type: ignore[arg-type]


def said(minute: float, *, good: bool = True) -> Reported:
    return Reported("bank_sync", SIX + timedelta(minutes=minute), good)


def state(*facts: Made | Reported, now: datetime = NOON, journey: Journey = JOURNEY) -> str:
    known = Facts(
        tuple(each for each in facts if isinstance(each, Made)),
        tuple(each for each in facts if isinstance(each, Reported)),
    )
    return str(evaluate(journey, PERIOD, known, now).state)


WELL = (made(ORDERS, 10), said(20), made(REVENUE, 30))


@pytest.mark.parametrize(
    ("wanted", "facts"),
    [
        ("on_time", WELL),
        ("on_time", (made(ORDERS, 1, "refused"), *WELL)),
        ("on_time", (made(ORDERS, 10, "unchanged"), said(20), made(REVENUE, 30, "unchanged"))),
        ("late", (made(ORDERS, 10), said(20), made(REVENUE, 121))),
        ("late", (*WELL[:2], made(REVENUE, 30, "unchanged", published=SIX - timedelta(days=3)))),
        ("missing", ()),
        ("missing", (made(ORDERS, -10), said(-5), made(REVENUE, -1))),
        ("missing", (made(ORDERS, 24 * 60),)),
        ("incomplete", (made(ORDERS, 10),)),
        ("incomplete", (made(ORDERS, 10), said(20, good=False), made(REVENUE, 30))),
        ("incomplete", (made(ORDERS, 10), said(20), made(REVENUE, 30, "failed"))),
        ("out_of_sequence", (made(REVENUE, 5), made(ORDERS, 10), said(20))),
        ("on_time", (made(REVENUE, 5), made(ORDERS, 10), said(20), made(REVENUE, 25))),
        ("failed_tests", (*WELL, made(REVENUE, 40, "refused"))),
        ("failed_tests", (*WELL[:2], made(REVENUE, 30, rows=11))),
    ],
)
def test_what_happened_decides_the_state(wanted: str, facts: tuple[Made | Reported, ...]) -> None:
    assert state(*facts) == wanted


def test_a_run_is_running_until_its_deadline() -> None:
    assert state(now=SIX + timedelta(hours=1)) == "running"
    assert state(made(ORDERS, 10), now=PERIOD.deadline or NOON) == "running"
    assert state(made(ORDERS, 10), now=NOON) == "incomplete"


def test_warnings_fail_a_journey_only_if_all_checks_are_to_pass() -> None:
    facts = (*WELL[:2], made(REVENUE, 30, unkept=1))

    assert state(*facts) == "on_time"
    assert state(*facts, journey=replace(JOURNEY, all_checks=True)) == "failed_tests"


def test_without_order_steps_may_come_as_they_like() -> None:
    facts = (made(REVENUE, 5), made(ORDERS, 10), said(20))

    assert state(*facts, journey=replace(JOURNEY, in_order=False)) == "on_time"


facts_of_any_kind = st.lists(
    st.one_of(
        st.builds(
            made,
            st.sampled_from([ORDERS, REVENUE]),
            st.integers(-200, 2000),
            st.sampled_from([str(each) for each in BuildOutcome]),
            rows=st.one_of(st.none(), st.integers(0, 20)),
            unkept=st.integers(0, 2),
        ),
        st.builds(said, st.integers(-200, 2000), good=st.booleans()),
    ),
    max_size=12,
)
moments = st.integers(0, 3000).map(lambda minutes: SIX + timedelta(minutes=minutes))


@settings(max_examples=150, deadline=None)
@given(facts_of_any_kind, moments)
def test_every_set_of_facts_has_one_state_whatever_their_order(
    facts: list[Made | Reported], now: datetime
) -> None:
    assert state(*facts, now=now) == state(*facts[::-1], now=now)


@settings(max_examples=150, deadline=None)
@given(facts_of_any_kind, moments)
def test_what_lies_outside_the_period_or_in_the_future_changes_nothing(
    facts: list[Made | Reported], now: datetime
) -> None:
    end = min(now, PERIOD.end or now)
    inside = [each for each in facts if SIX <= each.at <= end and each.at != PERIOD.end]

    assert state(*facts, now=now) == state(*inside, now=now)


@settings(max_examples=150, deadline=None)
@given(facts_of_any_kind, moments, st.integers(0, 5000))
def test_time_alone_only_ends_a_run_that_is_running(
    facts: list[Made | Reported], now: datetime, minutes: int
) -> None:
    """Nothing that was decided is decided differently because a clock went on."""
    known = [each for each in facts if each.at <= now]
    before, after = state(*known, now=now), state(*known, now=now + timedelta(minutes=minutes))

    assert before == after or (before == "running" and after in ("missing", "incomplete"))


@settings(max_examples=100, deadline=None)
@given(facts_of_any_kind, st.lists(st.integers(0, 30), min_size=3, max_size=3).map(sorted))
def test_doing_all_steps_again_in_order_and_in_time_puts_anything_right(
    facts: list[Made | Reported], minutes: list[int]
) -> None:
    early = [each for each in facts if each.at < SIX + timedelta(minutes=60)]
    first, second, third = (60 + minute for minute in minutes)
    again = [made(ORDERS, first), said(second), made(REVENUE, third)]

    assert state(*early, *again) == "on_time"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Vienna"])
@pytest.mark.parametrize("cron", ["0 6 * * 1", "30 2 * * *", "30 1 * * *", "0 3 1 * *", "15 */6 * * mon-fri"])
def test_schedules_tick_as_dagster_ticks_through_changes_of_the_clock(cron: str, zone: str) -> None:
    from dagster._utils.schedules import cron_string_iterator

    begin = datetime(2024, 1, 1, tzinfo=UTC)
    ours = list(islice(ticks(read_cron(cron), ZoneInfo(zone), begin - timedelta(seconds=1)), 330))
    theirs = [
        each.astimezone(UTC) for each in islice(cron_string_iterator(begin.timestamp(), cron, zone), 330)
    ]

    assert ours == theirs
    assert last_tick(read_cron(cron), ZoneInfo(zone), ours[7] + timedelta(seconds=30)) == ours[7]


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "x * * * *", "0 0 0 * *"]
)
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CronRefused):
        read_cron(text)


def test_periods_follow_each_other_without_gap_and_deadlines_keep_their_wall_clock() -> None:
    journey = replace(JOURNEY, zone="Europe/Vienna", ready_by=ReadyBy(8, 0, "Europe/Vienna"))

    found = periods(journey, (), datetime(2024, 4, 2, tzinfo=UTC), 5)

    assert [each.end for each in found[1:]] == [each.begin for each in found[:-1]]
    clocks = [each.deadline.astimezone(ZoneInfo("Europe/Vienna")).hour for each in found if each.deadline]
    assert clocks == [8] * 5  # the clock changed on 31 March


def test_a_triggered_journey_has_a_period_per_publication() -> None:
    journey = replace(JOURNEY, cron="", trigger=ORDERS, ready_by=ReadyBy(5, 0, "UTC"))
    published = [SIX, SIX + timedelta(hours=3), SIX + timedelta(days=9)]

    found = periods(journey, published, NOON, 5)

    assert [(each.begin, each.end) for each in found] == [(published[1], None), (SIX, published[1])]
    assert found[0].deadline == SIX + timedelta(hours=23)  # begun after five: the next day's five


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        (SIX - timedelta(days=9), "late"),
        (SIX + timedelta(hours=1), "late"),  # begun before eight, done after it
        (SIX + timedelta(hours=3), "on_time"),
    ],
)
def test_a_deadline_binds_only_who_existed_when_it_passed(since: datetime, wanted: str) -> None:
    (period,) = owed([PERIOD], since)
    facts = Facts((made(ORDERS, 190), made(REVENUE, 195)), (said(192),))

    found = evaluate(JOURNEY, period, facts, NOON)

    assert found.state == wanted
    promise = next(each for each in found.expectations if each.name == "ready_by")
    assert promise.kept is (None if wanted == "on_time" else False)


def test_after_a_deadline_that_bound_nobody_the_end_of_the_period_does() -> None:
    (period,) = owed([PERIOD], SIX + timedelta(hours=3))
    facts, end = Facts((made(ORDERS, 190),)), SIX + timedelta(days=1)

    assert evaluate(JOURNEY, period, facts, NOON).state == "running"
    assert evaluate(JOURNEY, period, facts, end + timedelta(minutes=1)).state == "incomplete"


def test_periods_that_were_over_before_anything_was_owed_are_none() -> None:
    known = periods(JOURNEY, (), NOON, 5)

    begins = [each.begin for each in owed(known, NOON - timedelta(days=2))]
    assert begins == [each.begin for each in known[:3]]
    assert [each.begin for each in owed(known, NOON + timedelta(days=9))] == [known[0].begin]


@pytest.mark.parametrize(("since", "wanted"), [(None, "on_time"), (datetime(2020, 1, 1, tzinfo=UTC), "late")])
def test_a_fresh_mesh_owes_nothing_of_the_time_before_it_unless_the_journey_says_so(
    shop: Shop, since: datetime | None, wanted: str
) -> None:
    journey = Journey(
        name="yearly",
        description="",
        targets=(ORDERS,),
        place=JOURNEY.place,
        cron="0 0 1 1 *",
        ready_by=ReadyBy(0, 0, "UTC"),
        since=since,
    )
    with open_registry(shop.settings) as registry:
        before = instances(registry, journey)
        shop.build("shop.orders")
        after = instances(registry, journey)

    assert before[0].state == ("missing" if since else "running")
    assert after[0].state == wanted


def test_every_state_can_be_told_apart() -> None:
    assert {each.good for each in JourneyState} == {True, False}
