"""Conditions of the options that say what form a value has: formats, items, properties.

Here: SQL that is true on each value that is of no such form; null is of every form.
Not here: the forms themselves (contracts: formats, moments), lengths, bounds, lists of values (conditions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mesh_assets.capabilities.checks.nested import type_of
from mesh_assets.capabilities.checks.stored import (
    CannotRun,
    Family,
    StoredColumn,
    beyond_bound,
    require_family,
    stored_column,
    text,
)
from mesh_assets.capabilities.contracts.formats import (
    FLOAT_FORMATS,
    INTEGER_FORMATS,
    LONGEST_LOCAL_PART,
    TEXT_FORMATS,
)
from mesh_assets.capabilities.contracts.moments import FormatRefused, MomentFormat, moment_format

_TEXT = frozenset({Family.TEXT})
_NEVER = "FALSE"


def bad_format(found: StoredColumn, value: Any) -> str:
    """True on a text that is not of the named format."""
    if value not in TEXT_FORMATS:
        raise CannotRun(f"{value!r} is no format that the mesh knows; it knows {', '.join(TEXT_FORMATS)}")
    if found.type == str(value).upper():  # a UUID is one by its type
        return _NEVER
    require_family(found, _TEXT, "a format")
    form = TEXT_FORMATS[value]
    broken = [f"NOT regexp_full_match({found.sql}, {text(form.pattern)})"]
    if form.longest is not None:
        broken.append(f"length({found.sql}) > {form.longest}")
    if value == "email":
        # What follows the last @ has none; all before it is the local part.
        broken.append(f"length(regexp_replace({found.sql}, '@[^@]*$', '')) > {LONGEST_LOCAL_PART}")
    return broken[0] if len(broken) == 1 else f"({' OR '.join(broken)})"


def bad_number_format(found: StoredColumn, value: Any) -> str:
    """True on a number that does not fit into Rust's type of that name."""
    if value in FLOAT_FORMATS:
        require_family(found, frozenset({Family.FLOAT}), f"the format {value}")
        if value == "f64" or found.type == "FLOAT":
            return _NEVER
        narrow = f"TRY_CAST({found.sql} AS FLOAT)::DOUBLE"
        return f"(isfinite({found.sql}) AND {narrow} IS DISTINCT FROM {found.sql})"
    if value not in INTEGER_FORMATS:
        raise CannotRun(f"{value!r} is no format of numbers")
    require_family(found, frozenset({Family.INTEGER, Family.DECIMAL}), f"the format {value}")
    least, greatest = INTEGER_FORMATS[value]
    return _outside(found, least, greatest)


def _outside(found: StoredColumn, least: int, greatest: int) -> str:
    """Both bounds in the column's own type; a bound beyond all that it can hold decides nothing."""
    return f"({beyond_bound(found, '<', least)} OR {beyond_bound(found, '>', greatest)})"


def bad_moment_format(found: StoredColumn, value: Any) -> str:
    """True on a text that the format does not write, or on a moment that it cannot write in full."""
    said = _moment_format(value)
    if found.family is Family.TEXT:
        return f"({found.sql} IS NOT NULL AND {_said(found, said)} IS NULL)"
    unit = f"{_micros(found)} % {said.step} <> 0"
    if found.family is Family.TIME or found.type == "TIME WITH TIME ZONE":
        return unit
    require_family(
        found, frozenset({Family.DATE, Family.TIMESTAMP, Family.TIMESTAMP_TZ}), "a format of moments"
    )
    first, last = (2000, 2099) if "short year" in said.fields else (1, 9999)
    broken = [f"NOT isfinite({found.sql})", f"year({found.sql}) NOT BETWEEN {first} AND {last}"]
    if found.family is not Family.DATE:
        broken.append(unit)
    if found.type == "TIMESTAMP_NS":
        broken.append(f"epoch_ns({found.sql}) % {1000 * said.step} <> 0")
    return f"({' OR '.join(broken)})"


