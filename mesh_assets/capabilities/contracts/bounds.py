"""Bounds of numbers, dates and times, and the time zone in which those without one are read.

Here: minimum, maximum and the exclusive ones, timezone, defaultTimezone.
Not here: other options (options), comparing (checks).
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from mesh_assets.capabilities.contracts.document import Document, Steps, kind_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.moments import FormatRefused, MomentFormat, moment_format
from mesh_assets.words.errors import DocumentMalformed

_READERS = {"date": date.fromisoformat, "timestamp": datetime.fromisoformat, "time": time.fromisoformat}
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE")


def strict_option(options: dict[str, Any], option: str) -> str:
    """ODCS 3.0 wrote `maximum: 100, exclusiveMaximum: true` for what 3.1 writes `exclusiveMaximum: 100`."""
    other = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(option, "")
    return other if options.get(other) is True else option


def bound_arguments(document: Document, path: Steps, column: Column) -> dict[str, Any]:
    """What a rule about this bound needs to be run."""
    value = document.at(path)
    if column.logical_type not in _READERS:
        return {"value": value}
    stored = stored_moment(document, path, column)
    if stored == "TIME WITH TIME ZONE":
        raise document.refused(
            path,
            f"the column {column.shown} is a time with a time zone, and which of two such times is earlier "
            "depends on the day",
            "Keep a timestamp, or a time without a zone",
        )
    said = {"value": _in_zone(document, path, column, _moment(document, path, column, stored))}
    if column.physical_type == "VARCHAR":
        said["format"] = document.at((*path[:-1], "format"))
    return said


def check_zone(document: Document, path: Steps, column: Column) -> None:
    """Raise unless `timezone` agrees with how the column is stored, and `defaultTimezone` is one."""
    options = document.at(path) or {}
    if column.logical_type not in ("timestamp", "time"):
        return
    if options.get("defaultTimezone") is not None:
        _zone(document, (*path, "defaultTimezone"))
    wanted = options.get("timezone")
    stored = stored_moment(document, (*path, "timezone"), column)
    if wanted is None or wanted == (stored in _ZONED):
        return
    zoned = f"{column.logical_type.upper()}{' WITH TIME ZONE' if wanted else ''}"
    form = "a format with XXX" if wanted else "a format without an offset"
    raise document.malformed(
        (*path, "timezone"),
        f"the column {column.shown} has `timezone: {str(wanted).lower()}`, and is stored as "
        f"{column.physical_type}",
        f"Write {form}" if column.physical_type == "VARCHAR" else f"Write physicalType: {zoned}",
        key=True,
    )


def stored_moment(document: Document, path: Steps, column: Column) -> str:
    """The DuckDB type of the column's dates or times; of a text what its format says."""
    if column.physical_type != "VARCHAR":
        return column.physical_type
    return _format(document, (*path[:-1], "format"), column).type


def _format(document: Document, path: Steps, column: Column) -> MomentFormat:
    try:
        return moment_format(str(document.at(path)))
    except FormatRefused as refused:
        raise document.refused(path, f"the column {column.shown}: {refused}", key=False) from None


def _moment(document: Document, path: Steps, column: Column, stored: str) -> str:
    value = document.at(path)
    readers = [_READERS[column.logical_type]]
    if column.logical_type == "date" and stored.startswith("TIME"):  # ODCS 3.0 had no other word
        readers.append(datetime.fromisoformat if stored.startswith("TIMESTAMP") else time.fromisoformat)
    for reader in readers:
        try:
            reader(value)
        except (TypeError, ValueError):
            continue
        return str(value)
    raise _no_moment(document, path, column, value)


def _in_zone(document: Document, path: Steps, column: Column, value: str) -> str:
    """A bound as the column's own values are: with an offset if they have one, else as their clock shows it.

    Without a `defaultTimezone` a bound that has no offset is read in UTC, as the standard says.
    """
    options = document.at(path[:-1])
    named = options.get("defaultTimezone")
    if named is None or column.logical_type != "timestamp":
        return value
    zone = _zone(document, (*path[:-1], "defaultTimezone"))
    zoned = stored_moment(document, path, column) in _ZONED
    said = datetime.fromisoformat(value)
    if (said.tzinfo is not None) == zoned:
        return value
    local = said.astimezone(zone) if said.tzinfo else said.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise document.refused(
            path,
            f"the clocks of {named} are put back or forward at {value}: it can be read twice, or not at all",
            "Write the bound with its offset, at another moment, or as the column stores it",
        )
    return (local if zoned else local.replace(tzinfo=None)).isoformat()


def _zone(document: Document, path: Steps) -> ZoneInfo:
    name = document.at(path)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):  # an unknown one is a KeyError
        raise document.malformed(
            path, f"{kind_of(name)} is no time zone", "Write a name of the IANA database, e.g. Europe/Berlin"
        ) from None


def _no_moment(document: Document, path: Steps, column: Column, value: Any) -> DocumentMalformed:
    form = {"date": "2024-12-31", "timestamp": "2024-12-31T23:59:59", "time": "23:59:59"}[column.logical_type]
    return document.malformed(
        path,
        f"{kind_of(value)} is no {column.logical_type}, and the column {column.shown} is one",
        f"Write e.g. '{form}'",
    )
