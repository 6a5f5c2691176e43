"""Pictures of time: was a product fresh, how did a journey's runs go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from markupsafe import Markup

from mesh_assets.capabilities.contracts.sla import ServiceLevel
from mesh_assets.capabilities.observability.lateness import late_since
from mesh_assets.capabilities.portal.drawn import Axis, bar, dot, framed, words
from mesh_assets.capabilities.portal.looks import BAD, BUILDS, GOOD, JOURNEYS, NOTE, clock, span
from mesh_assets.words.journeys import Instance
from mesh_assets.words.versions import BuildOutcome, BuildRecord

FRESHENS = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)
#: Steps in which a promise with a deadline is followed.
STEPS = 240
LEFT, WIDTH = 8, 744


def freshness(level: ServiceLevel | None, builds: Sequence[BuildRecord], now: datetime) -> Markup | None:
    """Builds as points, below them when readers saw what was promised; None without builds."""
    ended = (
        sorted((each.started + timedelta(seconds=each.seconds), each) for each in builds)[-120:]
        if builds
        else []
    )
    if not ended:
        return None
    begin = ended[0][0]
    whole = max(now - begin, timedelta(minutes=10))
    axis = Axis(begin - whole / 40, now + whole / 40, LEFT, WIDTH)
    points = Markup("").join(
        dot(axis.x(at), 24, BUILDS[str(each.outcome)], f"{clock(at)}: {each.outcome}") for at, each in ended
    )
    good = [at for at, each in ended if each.outcome in FRESHENS]
    bars = Markup("").join(
        bar(axis, start, end, y=36, tone=GOOD if fresh else BAD)
        for start, end, fresh in _stretches(level, good, now)
    )
    line = words(axis.x(now), 66, "now", "tick now")
    return framed(axis.drawn(54) + bars + points + line, _freshness_told(level, good, now), 76)


def _freshness_told(level: ServiceLevel | None, good: Sequence[datetime], now: datetime) -> str:
    if level is None:
        return f"{len(good)} good builds over time; nothing is promised about freshness"
    late = late_since(level, good[-1], now) if good else None
    told = f"late since {clock(late)}" if late else "kept now"
    return f"Freshness over time. {level.description}: {told}"


def _stretches(
    level: ServiceLevel | None, good: Sequence[datetime], now: datetime
) -> list[tuple[datetime, datetime, bool]]:
    """(from, to, fresh) without gaps, as far as a promise was there to be kept."""
    if level is None or not good:
        return []
    marks = sorted({*good, now, *(good[0] + (now - good[0]) * part / STEPS for part in range(STEPS))})
    found: list[tuple[datetime, datetime, bool]] = []
    looked = 0
    for start, end in pairwise(marks):
        while looked + 1 < len(good) and good[looked + 1] <= start:
            looked += 1
        since = late_since(level, good[looked], end)
        turn = min(max(since, start), end) if since else end
        found += [part for part in ((start, turn, True), (turn, end, False)) if part[0] < part[1]]
    return _joined(found)


def _joined(parts: Sequence[tuple[datetime, datetime, bool]]) -> list[tuple[datetime, datetime, bool]]:
    found: list[tuple[datetime, datetime, bool]] = []
    for start, end, fresh in parts:
        if found and found[-1][2] is fresh:
            found[-1] = (found[-1][0], end, fresh)
        else:
            found.append((start, end, fresh))
    return found


def journey_history(instances: Sequence[Instance], now: datetime) -> Markup | None:
    """A row per run, the newest above: from its begin to when all was there, with its deadline."""
    if not instances:
        return None
    longest = max(_length(each, now) for each in instances)
    left, width, row = 150, 470, 26
    parts = []
    for number, each in enumerate(instances):
        top = 10 + number * row
        axis = Axis(each.period.begin, each.period.begin + longest, left, width)
        look = JOURNEYS[each.state]
        parts.append(words(0, top + 12, f"{each.period.begin:%a %d %b %H:%M}", "label"))
        end = each.ready or min(now, each.period.end or now)
        parts.append(bar(axis, each.period.begin, end, y=top + 1, tone=look.tone if each.ready else NOTE))
        if each.period.deadline:
            parts.append(_deadline(axis, each.period.deadline, top))
        parts.append(
            words(left + width + 14, top + 12, f"{look.symbol} {look.word}", f"label tone-{look.tone}")
        )
    label = f"{len(instances)} runs; the newest is {JOURNEYS[instances[0].state].word}"
    bottom = 10 + len(instances) * row
    scale = words(left, bottom + 14, "begin", "tick first") + words(
        left + width, bottom + 14, f"{span(longest)} later", "tick last"
    )
    return framed(Markup("").join(parts) + scale, label, bottom + 22)


def _length(each: Instance, now: datetime) -> timedelta:
    ends = [each.ready or min(now, each.period.end or now), each.period.deadline or each.period.begin]
    return max(max(ends) - each.period.begin, timedelta(minutes=1))


def _deadline(axis: Axis, moment: datetime, top: float) -> Markup:
    return Markup('<path class="deadline" d="M{0:.1f} {1:.1f}V{2:.1f}"><title>{3}</title></path>').format(
        axis.x(moment), top - 3, top + 19, f"promised by {clock(moment)}"
    )
