"""Partitions as days: weeks from Monday to Monday, calendar months. Dates alone: no clock change moves them.

The rule between cuts: a partition is made of the partitions that overlap it, those that share a day with it.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

WEEK, MONTH, FILE = "week", "month", "file"
#: Cuts whose partitions are days in a row.
DATED = (WEEK, MONTH)


@lru_cache(maxsize=4096)
def days_of(every: str, key: str) -> tuple[date, date]:
    """The first day of a partition, and the first day after it."""
    first = date.fromisoformat(key)
    return first, following(every, first)


def following(every: str, first: date) -> date:
    """The first day of the partition after the one that begins on `first`."""
    return first + timedelta(weeks=1) if every == WEEK else (first + timedelta(days=31)).replace(day=1)


def beginning(every: str, day: date) -> date:
    """The first day of the partition that a day is in."""
    return day - timedelta(days=day.weekday()) if every == WEEK else day.replace(day=1)


def keys_between(every: str, first: date, until: date) -> tuple[str, ...]:
    """Partitions from the one that begins on `first` to the last that is over on `until`."""
    found, day = [], first
    while (after := following(every, day)) <= until:
        found.append(str(day))
        day = after
    return tuple(found)


@lru_cache(maxsize=4096)
def overlapping(key: str, every: str, other: str) -> tuple[str, ...]:
    """Every partition of the cut `other` that shares a day with the partition `key` of the cut `every`."""
    first, after = days_of(every, key)
    found, day = [], beginning(other, first)
    while day < after:
        found.append(str(day))
        day = following(other, day)
    return tuple(found)


def weeks_of(every: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The weeks that overlap any of these partitions, in order; () for files."""
    if every not in DATED:
        return ()
    return tuple(sorted({week for key in keys for week in overlapping(key, every, WEEK)}))
