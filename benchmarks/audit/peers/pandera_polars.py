"""pandera on an eager polars frame, all errors collected: its failure cases are the failing rows."""

from __future__ import annotations

import datetime
from typing import Any

from benchmarks.audit.data import CODE, COLUMNS, RULES, STATUS, ZIP
from benchmarks.audit.peers import Counts, run

#: pandera's names of what is no check.
BUILT_IN = {"not_nullable": "required", "field_uniqueness": "unique"}


def check(path: str, rows: bool) -> Counts:
    import pandera.polars as pa
    import polars as pl

    found = dict.fromkeys(RULES, 0)
    try:
        pa.DataFrameSchema(columns(pa)).validate(pl.read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.group_by("column", "check").len()
        found.update((rule_of(column, name), count) for column, name, count in cases.rows())
    return found


def columns(pa: Any) -> dict[str, Any]:
    """The twenty rules, for pandera.polars or pandera.pandas."""
    check, first, last = pa.Check, datetime.date(2020, 1, 1), datetime.date(2026, 1, 1)
    checks = {
        "code": [check.str_matches(CODE, **named("code_pattern"))],
        "status": [check.isin(STATUS, **named("status_valid"))],
        "amount": [check.ge(0, **named("amount_minimum")), check.le(10000, **named("amount_maximum"))],
        "quantity": [check.ge(1, **named("quantity_minimum")), check.le(1000, **named("quantity_maximum"))],
        "price": [check.ge(0, **named("price_minimum")), check.le(1000, **named("price_maximum"))],
        "ordered": [check.ge(first, **named("ordered_minimum")), check.le(last, **named("ordered_maximum"))],
        "zip": [check.str_matches(ZIP, **named("zip_pattern"))],
        "email": [
            check.str_length(min_value=5, **named("email_min_length")),
            check.str_length(max_value=40, **named("email_max_length")),
        ],
    }
    return {
        name: pa.Column(
            checks=checks.get(name, []),
            nullable=f"{name}_required" not in RULES,
            unique=f"{name}_unique" in RULES,
        )
        for name in COLUMNS
    }


def named(rule: str) -> dict[str, str]:
    """Failure cases carry the name on polars, and the error on pandas."""
    return {"name": rule, "error": rule}


def rule_of(column: str, name: str) -> str:
    """The rule that a failure case is about; pandera says `not_nullable` where it is built in."""
    return name if name in RULES else f"{column}_{BUILT_IN[name]}"


if __name__ == "__main__":
    run(check)
