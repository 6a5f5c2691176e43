"""Columns as they are stored, and contract values as literals of exactly those types.

Nothing is cast before it is checked: a bound on a number never meets a text column, and a bound with more
digits than the column can hold is moved to the nearest value that the column *can* hold, which decides the
same rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar

Moment = TypeVar("Moment", date, datetime, time)

_INTEGERS = frozenset(
    {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    }
)  # fmt: skip
_TIMESTAMPS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
#: Types that hold more than 38 digits.
_WIDEST = {"HUGEINT": 2**127 + 1, "UHUGEINT": 2**128}
_DECIMAL = re.compile(r"^DECIMAL\((\d+),(\d+)\)$")


class Family(StrEnum):
    """What can be compared with what."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with time zone"
    TIME = "time"
    BOOLEAN = "boolean"
    OTHER = "other"


NUMBERS = frozenset({Family.INTEGER, Family.DECIMAL, Family.FLOAT})
MOMENTS = frozenset({Family.DATE, Family.TIMESTAMP, Family.TIMESTAMP_TZ, Family.TIME})


class CannotRun(Exception):
    """A rule that cannot run on this draft; the text is the reason that a person reads."""


def reason_of(error: Exception) -> str:
    """Why a rule could not run, for a person: what DuckDB or the mesh says, or what nobody foresaw."""
    import duckdb

    if isinstance(error, CannotRun | duckdb.Error):
        return str(error)
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class StoredColumn:
    """A column of the draft with the DuckDB type that it has there."""

    name: str
    type: str
    family: Family
    #: Digits after the point of a DECIMAL; 0 for integers.
    scale: int = 0
    #: No exact number of the column, counted in units of its last digit, reaches this.
    limit: int = 10**38
    #: SQL of a value inside of a column; "" for a column itself.
    expression: str = ""

    @property
    def sql(self) -> str:
        return self.expression or identifier(self.name)


Stored = Mapping[str, StoredColumn]


def stored_column(name: str, duckdb_type: str, expression: str = "") -> StoredColumn:
    """A column from what DESCRIBE says of it; or a value inside of one, with the SQL that reads it."""
    if decimal := _DECIMAL.match(duckdb_type):
        width, scale = int(decimal.group(1)), int(decimal.group(2))
        return StoredColumn(name, duckdb_type, Family.DECIMAL, scale, 10**width, expression)
    limit = _WIDEST.get(duckdb_type, 10**38)
    return StoredColumn(name, duckdb_type, _family(duckdb_type), limit=limit, expression=expression)


def _family(duckdb_type: str) -> Family:
    if duckdb_type in _INTEGERS:
        return Family.INTEGER
    if duckdb_type in _TIMESTAMPS:
        return Family.TIMESTAMP
    return {
        "VARCHAR": Family.TEXT,
        "FLOAT": Family.FLOAT,
        "DOUBLE": Family.FLOAT,
        "DATE": Family.DATE,
        "TIMESTAMP WITH TIME ZONE": Family.TIMESTAMP_TZ,
        "TIME": Family.TIME,
        "BOOLEAN": Family.BOOLEAN,
    }.get(duckdb_type, Family.OTHER)


def column(stored: Stored, name: str) -> StoredColumn:
    """The stored column of that name; CannotRun if the draft has none."""
    if name not in stored:
        raise CannotRun(f"the draft has no column {name!r}; it has {', '.join(stored)}")
    return stored[name]


def require_family(found: StoredColumn, wanted: frozenset[Family], rule: str) -> None:
    if found.family not in wanted:
        kinds = " or ".join(sorted(wanted))
        raise CannotRun(f"{rule} needs a {kinds} column, and {found.name!r} is stored as {found.type}")


