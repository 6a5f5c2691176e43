"""Spans of time as contracts write them: a number and a unit, an ISO 8601 period, or a word.

A month is up to 31 days and a year up to 366: the longest that the calendar allows, so that a promise kept
by the calendar is never called broken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.document import allowed_words, kind_of


class PeriodRefused(ValueError):
    """What is wrong with a span; `key` is the key that it is written under."""

    def __init__(self, problem: str, *, key: str = "value", remedy: str = "") -> None:
        super().__init__(problem)
        self.key, self.remedy = key, remedy


_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
#: Every spelling of a unit. `m` alone is a minute to some and a month to others.
UNITS: Mapping[str, timedelta] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), _SECOND),
    **dict.fromkeys(("min", "minute", "minutes"), 60 * _SECOND),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600 * _SECOND),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("mo", "mon", "month", "months"), 31 * _DAY),
    **dict.fromkeys(("y", "yr", "year", "years", "a"), 366 * _DAY),
}
WORDS: Mapping[str, timedelta] = {
    "hourly": UNITS["h"],
    "daily": UNITS["d"],
    "weekly": UNITS["w"],
    "monthly": UNITS["mo"],
    "yearly": UNITS["y"],
}
_SHOWN = ("s", "min", "h", "d", "w", "mo", "y")
_ISO = re.compile(
    r"P(?=.)(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+)H)?(?:(?P<min>\d+)M)?(?:(?P<s>\d+)S)?)?\Z"
)
_TOGETHER = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]*)\Z")
#: Far beyond any promise, and within what a timedelta and Dagster's storage hold.
_LONGEST = 100 * UNITS["y"]


def period(value: Any, unit: Any = None) -> timedelta:
    """`4` and `d`, `24h`, `P1D`, `daily`. Raises PeriodRefused."""
    if isinstance(value, str):
        return _checked(_of_text(value.strip(), unit), value)
    value = float(value) if isinstance(value, Decimal) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PeriodRefused(f"the value is {kind_of(value)}; it must be a number of units, or e.g. P1D")
    return _checked(_times(value, unit), value)


def _of_text(text: str, unit: Any) -> timedelta:
    iso = _ISO.match(text.upper())
    if iso and unit is None:
        parts = (int(count) * UNITS[name] for name, count in iso.groupdict().items() if count)
        return sum(parts, timedelta())
    if text.lower() in WORDS and unit is None:
        return WORDS[text.lower()]
    together = _TOGETHER.match(text)
    if together and not (together["unit"] and unit):
        return _times(float(together["number"]), together["unit"] or unit)
    if iso or (together and together["unit"]):
        raise PeriodRefused(
            f"{text!r} has its unit already, and `unit` says {unit!r}", key="unit", remedy="Remove it"
        )
    raise PeriodRefused(
        f"the value is {kind_of(text)}, which is no span of time",
        remedy=f"Write a number with a unit, e.g. P1D, or {', '.join(WORDS)}",
    )


def _times(number: float, unit: Any) -> timedelta:
    if unit is None:
        raise PeriodRefused(f"{number:g} has no unit", remedy=f"Add unit: {', '.join(_SHOWN)}")
    if not isinstance(unit, str) or unit.lower() not in UNITS:
        raise PeriodRefused(f"the unit is {kind_of(unit)}", key="unit", remedy=allowed_words(unit, _SHOWN))
    try:
        return number * UNITS[unit.lower()]
    except (OverflowError, ValueError):
        raise PeriodRefused(f"{number:g} {unit} is no span of time that anybody waits for") from None


def _checked(span: timedelta, value: Any) -> timedelta:
    if not timedelta() < span <= _LONGEST:
        raise PeriodRefused(
            f"{value!r} is no span of time that anybody waits for", remedy="Write one above zero"
        )
    return span


def told(span: timedelta) -> str:
    """`4 days`, `1 hour`: in the largest unit that gives a whole number."""
    for name, unit in (("day", _DAY), ("hour", 3600 * _SECOND), ("minute", 60 * _SECOND)):
        if not span % unit:
            return f"{span // unit} {name}{'' if span == unit else 's'}"
    return f"{span.total_seconds():g} seconds"
