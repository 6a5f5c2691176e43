"""Cron in five fields, in a time zone: when a schedule ticks, through changes of the clock.

The same ticks as Dagster's scheduler gives, without importing it. A time that the clock jumps over is taken
at the end of the jump; a time that comes twice is taken the second time, by a schedule of every hour both
times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Name, lowest, highest, words.
Field = tuple[str, int, int, tuple[str, ...]]
FIELDS: tuple[Field, ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, DAYS),
)
_PART = re.compile(r"(?P<low>\*|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>\d+))?\Z")
#: A schedule that ticks on no day of this many is taken for one that never ticks (29 February: 8 years).
_LONGEST = 366 * 9


class CronRefused(ValueError):
    """What is wrong with a schedule."""


@dataclass(frozen=True)
class Cron:
    """A schedule that was read."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    #: Whether day of month, and day of week, are restricted: with both, either is enough.
    by_day: bool
    by_weekday: bool

    def on(self, day: date) -> bool:
        """True if the schedule ticks on that day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        if self.by_day and self.by_weekday:
            return in_month or in_week
        return in_month and in_week


def read_cron(text: str) -> Cron:
    """Read `0 6 * * 1` (Mondays at six). Raises CronRefused."""
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise CronRefused(f"it has {len(parts)} fields; write five: minute hour day month weekday")
    sets = [_numbers(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    weekdays = frozenset(number % 7 for number in sets[4])
    return Cron(
        sets[0], sets[1], sets[2], sets[3], weekdays, by_day=parts[2] != "*", by_weekday=parts[4] != "*"
    )


def _numbers(text: str, field: Field) -> frozenset[int]:
    name, low, high, _ = field
    found: set[int] = set()
    for part in text.lower().split(","):
        match = _PART.match(part)
        if match is None:
            raise CronRefused(f"{part!r} is no {name}")
        if match["low"] == "*":
            first, last = low, high
        else:
            first = _number(match["low"], field)
            last = _number(match["high"], field) if match["high"] else first
            last = high if match["step"] and not match["high"] else last
        step = int(match["step"] or 1)
        if step == 0 or last < first:
            raise CronRefused(f"{part!r} is no range of {name}")
        found |= set(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, field: Field) -> int:
    name, low, high, words = field
    number = words.index(text) + low if text in words else int(text) if text.isdigit() else -1
    if not low <= number <= high:
        raise CronRefused(f"{text!r} is no {name} (from {low} to {high})")
    return number


def ticks(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Moments of the schedule that come after one, in UTC, without end."""
    day, last, empty = after.astimezone(zone).date(), after, 0
    while empty < _LONGEST:
        for moment in _of_day(cron, zone, day):
            if moment > last:
                yield moment
                last, empty = moment, 0
        day += timedelta(days=1)
        empty += 1


def last_tick(cron: Cron, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The newest moment of the schedule that is not after `at`."""
    day = at.astimezone(zone).date()
    for back in range(_LONGEST):
        found = [moment for moment in _of_day(cron, zone, day - timedelta(days=back)) if moment <= at]
        if found:
            return found[-1]
    return None


def _of_day(cron: Cron, zone: ZoneInfo, day: date) -> list[datetime]:
    if not cron.on(day):
        return []
    walls = [
        datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall clock
        for hour in cron.hours
        for minute in cron.minutes
    ]
    found = {moment_of(zone, wall) for wall in walls}
    if len(cron.hours) == 24:
        found |= {moment_of(zone, wall, twice=0) for wall in walls}
    return sorted(found)


def moment_of(zone: ZoneInfo, wall: datetime, *, twice: int = 1) -> datetime:
    """When a wall clock of the zone shows that time, in UTC; of a time that comes twice, the second (1)."""
    moment = wall.replace(tzinfo=zone, fold=twice).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock jumped over it: the end of the jump is the first minute that exists.
    later = wall
    while True:
        later += timedelta(minutes=1)
        moment = later.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == later:
            return moment
