"""Pandera's checks as conditions of the one scan, where both decide the same rows.

Here: the SQL condition of a bad row for a check of pandera's own, or None where pandera has to run it:
regular expressions (Rust's, not RE2), single-precision floats, values that the column cannot hold, and every
check that a domain registered itself. A property test holds each condition against pandera.
Not here: running pandera (validate, judge).

Why at all: importing pandera costs more CPU than scanning a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mesh_assets.capabilities.checks.stored import (
    CannotRun,
    Family,
    Stored,
    StoredColumn,
    column,
    literal,
    text,
)
from mesh_assets.words.rules import Rule

#: Families whose comparison is the same in DuckDB and in polars, NaN (above everything) included.
_COMPARED = frozenset(
    {Family.TEXT, Family.INTEGER, Family.DECIMAL, Family.FLOAT, Family.DATE, Family.BOOLEAN}
)

Arguments = Mapping[str, Any]
Bad = Callable[[StoredColumn, Arguments], str]


class _PanderaOnly(Exception):
    """The scan cannot say it; pandera can."""


def pandera_condition(rule: Rule, stored: Stored) -> str | None:
    """True on the rows that the check finds bad in any of the rule's columns; None if pandera has to run."""
    name, given = str(rule.arguments["check"]), rule.arguments["arguments"]
    found = [column(stored, each) for each in rule.columns]
    if name not in _BAD or not found:
        return None
    try:
        conditions = [_BAD[name](each, given) for each in found]
    except (_PanderaOnly, CannotRun):
        return None
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _value(found: StoredColumn, value: Any) -> str:
    if found.family not in _COMPARED or found.type == "FLOAT" or value is None:
        raise _PanderaOnly
    return literal(value, found)


def _compared(operator: str, argument: str) -> Bad:
    return lambda found, given: f"{found.sql} {operator} {_value(found, given[argument])}"


def _outside(found: StoredColumn, given: Arguments) -> str:
    low, high = given["min_value"], given["max_value"]
    if not low < high:
        raise _PanderaOnly  # it refuses such a range
    below = "<" if given.get("include_min", True) else "<="
    above = ">" if given.get("include_max", True) else ">="
    return f"({found.sql} {below} {_value(found, low)} OR {found.sql} {above} {_value(found, high)})"


def _listed(operator: str, argument: str) -> Bad:
    def bad(found: StoredColumn, given: Arguments) -> str:
        values = ", ".join(_value(found, value) for value in given[argument])
        return f"{found.sql} {operator} ({values})"

    return bad


def _affixed(function: str) -> Bad:
    def bad(found: StoredColumn, given: Arguments) -> str:
        _require_text(found)
        return f"NOT {function}({found.sql}, {text(given['string'])})"

    return bad


def _length(found: StoredColumn, given: Arguments) -> str:
    _require_text(found)
    length, exact = f"length({found.sql})", given.get("exact_value")
    if exact is not None:
        return f"{length} <> {int(exact)}"
    bounds = (("<", given.get("min_value")), (">", given.get("max_value")))
    beyond = [f"{length} {operator} {int(bound)}" for operator, bound in bounds if bound is not None]
    return beyond[0] if len(beyond) == 1 else f"({' OR '.join(beyond)})"


def _require_text(found: StoredColumn) -> None:
    if found.family is not Family.TEXT:
        raise _PanderaOnly


_BAD: Mapping[str, Bad] = {
    "equal_to": _compared("<>", "value"),
    "not_equal_to": _compared("=", "value"),
    "greater_than": _compared("<=", "min_value"),
    "greater_than_or_equal_to": _compared("<", "min_value"),
    "less_than": _compared(">=", "max_value"),
    "less_than_or_equal_to": _compared(">", "max_value"),
    "in_range": _outside,
    "isin": _listed("NOT IN", "allowed_values"),
    "notin": _listed("IN", "forbidden_values"),
    "str_startswith": _affixed("starts_with"),
    "str_endswith": _affixed("ends_with"),
    "str_length": _length,
}
