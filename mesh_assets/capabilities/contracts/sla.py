"""Service levels: each entry of `slaProperties` as a promise on time, as prose, or refused by name.

Here: the properties of the standard with their synonyms, units, deadlines; which of them can be watched.
Not here: watching them (orchestration/freshness: Dagster's freshness policies), rules about rows (quality).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh_assets.capabilities.contracts.ages import age_rule, elements
from mesh_assets.capabilities.contracts.document import Document, Steps, close_to, kind_of
from mesh_assets.capabilities.contracts.periods import PeriodRefused, period, told
from mesh_assets.words.rules import Place, Rule

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.model import Column

#: Dagster's daemon looks about twice a minute: a shorter promise cannot be held to.
SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True)
class ServiceLevel:
    """One entry of `slaProperties`. At most one of `within` and `deadline` is there; neither: it is prose."""

    #: As the standard spells it: latency, frequency, timeOfAvailability, endOfLife, …
    name: str
    description: str
    place: Place
    #: The last build that looked is never longer ago than this.
    within: timedelta | None = None
    #: By this time of each day the product was built on that day.
    deadline: Deadline | None = None
    #: What `element` names is a column: rules of the audit say it.
    rules: tuple[Rule, ...] = ()
    #: Versions can be read for so long after newer ones came; upkeep holds to it.
    keeps: timedelta | None = None


@dataclass(frozen=True)
class Deadline:
    """Every day at `hour`:`minute` in `zone`; `window` is the part of the day before it."""

    hour: int
    minute: int
    zone: str
    window: timedelta

    @property
    def cron(self) -> str:
        return f"{self.minute} {self.hour} * * *"


@dataclass(frozen=True)
class _Entry:
    document: Document
    path: Steps
    written: Mapping[str, Any]
    name: str
    columns: tuple[Column, ...]

    def fact(self, said: str, **more: Any) -> ServiceLevel:
        text = self.written.get("description") or said
        return ServiceLevel(self.name, str(text), self.document.place(self.path), **more)


def service_levels(document: Document, table: Steps, columns: tuple[Column, ...]) -> tuple[ServiceLevel, ...]:
    """Every entry, in order. What cannot be watched, and is a promise all the same, is refused by name."""
    levels: list[ServiceLevel] = []
    watched: list[ServiceLevel] = []
    for number, written in enumerate(document.value.get("slaProperties") or ()):
        path = ("slaProperties", number)
        named = elements(document, path, table, columns)
        entry = _entry(document, path, written, named.columns)
        if named.elsewhere:
            continue
        level = READERS[entry.name](entry)
        levels.append(level)
        if level.within or level.deadline:
            _refuse_a_second_kind(entry, level, watched)
            watched.append(level)
    return tuple(levels)


def strictest(levels: Sequence[ServiceLevel]) -> ServiceLevel | None:
    """The promise that all the others follow from; None if nothing is watched.

    Whoever looked within a day has looked within three; who was there at 8 was there at 9 (one time zone).
    """
    windows = [level for level in levels if level.within]
    deadlines = [level for level in levels if level.deadline]
    if windows:
        return min(windows, key=lambda level: level.within or timedelta.max)
    return min(deadlines, key=_window, default=None)


def _window(level: ServiceLevel) -> timedelta:
    return level.deadline.window if level.deadline else timedelta.max


def _entry(
    document: Document, path: Steps, written: Mapping[str, Any], columns: tuple[Column, ...]
) -> _Entry:
    word = str(written["property"])
    for key in ("schedule", "scheduler"):
        if key in written:
            document.convention(
                document.refused(
                    (*path, key),
                    f"the SLA {word} has a `{key}`, and Dagster's daemon looks at every promise all the time",
                    "Remove it",
                )
            )
    name = NAMES.get(word.lower())
    if name is None:
        near = close_to(word, NAMES.values())
        raise document.refused(
            (*path, "property"),
            f"the mesh does not know the SLA property {word!r}, so nobody would watch it",
            (f"Did you mean {near}? " if near else "")
            + "Allowed: "
            + ", ".join(sorted(set(READERS)))
            + "; or say it under description.usage",
            key=False,
        )
    return _Entry(document, path, written, name, columns)


def _refuse_a_second_kind(entry: _Entry, level: ServiceLevel, watched: list[ServiceLevel]) -> None:
    """Dagster holds an asset to one policy: promises go together where one of them says all."""
    for other in watched:
        alike = bool(level.within) == bool(other.within)
        zones = {each.deadline.zone for each in (level, other) if each.deadline}
        if not alike or len(zones) > 1:
            raise entry.document.refused(
                entry.path,
                f"{entry.name} and {other.name} (line {other.place.line}) are deadlines that do not follow "
                "from one another, and Dagster holds an asset to one freshness policy",
                "Keep the one that readers need",
                key=False,
            )


def _window_level(entry: _Entry) -> ServiceLevel:
    """never longer than this since the last build that looked"""
    _refuse_columns(entry)
    within = _within(entry)
    return entry.fact(f"A build looks at it at least every {told(within)}", within=within)


def _age_level(entry: _Entry) -> ServiceLevel:
    """never longer than this since the last build that looked; of a column: its newest value is no older"""
    within = _within(entry)
    if not entry.columns:
        return entry.fact(f"A build looks at it at least every {told(within)}", within=within)
    rules = tuple(
        age_rule(entry.document, entry.path, entry.name, column, within) for column in entry.columns
    )
    return entry.fact("; ".join(rule.description for rule in rules), rules=rules)


def _within(entry: _Entry) -> timedelta:
    _refuse_extended(entry)
    try:
        within = period(entry.written["value"], entry.written.get("unit"))
    except PeriodRefused as refused:
        raise entry.document.malformed(
            (*entry.path, refused.key), f"the SLA {entry.name}: {refused}", refused.remedy
        ) from None
    if within < SHORTEST or within % SHORTEST:
        raise entry.document.refused(
            (*entry.path, "value"),
            f"the SLA {entry.name} is {within.total_seconds():g} seconds, and Dagster looks twice a minute",
            "Write whole minutes, at least one",
            key=False,
        )
    return within


def _deadline_level(entry: _Entry) -> ServiceLevel:
    """by this time of day the product was built on that day"""
    _refuse_columns(entry)
    value, zone = entry.written["value"], entry.written.get("valueExt")
    found = _CLOCK.match(value) if isinstance(value, str) else None
    if found is None or int(found["hour"]) > 23 or int(found["minute"]) > 59:
        raise entry.document.malformed(
            (*entry.path, "value"),
            f"the SLA {entry.name} is {kind_of(value)}, which is no time of day",
            "Write e.g. '09:00-08:00', or '09:00' with valueExt: Europe/Berlin",
        )
    hour, minute = int(found["hour"]), int(found["minute"])
    window = timedelta(hours=hour, minutes=minute) or timedelta(days=1)
    if found["offset"] is None:
        return _deadline(entry, hour, minute, _zone(entry, zone), window)
    _refuse_extended(entry)
    minutes = (hour * 60 + minute - _minutes(found["offset"])) % (24 * 60)
    return _deadline(entry, minutes // 60, minutes % 60, "UTC", window)


def _deadline(entry: _Entry, hour: int, minute: int, zone: str, window: timedelta) -> ServiceLevel:
    said = f"Built every day by {entry.written['value']}" + (f" {zone}" if zone != "UTC" else "")
    return entry.fact(said, deadline=Deadline(hour, minute, zone, window))


def _zone(entry: _Entry, zone: Any) -> str:
    if zone is None:
        raise entry.document.malformed(
            (*entry.path, "value"),
            f"the SLA {entry.name} has a time of day and no time zone",
            "Write e.g. '09:00Z' or '09:00-08:00', or add valueExt: Europe/Berlin",
        )
    try:
        return ZoneInfo(str(zone)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise entry.document.malformed(
            (*entry.path, "valueExt"), f"{kind_of(zone)} is no time zone", "Write e.g. Europe/Berlin"
        ) from None


def _minutes(offset: str) -> int:
    if offset.upper() == "Z":
        return 0
    digits = offset[1:].replace(":", "")
    return (-1 if offset[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:] or 0))


def _moment_level(entry: _Entry) -> ServiceLevel:
    """a date that is announced"""
    value = entry.written["value"]
    try:
        (datetime if "T" in str(value) else date).fromisoformat(str(value))
    except ValueError:
        raise entry.document.malformed(
            (*entry.path, "value"),
            f"the SLA {entry.name} is {kind_of(value)}, which is no date",
            "Write e.g. '2032-05-12' or '2032-05-12T09:30:10-08:00'",
        ) from None
    return entry.fact(f"{entry.name}: {value}")


def _retention_level(entry: _Entry) -> ServiceLevel:
    """versions can be read for at least so long after newer ones came; `mesh lake expire` holds to it"""
    if entry.columns:
        raise entry.document.refused(
            (*entry.path, "element"),
            "the SLA retention is about single columns, and what is kept or expired is a whole version",
            "Leave `element` out; how old rows of the product may be, a sql rule over the column says",
            key=False,
        )
    keeps = max(_within(entry), timedelta(days=1))
    return entry.fact(f"A version can be read for {told(keeps)} after a newer one came", keeps=keeps)


def _prose_level(entry: _Entry) -> ServiceLevel:
    """a promise of people about incidents"""
    unit = entry.written.get("unit")
    return entry.fact(f"{entry.name}: {entry.written['value']}{f' {unit}' if unit else ''}")


def _refused(reason: str, remedy: str) -> Callable[[_Entry], ServiceLevel]:
    def refuse(entry: _Entry) -> ServiceLevel:
        raise entry.document.refused(
            (*entry.path, "property"), f"the SLA {entry.name} {reason}", remedy, key=False
        )

    refuse.__doc__, refuse.__name__ = reason, "refuse"
    return refuse


def _refuse_columns(entry: _Entry) -> None:
    """A column's own age is what latency says of it; that a column was updated, nothing tells."""
    if entry.columns:
        names = " and ".join(column.name for column in entry.columns)
        raise entry.document.refused(
            (*entry.path, "element"),
            f"the SLA {entry.name} is about {names}, and what is built is the whole product",
            "Leave `element` out; `latency` says how old the newest value of a column may be",
            key=False,
        )