def identifier(name: str) -> str:
    """A quoted SQL identifier, whatever characters it has."""
    if "\0" in name:
        raise CannotRun(f"the name {name!r} has a NUL character")
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted SQL string, whatever characters it has."""
    if "\0" in value:
        raise CannotRun(f"the text {value!r} has a NUL character, which DuckDB cannot compare")
    return "'" + value.replace("'", "''") + "'"


def exact(value: Any) -> Fraction:
    """A number of the contract as written: 100.1 is 1001/10, not its nearest binary fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CannotRun(f"{value!r} is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotRun(f"{value!r} is not a finite number")
    return Fraction(str(value))


def literal(value: Any, found: StoredColumn) -> str:
    """A contract value as a literal of the column's own type, to be compared for equality."""
    if found.family is Family.TEXT and isinstance(value, str):
        return text(value)
    if found.family is Family.BOOLEAN and isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if found.family in NUMBERS and not isinstance(value, str):
        return _number_literal(exact(value), found)
    if found.family in MOMENTS:
        return moment(value, found)
    raise CannotRun(f"{value!r} is not a value of {found.name!r}, which is stored as {found.type}")


def _number_literal(value: Fraction, found: StoredColumn) -> str:
    if found.family is Family.FLOAT:
        near = float(value)
        if value not in (Fraction(near), _meant(near)):
            raise CannotRun(f"no value of {found.name!r} is it: a {found.type} holds 17 digits at most")
        return f"{text(repr(near))}::{found.type}"
    scaled = value * 10**found.scale
    if scaled.denominator != 1 or abs(scaled) >= found.limit:
        raise CannotRun(f"{float(value)!r} is not a value of {found.name!r}, which is stored as {found.type}")
    return _scaled_literal(int(scaled), found)


def _scaled_literal(scaled: int, found: StoredColumn) -> str:
    """Of the column's own type: a wider literal would make DuckDB widen every stored value."""
    if found.family is Family.INTEGER:
        # DuckDB reads digits beyond 64 bits as a double where they do not fit a HUGEINT.
        return str(scaled) if abs(scaled) < 2**63 else f"{text(str(scaled))}::{_holding(scaled)}"
    digits = str(abs(scaled)).rjust(found.scale + 1, "0")
    whole, part = digits[: len(digits) - found.scale], digits[len(digits) - found.scale :]
    return f"{text(('-' if scaled < 0 else '') + whole + '.' + part)}::{found.type}"


def remainder(found: StoredColumn, step: Fraction) -> str:
    """SQL of what is left of an integer or decimal column after whole steps, exactly."""
    # In units of the column's last digit the step is p/q in lowest terms; q shares no factor with p, so a
    # stored value is a multiple of p/q exactly if it is one of p, which the column's own type can hold.
    units = (step * 10**found.scale).numerator
    return found.sql if units >= found.limit else f"{found.sql} % {_scaled_literal(units, found)}"


def beyond_bound(found: StoredColumn, operator: str, value: Any) -> str:
    """SQL that is true where a stored number or moment is `< <= > >=` the bound; null where the column is."""
    if found.family in MOMENTS:
        return f"{found.sql} {operator} {moment(value, found)}"
    require_family(found, NUMBERS | MOMENTS, "a bound")
    bound = exact(value)
    if found.family is Family.FLOAT:
        return _beyond_float(found, operator, bound)
    return _beyond_exact_bound(found, operator, bound)


def _holding(whole: int) -> str:
    return "HUGEINT" if -(2**127) <= whole < 2**127 else "UHUGEINT"


def _meant(stored: float) -> Fraction:
    """What a stored float says: the shortest decimal that names it, or the whole number that it is."""
    return Fraction(stored) if stored.is_integer() else Fraction(repr(stored))


def _beyond_float(found: StoredColumn, operator: str, bound: Fraction) -> str:
    """A bound between two doubles decides as the nearest of them does, taken in or left out."""
    near = float(bound)
    meant = _meant(near)
    if bound not in (meant, Fraction(near)):
        operator = operator[0] + ("=" if (operator[0] == "<") == (meant < bound) else "")
    return f"{found.sql} {operator} {text(repr(near))}::DOUBLE"


def _beyond_exact_bound(found: StoredColumn, operator: str, bound: Fraction) -> str:
    """`x < 0.5` on integers is `x < 1`, `x > 0.5` is `x > 0`: the rounded bound decides the same rows."""
    scaled = bound * 10**found.scale
    moved = math.ceil(scaled) if operator in ("<", ">=") else math.floor(scaled)
    if abs(moved) >= found.limit:
        everything = (moved > 0) == operator.startswith("<")
        return f"{found.sql} IS NOT NULL" if everything else "FALSE"
    return f"{found.sql} {operator} {_scaled_literal(moved, found)}"


def moment(value: Any, found: StoredColumn) -> str:
    """An ISO 8601 date, time or timestamp as a literal; where the column has a zone, no offset means UTC."""
    if found.family is Family.TIME:
        return f"TIME {text(_parsed(time, value, found).isoformat())}"
    if found.family is Family.DATE and isinstance(value, date | str) and len(str(value)) == len("2024-01-01"):
        return f"DATE {text(_parsed(date, value, found).isoformat())}"
    instant = _parsed(datetime, value, found)
    if found.family is Family.TIMESTAMP_TZ:
        zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return f"TIMESTAMPTZ {text(zoned.isoformat(sep=' '))}"
    if instant.tzinfo:
        raise CannotRun(
            f"{value!r} has a time zone, and {found.name!r} is stored as {found.type}, which has none"
        )
    return f"TIMESTAMP {text(instant.isoformat(sep=' '))}"


def _parsed(kind: type[Moment], value: Any, found: StoredColumn) -> Moment:
    try:
        return kind.fromisoformat(value if isinstance(value, str) else value.isoformat())
    except (ValueError, AttributeError):
        raise CannotRun(
            f"{value!r} is not an ISO 8601 {kind.__name__}, and {found.name!r} is stored as {found.type}"
        ) from None
