"""This project's own kinds of rules (docs/kinds.md) as conditions of rows and as measures of a product.

Here: which rows count against a rule, which aggregates a measure is made of.
Not here: turning aggregates into results (measures, shift, balances), reading contracts (contracts/kinds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mesh_assets.capabilities.checks.digits import check_digit_condition
from mesh_assets.capabilities.checks.expressions import checked
from mesh_assets.capabilities.checks.stored import (
    NUMBERS,
    Family,
    Stored,
    StoredColumn,
    column,
    require_family,
)
from mesh_assets.words.rules import Rule

_INSTANTS = frozenset({Family.DATE, Family.TIMESTAMP, Family.TIMESTAMP_TZ})


def _expression(rule: Rule, stored: Stored) -> str:
    return f"NOT {checked(str(rule.arguments['expression']), stored)}"


def _when(rule: Rule, stored: Stored) -> str:
    when, then = (checked(str(rule.arguments[part]), stored) for part in ("when", "then"))
    return f"({when} AND NOT {then})"


#: Kinds that judge single rows: the condition of a row that counts against the rule.
ROW_KINDS: Mapping[str, Callable[[Rule, Stored], str]] = {
    "expression": _expression,
    "when": _when,
    "check_digit": check_digit_condition,
}


#: Kinds whose condition is SQL that the contract itself writes out.
WRITTEN_OUT = frozenset({"expression", "when"})


def aggregate_sql(rule: Rule, stored: Stored, measured: str | None, where: str = "where") -> str:
    """The rule's aggregate over some data's column, of the rows that the rule's filter takes."""
    aggregate = str(rule.arguments["aggregate"])
    chosen = rule.arguments.get(where)
    filtered = f" FILTER (WHERE {checked(str(chosen), stored)})" if chosen else ""
    if measured is None:
        return f"count(*){filtered}"
    found = column(stored, measured)
    if aggregate == "count_distinct":
        return f"count(DISTINCT {found.sql}){filtered}"
    require_family(found, NUMBERS, aggregate)
    if aggregate == "sum":  # nothing adds up to 0
        return f"coalesce(sum({found.sql}){filtered}, 0)"
    return f"{aggregate}({found.sql}){filtered}"


def newest_sql(found: StoredColumn) -> str:
    """Microseconds since 1970 of the newest finite moment of a column; without a zone it is UTC."""
    require_family(found, _INSTANTS, "freshness")
    return f"epoch_us(max({found.sql}) FILTER (WHERE isfinite({found.sql})))"


def finite_sql(found: StoredColumn) -> tuple[str, str]:
    """A number as a double, and the filter that keeps NaN and infinities out of an aggregate."""
    value = f"{found.sql}::DOUBLE"
    return value, f"FILTER (WHERE isfinite({value}))" if found.family is Family.FLOAT else ""


def _freshness(rule: Rule, stored: Stored) -> tuple[str, ...]:
    newest = newest_sql(column(stored, rule.columns[0]))
    partitions = rule.arguments.get("partition_column")
    return (newest, newest_sql(column(stored, str(partitions)))) if partitions else (newest,)


def _outlier_share(rule: Rule, stored: Stored) -> tuple[str, ...]:
    found = column(stored, rule.columns[0])
    require_family(found, NUMBERS, "an outlier share")
    value, finite = finite_sql(found)
    if rule.arguments["method"] == "iqr":
        return tuple(f"quantile_cont({value}, {part}) {finite}" for part in (0.25, 0.75))
    return f"avg({value}) {finite}", f"stddev_samp({value}) {finite}"


def _change(rule: Rule, stored: Stored) -> tuple[str, ...]:
    return (aggregate_sql(rule, stored, measured_column(rule)),)


def _balance(rule: Rule, stored: Stored) -> tuple[str, ...]:
    own = aggregate_sql(rule, stored, measured_column(rule))
    return () if rule.arguments["by"] else (own,)


def _nothing(rule: Rule, stored: Stored) -> tuple[str, ...]:
    return ()


def measured_column(rule: Rule) -> str | None:
    """The column of an aggregate; None where rows are counted."""
    measured: Any = rule.arguments.get("measured", rule.columns)
    return str(measured[0]) if measured else None


def is_one_persons(rule: Rule, personal: frozenset[str]) -> bool:
    """True if the rule's aggregate is one row's value of a personal column, and not for everybody to read."""
    return rule.arguments["aggregate"] in ("min", "max") and measured_column(rule) in personal


#: Kinds that measure the product: the aggregates over the whole of it that they need.
MEASURES: Mapping[str, Callable[[Rule, Stored], tuple[str, ...]]] = {
    "freshness": _freshness,
    "outlier_share": _outlier_share,
    "change": _change,
    "balance": _balance,
    "distribution": _nothing,
    "schema_unchanged": _nothing,
    "match_rate": _nothing,
}