def _refuse_extended(entry: _Entry) -> None:
    extended = entry.written.get("valueExt")
    if extended is not None and extended != entry.written["value"]:
        raise entry.document.refused(
            (*entry.path, "valueExt"),
            f"the SLA {entry.name} has a `valueExt`, which the standard gives no meaning here",
            "Remove it",
        )


_CLOCK = re.compile(r"(?P<hour>\d{2}):(?P<minute>\d{2})(:00)?(?P<offset>[Zz]|[+-]\d{2}(:?\d{2})?)?\Z")

#: What is done with each property. The order is that of the documentation.
READERS: Mapping[str, Callable[[_Entry], ServiceLevel]] = {
    "latency": _age_level,
    "freshness": _age_level,
    "frequency": _window_level,
    "timeOfAvailability": _deadline_level,
    "generalAvailability": _moment_level,
    "endOfSupport": _moment_level,
    "endOfLife": _moment_level,
    "timeToDetect": _prose_level,
    "timeToNotify": _prose_level,
    "timeToRepair": _prose_level,
    "retention": _retention_level,
    "availability": _refused(
        "is measured at a server that answers, and a product is files", "Say it under description.usage"
    ),
    "throughput": _refused(
        "is measured at a server that answers, and a product is files",
        "Say it under description.usage, or as a rowCount rule",
    ),
    "errorRate": _refused(
        "does not say which rows are in error",
        "Write a quality rule with unit: percent",
    ),
}
#: The standard's synonyms, and all in lower case: its names are case-insensitive.
NAMES: Mapping[str, str] = {
    **{name.lower(): name for name in READERS},
    "ly": "latency",
    "fy": "frequency",
    "ga": "generalAvailability",
    "es": "endOfSupport",
    "el": "endOfLife",
    "re": "retention",
    "av": "availability",
    "th": "throughput",
    "er": "errorRate",
    "td": "timeToDetect",
    "tn": "timeToNotify",
    "tr": "timeToRepair",
}
