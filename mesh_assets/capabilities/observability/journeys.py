"""How runs of a journey went: one state per period, from facts alone.

Here: periods, and the state of one (`evaluate`, a pure function). Not here: where the facts come from
(journey_facts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from mesh_assets.words.cron import last_tick, moment_of, read_cron, ticks
from mesh_assets.words.journeys import (
    Expectation,
    Instance,
    Journey,
    JourneyState,
    JourneyStep,
    Period,
    StepResult,
)
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome

GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)
#: Targets that no step names are the last step.
REST = "the_rest"
#: How expectations about numbers of rows are called; the product follows.
ROWS = "rows_of_"


@dataclass(frozen=True)
class Made:
    """A build of a product that ended, or a look that found nothing to do."""

    product: ProductName
    at: datetime
    outcome: BuildOutcome
    rows: int | None = None
    #: Rules that did not pass, warnings included.
    unkept: int = 0
    #: When the version that readers see then was published.
    published: datetime | None = None


@dataclass(frozen=True)
class Reported:
    """What another tool said of a job of its own."""

    job: str
    at: datetime
    good: bool


@dataclass(frozen=True)
class Facts:
    made: tuple[Made, ...] = ()
    reported: tuple[Reported, ...] = ()

    def within(self, period: Period, now: datetime) -> Facts:
        end = now if period.end is None else min(now, period.end)

        def inside(at: datetime) -> bool:
            return period.begin <= at <= end and at != period.end

        return Facts(
            tuple(sorted((each for each in self.made if inside(each.at)), key=_by_time)),
            tuple(sorted((each for each in self.reported if inside(each.at)), key=_by_report)),
        )


def _by_time(made: Made) -> tuple[datetime, str, str, str]:
    """Facts of one moment have one order as well, whoever brings them."""
    return made.at, str(made.product), str(made.outcome), f"{made.rows} {made.unkept} {made.published}"


def _by_report(said: Reported) -> tuple[datetime, str, bool]:
    return said.at, said.job, said.good


def periods(journey: Journey, published: Iterable[datetime], now: datetime, count: int) -> list[Period]:
    """The last periods that have begun, newest first; `published`: releases of the journey's trigger."""
    if journey.cron:
        begins = _last_ticks(journey, now, count)
        zone, cron = ZoneInfo(journey.zone), read_cron(journey.cron)
        following = next(ticks(cron, zone, begins[-1]), None) if begins else None
    else:
        begins = sorted({moment for moment in published if moment <= now})[-count:]
        following = None
    ends: list[datetime | None] = [*begins[1:], following]
    made = [Period(begin, end, _deadline(journey, begin)) for begin, end in zip(begins, ends, strict=False)]
    return made[::-1]


def owed(found: Sequence[Period], since: datetime) -> list[Period]:
    """Of periods, newest first, the newest and those that did not end before something was owed. A deadline
    that had passed by then binds nobody; the end of its period does.
    """
    mine = [each for number, each in enumerate(found) if not number or (each.end and each.end > since)]
    return [
        replace(each, deadline=None, waived=each.deadline)
        if each.deadline and each.deadline < since
        else each
        for each in mine
    ]


def _last_ticks(journey: Journey, now: datetime, count: int) -> list[datetime]:
    zone, cron = ZoneInfo(journey.zone), read_cron(journey.cron)
    found: list[datetime] = []
    moment = now
    while len(found) < count and (tick := last_tick(cron, zone, moment)) is not None:
        found.append(tick)
        moment = tick - timedelta(seconds=1)
    return found[::-1]


def next_periods(journey: Journey, now: datetime, count: int) -> list[datetime]:
    """When the next runs of a scheduled journey begin."""
    if not journey.cron:
        return []
    return list(islice(ticks(read_cron(journey.cron), ZoneInfo(journey.zone), now), count))


def _deadline(journey: Journey, begin: datetime) -> datetime | None:
    by = journey.ready_by
    if by is None:
        return None
    zone = ZoneInfo(by.zone)
    day = begin.astimezone(zone).date() + timedelta(days=by.days)
    deadline = _at(zone, day, by.hour, by.minute)
    # Begun after that time of day: the next day's is meant.
    return deadline if deadline >= begin else _at(zone, day + timedelta(days=1), by.hour, by.minute)


def _at(zone: ZoneInfo, day: date, hour: int, minute: int) -> datetime:
    return moment_of(zone, datetime(day.year, day.month, day.day, hour, minute))  # noqa: DTZ001 - a wall clock


def evaluate(journey: Journey, period: Period, facts: Facts, now: datetime) -> Instance:
    """How the journey's run of this period stands at a moment. Only facts of the period, up to now, count."""
    known = facts.within(period, now)
    steps = _steps(journey)
    firsts = [_done(step, known, period.begin) for step in steps]
    dones = _chain(steps, known, period.begin) if journey.in_order else firsts
    ready = max((each for each in dones if each), default=period.begin) if all(dones) else None
    results = tuple(
        _result(step, done, first, known) for step, done, first in zip(steps, dones, firsts, strict=True)
    )
    promises = _expectations(journey, period, known, _Moments(ready, all(firsts), now))
    state, told = _state(period, known, results, promises, _Moments(ready, all(firsts), now))
    if period.waived and state.good:
        told = f"{told}; the deadline {_clock(period.waived)} passed before anything was owed"
    return Instance(
        journey=journey.name,
        period=period,
        state=state,
        told=told,
        ready=ready,
        steps=results,
        expectations=promises,
    )


@dataclass(frozen=True)
class _Moments:
    ready: datetime | None
    #: Every step was done at some time, in whatever order.
    all_done: bool
    now: datetime


