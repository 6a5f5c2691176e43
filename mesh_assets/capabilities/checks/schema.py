"""A contract as a pandera schema for polars: for notebooks, and to extend in a domain's own code.

Every rule is one `Check` with the rule's id as its name and the same meaning as in the audit (see compile):
pandera's own `nullable` and `unique` are not used, because they read NaN as null and null as a duplicate of
null. Rules that need more than the frame (foreign keys, SQL) cannot be said here; their ids are in
`schema.metadata["elsewhere"]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import share, threshold
from mesh_assets.capabilities.checks.stored import exact
from mesh_assets.capabilities.contracts.model import Column, Contract
from mesh_assets.words.rules import Rule

if TYPE_CHECKING:
    import pandera.polars as pa
    import polars as pl

Bad = Callable[[Rule, "pl.Schema"], "pl.Expr"]


def pandera_schema(contract: Contract) -> pa.DataFrameSchema:
    """The contract's columns with stored types, its rules as named checks; validate with `lazy=True`."""
    import pandera.polars as pa

    said = [rule for rule in contract.rules if rule.kind in _BAD or rule.kind in _ROW_COUNTS]
    return pa.DataFrameSchema(
        columns={column.name: pa.Column(_dtype(column), nullable=True) for column in contract.columns},
        checks=[_check(rule) for rule in said],
        name=str(contract.product),
        title=contract.title or None,
        description=contract.description or None,
        metadata={"elsewhere": tuple(rule.id for rule in contract.rules if rule not in said)},
    )


def _check(rule: Rule) -> pa.Check:
    import pandera.polars as pa

    run = (
        _row_count
        if rule.kind in _ROW_COUNTS
        else _share_of_bad
        if rule.arguments.get("operator")
        else _no_bad
    )

    def judged(data: Any) -> Any:
        return run(rule, data.lazyframe)

    return pa.Check(judged, name=rule.id, description=rule.description or None, raise_warning=False)


