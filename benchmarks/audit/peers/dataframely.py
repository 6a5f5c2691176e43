"""dataframely on a lazy polars scan: `filter` gives the good rows, and counts for each rule."""

from __future__ import annotations

import datetime
from typing import Any

from benchmarks.audit.data import CODE, COLUMNS, RULES, STATUS, ZIP
from benchmarks.audit.peers import SAMPLE, Counts, run

#: Its names of rules, where they are not ours.
NAMES = {
    "required": "nullability",
    "minimum": "min",
    "maximum": "max",
    "pattern": "regex",
    "valid": "check__status_valid",
}


def check(path: str, rows: bool) -> Counts:
    import dataframely as dy
    import polars as pl

    _good, failed = _schema(dy, pl).filter(pl.scan_parquet(path))
    counts = failed.counts()
    if rows:
        assert failed.invalid().head(SAMPLE).height
    return {rule: counts.get(_name(rule), 0) for rule in RULES}


def _schema(dy: Any, pl: Any) -> Any:
    first, last = datetime.date(2020, 1, 1), datetime.date(2026, 1, 1)
    types = {
        "id": (dy.Int64, {}),
        "code": (dy.String, {"regex": CODE}),
        "status": (dy.String, {"check": {"status_valid": lambda column: column.is_in(STATUS)}}),
        "amount": (lambda **options: dy.Decimal(12, 2, **options), {"min": 0, "max": 10000}),
        "quantity": (dy.Int32, {"min": 1, "max": 1000}),
        "price": (dy.Float64, {"min": 0, "max": 1000}),
        "ordered": (dy.Date, {"min": first, "max": last}),
        "updated": (dy.Datetime, {}),
        "zip": (dy.String, {"regex": ZIP}),
        "email": (dy.String, {"min_length": 5, "max_length": 40}),
    }
    columns = {
        name: make(nullable=f"{name}_required" not in RULES, unique=f"{name}_unique" in RULES, **options)
        for name, (make, options) in types.items()
    }
    assert set(columns) == set(COLUMNS)
    return type("Orders", (dy.Schema,), columns)


def _name(rule: str) -> str:
    column, _, kind = rule.partition("_")
    return f"{column}|{NAMES.get(kind, kind)}"


if __name__ == "__main__":
    run(check)
