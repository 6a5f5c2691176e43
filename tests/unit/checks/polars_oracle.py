"""What a bad row is, said a second time, in polars' own expressions: an oracle for property tests.

It shares no line with the conditions of the one scan. Where the two differ, one of them is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from mesh_assets.capabilities.checks.stored import exact
from mesh_assets.words.rules import Rule

Bad = Callable[[Rule, pl.Schema], pl.Expr]


def bad_rows(rule: Rule, frame: pl.DataFrame) -> list[int]:
    """Positions of the rows that break the rule, or that its metric counts."""
    bad = _BAD[rule.kind](rule, frame.schema).fill_null(False)
    return frame.select(bad.alias("bad")).to_series().arg_true().to_list()


def _col(rule: Rule) -> pl.Expr:
    return pl.col(rule.columns[0])


def _null(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).is_null()


def _repeated(rule: Rule, schema: pl.Schema) -> pl.Expr:
    complete = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
    return complete & pl.struct(rule.columns).is_duplicated()


def _key(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_null() for name in rule.columns) | _repeated(rule, schema)


def _too_short(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.len_chars() < int(rule.arguments["value"])


def _too_long(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.len_chars() > int(rule.arguments["value"])


def _unmatched(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.contains(rule.arguments["value"]).not_()


def _beyond(operator: str) -> Bad:
    def bad(rule: Rule, schema: pl.Schema) -> pl.Expr:
        dtype, bound = schema[rule.columns[0]], rule.arguments["value"]
        if dtype.is_temporal():
            return _compared(_col(rule), operator, pl.lit(_moment(bound), dtype=None))
        if dtype.is_float():
            wide = _col(rule).cast(pl.Float64)
            return _compared(wide, operator, pl.lit(float(exact(bound)))) | wide.is_nan()
        return _compared_exactly(_col(rule), dtype, operator, exact(bound))

    return bad


def _compared(left: pl.Expr, operator: str, right: pl.Expr) -> pl.Expr:
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def _compared_exactly(column: pl.Expr, dtype: pl.DataType, operator: str, bound: Fraction) -> pl.Expr:
    """Integers and decimals in units of the last digit, against the bound rounded outwards (see stored)."""
    scale = getattr(dtype, "scale", 0) or 0
    scaled = bound * 10**scale
    moved = -(-scaled.numerator // scaled.denominator) if operator in ("<", ">=") else scaled.__floor__()
    return _compared(_units(column, scale), operator, pl.lit(moved, dtype=pl.Int128))


def _units(column: pl.Expr, scale: int) -> pl.Expr:
    if not scale:
        return column.cast(pl.Int128)
    return (column.cast(pl.Decimal(38, scale)) * pl.lit(10**scale)).cast(pl.Int128)


def _no_multiple(rule: Rule, schema: pl.Schema) -> pl.Expr:
    dtype, step = schema[rule.columns[0]], exact(rule.arguments["value"])
    column = _col(rule)
    if dtype.is_float():
        wide = column.cast(pl.Float64)
        return column.is_finite().not_() | (column != _nearest_multiple(wide, step).cast(dtype))
    scale = getattr(dtype, "scale", 0) or 0
    return _units(column, scale) % pl.lit((step * 10**scale).numerator, dtype=pl.Int128) != 0


def _nearest_multiple(column: pl.Expr, step: Fraction) -> pl.Expr:
    """The float nearest to a multiple. By numpy: polars divides by multiplying by 1/x, and rounds twice."""
    p, q = float(step.numerator), float(step.denominator)

    def nearest(values: pl.Series) -> pl.Series:
        with np.errstate(over="ignore", invalid="ignore"):
            return pl.Series(np.round(values.to_numpy() * q / p) * p / q)

    return column.map_batches(nearest, return_dtype=pl.Float64)


def _invalid(rule: Rule, schema: pl.Schema) -> pl.Expr:
    bad: list[pl.Expr] = []
    if (valid := rule.arguments.get("validValues")) is not None:
        bad.append(_among(rule, schema, [value for value in valid if value is not None]).not_())
    if (pattern := rule.arguments.get("pattern")) is not None:
        bad.append(_col(rule).str.contains(pattern).not_())
    return _col(rule).is_not_null() & pl.any_horizontal(bad)


def _missing(rule: Rule, schema: pl.Schema) -> pl.Expr:
    values = rule.arguments["missingValues"]
    listed = _among(rule, schema, [value for value in values if value is not None])
    return listed | (_col(rule).is_null() if None in values else pl.lit(False))


def _among(rule: Rule, schema: pl.Schema, values: list[Any]) -> pl.Expr:
    dtype = schema[rule.columns[0]]
    typed = [_moment(value) for value in values] if dtype.is_temporal() else values
    return pl.any_horizontal(pl.lit(False), *(_col(rule) == pl.lit(value, dtype=dtype) for value in typed))


def _moment(value: Any) -> date | datetime | time:
    """An ISO 8601 date, time or timestamp of the contract, as stored.moment reads it for the audit."""
    if not isinstance(value, str):
        return value  # YAML already read it
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return date.fromisoformat(value)
    if ":" in value and "-" not in value:
        return time.fromisoformat(value)
    return datetime.fromisoformat(value)


_BAD: Mapping[str, Bad] = {
    "required": _null,
    "null_values": _null,
    "unique": _repeated,
    "duplicate_values": _repeated,
    "primary_key": _key,
    "min_length": _too_short,
    "max_length": _too_long,
    "pattern": _unmatched,
    "minimum": _beyond("<"),
    "maximum": _beyond(">"),
    "exclusive_minimum": _beyond("<="),
    "exclusive_maximum": _beyond(">="),
    "multiple_of": _no_multiple,
    "invalid_values": _invalid,
    "missing_values": _missing,
}

KINDS = frozenset(_BAD)