def _no_bad(rule: Rule, frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.select(_bad(rule, frame).not_().alias("good"))


def _one_answer(holds: bool) -> pl.LazyFrame:
    """One answer, as one row: pandera 0.35 cannot report a bool beside the failing rows of other checks."""
    import polars as pl

    return pl.LazyFrame({"good": [holds]})


def _share_of_bad(rule: Rule, frame: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    rows, bad = frame.select(pl.len(), _bad(rule, frame).sum().alias("bad")).collect().row(0)
    limit = threshold(rule)
    measure = share(bad, rows) if limit.percent else Fraction(bad)
    return _one_answer(limit.operator.holds(measure, limit.bounds))


def _row_count(rule: Rule, frame: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    rows = frame.select(pl.len()).collect().item()
    if rule.kind == "row_count_positive":
        return _one_answer(rows > 0)
    limit = threshold(rule)
    return _one_answer(limit.operator.holds(Fraction(rows), limit.bounds))


def _bad(rule: Rule, frame: pl.LazyFrame) -> pl.Expr:
    """True on rows that break the rule; null, where nothing can be compared, breaks nothing."""
    return _BAD[rule.kind](rule, frame.collect_schema()).fill_null(False)


def _col(rule: Rule) -> pl.Expr:
    import polars as pl

    return pl.col(rule.columns[0])


def _null(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).is_null()


def _repeated(rule: Rule, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    complete = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
    return complete & pl.struct(rule.columns).is_duplicated()


def _key(rule: Rule, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    return pl.any_horizontal(pl.col(name).is_null() for name in rule.columns) | _repeated(rule, schema)


def _too_short(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.len_chars() < int(rule.arguments["value"])


def _too_long(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.len_chars() > int(rule.arguments["value"])


def _unmatched(rule: Rule, schema: pl.Schema) -> pl.Expr:
    return _col(rule).str.contains(rule.arguments["value"]).not_()


def _beyond(operator: str) -> Bad:
    def bad(rule: Rule, schema: pl.Schema) -> pl.Expr:
        import polars as pl

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
    import polars as pl

    scale = getattr(dtype, "scale", 0) or 0
    scaled = bound * 10**scale
    moved = -(-scaled.numerator // scaled.denominator) if operator in ("<", ">=") else scaled.__floor__()
    return _compared(_units(column, scale), operator, pl.lit(moved, dtype=pl.Int128))


def _units(column: pl.Expr, scale: int) -> pl.Expr:
    import polars as pl

    if not scale:
        return column.cast(pl.Int128)
    return (column.cast(pl.Decimal(38, scale)) * pl.lit(10**scale)).cast(pl.Int128)


def _no_multiple(rule: Rule, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    dtype, step = schema[rule.columns[0]], exact(rule.arguments["value"])
    column = _col(rule)
    if dtype.is_float():
        wide = column.cast(pl.Float64)
        return column.is_finite().not_() | (column != _nearest_multiple(wide, step).cast(dtype))
    scale = getattr(dtype, "scale", 0) or 0
    return _units(column, scale) % pl.lit((step * 10**scale).numerator, dtype=pl.Int128) != 0


def _nearest_multiple(column: pl.Expr, step: Fraction) -> pl.Expr:
    """The float nearest to a multiple. By numpy: polars divides by multiplying by 1/x, and rounds twice."""
    import numpy as np
    import polars as pl

    p, q = float(step.numerator), float(step.denominator)

    def nearest(values: pl.Series) -> pl.Series:
        with np.errstate(over="ignore", invalid="ignore"):
            return pl.Series(np.round(values.to_numpy() * q / p) * p / q)

    return column.map_batches(nearest, return_dtype=pl.Float64)


def _invalid(rule: Rule, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    bad: list[pl.Expr] = []
    if (valid := rule.arguments.get("validValues")) is not None:
        bad.append(_among(rule, schema, [value for value in valid if value is not None]).not_())
    if (pattern := rule.arguments.get("pattern")) is not None:
        bad.append(_col(rule).str.contains(pattern).not_())
    return _col(rule).is_not_null() & pl.any_horizontal(bad)


def _missing(rule: Rule, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    values = rule.arguments["missingValues"]
    listed = _among(rule, schema, [value for value in values if value is not None])
    return listed | (_col(rule).is_null() if None in values else pl.lit(False))


def _among(rule: Rule, schema: pl.Schema, values: list[Any]) -> pl.Expr:
    import polars as pl

    dtype = schema[rule.columns[0]]
    typed = [_moment(value) for value in values] if dtype.is_temporal() else values
    return pl.any_horizontal(pl.lit(False), *(_col(rule) == pl.lit(value, dtype=dtype) for value in typed))


def _moment(value: Any) -> date | datetime | time:
    """An ISO 8601 date, time or timestamp of the contract, as stored.moment reads it for the audit."""
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]  # YAML already read it
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
_ROW_COUNTS = frozenset({"row_count", "row_count_positive"})


def _dtype(column: Column) -> Any:
    """The polars type of a stored column; None (not checked) where polars has none of its own."""
    import polars as pl

    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", column.physical_type):
        return pl.Decimal(int(decimal.group(1)), int(decimal.group(2)))
    names = {
        "VARCHAR": pl.String, "BOOLEAN": pl.Boolean, "DATE": pl.Date, "TIME": pl.Time, "BLOB": pl.Binary,
        "TINYINT": pl.Int8, "SMALLINT": pl.Int16, "INTEGER": pl.Int32, "BIGINT": pl.Int64,
        "UTINYINT": pl.UInt8, "USMALLINT": pl.UInt16, "UINTEGER": pl.UInt32, "UBIGINT": pl.UInt64,
        "FLOAT": pl.Float32, "DOUBLE": pl.Float64, "TIMESTAMP": pl.Datetime("us"),
        "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    return names.get(column.physical_type)