def _steps(journey: Journey) -> list[JourneyStep]:
    named = {name for step in journey.steps for name in step.products}
    rest = tuple(name for name in journey.targets if name not in named)
    return [*journey.steps, *([JourneyStep(REST, products=rest)] if rest else [])]


def _done(step: JourneyStep, facts: Facts, since: datetime) -> datetime | None:
    """When the whole step was first done, not before a moment."""
    if step.external:
        good = (each.at for each in facts.reported if _is(each, step) and each.good)
        return next((at for at in good if at >= since), None)
    moments = []
    for name in step.products:
        good = (each.at for each in facts.made if each.product == name and each.outcome in GOOD)
        moments.append(next((at for at in good if at >= since), None))
    return max((at for at in moments if at), default=None) if all(moments) else None


def _is(reported: Reported, step: JourneyStep) -> bool:
    return reported.job == step.external


def _chain(steps: Sequence[JourneyStep], facts: Facts, begin: datetime) -> list[datetime | None]:
    """Each step's moment after the one before it; nothing comes after a step that was not done."""
    found: list[datetime | None] = []
    since: datetime | None = begin
    for step in steps:
        since = None if since is None else _done(step, facts, since)
        found.append(since)
    return found


def _result(step: JourneyStep, done: datetime | None, first: datetime | None, facts: Facts) -> StepResult:
    if done is not None:
        return StepResult(step.name, done, first=first)
    if first is not None:
        return StepResult(step.name, None, f"done at {_clock(first)}, before the step in front of it", first)
    if step.external:
        bad = [each for each in facts.reported if _is(each, step)]
        told = f"{step.external} reported a failure" if bad else f"{step.external} has not reported"
        return StepResult(step.name, None, told)
    last = _last(facts)
    waits = []
    for name in step.products:
        made = last.get(name)
        if made is None:
            waits.append(f"{name} not built")
        elif made.outcome not in GOOD:
            waits.append(f"{name} {made.outcome}")
    return StepResult(step.name, None, ", ".join(waits))


def _last(facts: Facts) -> dict[ProductName, Made]:
    return {each.product: each for each in facts.made}


def _expectations(
    journey: Journey, period: Period, facts: Facts, moments: _Moments
) -> tuple[Expectation, ...]:
    """What the journey promises, and whether it is kept; None where that is open."""
    due = period.deadline
    over = moments.now > (due or period.end or moments.now)
    complete = True if moments.ready else False if over else None
    found = [Expectation("complete", complete, "every step is done")]
    if journey.ready_by is not None and due is not None:
        kept = moments.ready <= due if moments.ready else (False if moments.now > due else None)
        found.append(Expectation("ready_by", kept, f"ready by {journey.ready_by.told()}"))
    elif journey.ready_by is not None and period.waived is not None:
        told = f"ready by {journey.ready_by.told()}, which was over before anything was owed"
        found.append(Expectation("ready_by", None, told))
    if journey.in_order:
        kept = True if moments.ready else False if moments.all_done else None
        found.append(Expectation("steps_in_order", kept, "each step after the one before it"))
    return (*found, *_content(journey, facts, moments.ready))


def _content(journey: Journey, facts: Facts, ready: datetime | None) -> list[Expectation]:
    """Promises about what is in the products."""
    last, found = _last(facts), []
    good = {name: made for name, made in last.items() if made.outcome in GOOD}
    for name, bounds in journey.rows.items():
        rows = good[name].rows if name in good else None
        kept = None if rows is None else bounds.holds(rows)
        told = f"{name}: {bounds.told()}" + ("" if rows is None else f", has {rows:,}")
        found.append(Expectation(f"{ROWS}{name.domain}_{name.product}", kept, told))
    if journey.all_checks:
        unkept = {name: made.unkept for name, made in good.items() if made.unkept}
        told = ", ".join(f"{name}: {count} rules not kept" for name, count in unkept.items())
        kept = False if unkept else True if ready else None
        found.append(Expectation("all_checks_passed", kept, told or "every rule of every step"))
    if journey.at_most_old is not None:
        dates = [made.published for name, made in good.items() if name in journey.targets and made.published]
        kept = ready - min(dates) <= journey.at_most_old if ready and dates else None
        found.append(Expectation("at_most_old", kept, f"published at most {journey.at_most_old} before"))
    return found


def _state(
    period: Period,
    facts: Facts,
    results: Sequence[StepResult],
    promises: Sequence[Expectation],
    moments: _Moments,
) -> tuple[JourneyState, str]:
    broken = {each.name: each for each in promises if each.kept is False}
    refused = [name for name, made in _last(facts).items() if made.outcome is BuildOutcome.REFUSED]
    content = [each for name, each in broken.items() if name.startswith(ROWS) or name == "all_checks_passed"]
    if refused or content:
        broke = [f"{name} was refused" for name in sorted(refused)] + [each.told for each in content]
        return JourneyState.FAILED_TESTS, "; ".join(broke)
    missing = "; ".join(f"{each.step}: {each.told}" for each in results if each.done is None)
    if moments.ready is None and moments.all_done:
        return JourneyState.OUT_OF_SEQUENCE, missing
    if moments.ready is not None:
        return _ready(moments.ready, broken)
    due = period.deadline or period.end
    if due is None or moments.now <= due:
        return JourneyState.RUNNING, missing
    if not facts.made and not facts.reported:
        return JourneyState.MISSING, f"nothing was done by {_clock(due)}"
    return JourneyState.INCOMPLETE, missing


def _ready(ready: datetime, broken: Mapping[str, Expectation]) -> tuple[JourneyState, str]:
    late = [each.told for name, each in broken.items() if name in ("ready_by", "at_most_old")]
    if late:
        return JourneyState.LATE, f"ready at {_clock(ready)}, promised: {'; '.join(late)}"
    return JourneyState.ON_TIME, f"ready at {_clock(ready)}"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