def _micros(found: StoredColumn) -> str:
    return f"epoch_us({found.sql})"


def read_as(found: StoredColumn, written: Any) -> StoredColumn:
    """What a text column says in this format, as a column of that type; null where it says nothing."""
    said = _moment_format(written)
    require_family(found, _TEXT, "a format of dates or times in text")
    return stored_column(found.name, said.type, _said(found, said))


def _moment_format(written: Any) -> MomentFormat:
    try:
        return moment_format(str(written))
    except FormatRefused as refused:
        raise CannotRun(str(refused)) from None


def _said(found: StoredColumn, said: MomentFormat) -> str:
    # strptime alone would take other forms too (3 for 03), and reads no Z.
    pattern = text(f"^(?:{said.pattern})$")
    parts = f"regexp_replace({found.sql}, {pattern}, {text(said.rewritten)})"
    if "offset" in said.fields:
        parts = f"replace({parts}, 'Z', '+00')"
    moment = f"TRY_STRPTIME({parts}, {text(said.strptime)})::{said.type}"
    return f"CASE WHEN regexp_full_match({found.sql}, {text(said.pattern)}) THEN {moment} END"


def items_beyond(operator: str) -> Callable[[StoredColumn, Any], str]:
    """True on a list with fewer (`<`) or more (`>`) items than that."""

    def condition(found: StoredColumn, value: Any) -> str:
        _require_list(found)
        return f"len({found.sql}) {operator} {_count(value)}"

    return condition


def repeated_items(found: StoredColumn, value: Any) -> str:
    """True on a list in which two items are equal; nulls are no items, and NaN equals NaN."""
    inner = type_of(_require_list(found)).inner[0].name
    if inner not in ("FLOAT", "DOUBLE"):
        return f"list_unique({found.sql}) <> list_count({found.sql})"
    # DuckDB 1.5 counts each NaN of a list as another value.
    numbers = f"list_filter({found.sql}, lambda mesh_number: NOT isnan(mesh_number))"
    return f"(list_unique({numbers}) <> len({numbers}) OR list_count({found.sql}) - len({numbers}) > 1)"


def bad_dimensions(found: StoredColumn, value: Any) -> str:
    """True on a vector of another length, or with a hole."""
    _require_list(found)
    return f"(len({found.sql}) <> {_count(value)} OR list_count({found.sql}) <> len({found.sql}))"


def properties_beyond(operator: str) -> Callable[[StoredColumn, Any], str]:
    """True on an object with fewer or more properties than that; a property that is null is not there."""

    def condition(found: StoredColumn, value: Any) -> str:
        there = " + ".join(f"({field} IS NOT NULL)::INTEGER" for field in _fields(found).values())
        return f"({found.sql} IS NOT NULL AND {there} {operator} {_count(value)})"

    return condition


def lacking_properties(found: StoredColumn, value: Any) -> str:
    """True on an object in which one of these properties is null."""
    fields = _fields(found)
    unknown = [name for name in value if name not in fields]
    if unknown or not value:
        raise CannotRun(f"{found.name!r} has no property {', '.join(map(repr, unknown)) or 'to require'}")
    return f"({found.sql} IS NOT NULL AND ({' OR '.join(f'{fields[name]} IS NULL' for name in value)}))"


def _fields(found: StoredColumn) -> Mapping[str, str]:
    duck = type_of(found)
    if duck.name != "STRUCT":
        raise CannotRun(f"properties need an object, and {found.name!r} is stored as {found.type}")
    return {name: f"struct_extract({found.sql}, {text(name)})" for name in duck.fields}


def _require_list(found: StoredColumn) -> StoredColumn:
    if not found.type.endswith("[]"):
        raise CannotRun(f"items need a list, and {found.name!r} is stored as {found.type}")
    return found


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CannotRun(f"{value!r} is not a number of items")
    return int(value)
