"""pandera on an ibis table over DuckDB. It takes `unique=True` and does not look: eighteen of the rules."""

from __future__ import annotations

from typing import Any

from benchmarks.audit.data import RULES
from benchmarks.audit.peers import SAMPLE, Answer, run
from benchmarks.audit.peers.pandera_polars import columns, rule_of

NOT_LOOKED_AT = "unique=True is taken and not looked at"


def check(path: str, rows: bool) -> Answer:
    import ibis
    import pandera.ibis as pa

    found: dict[str, int | str] = dict.fromkeys(RULES, 0)
    found.update((rule, NOT_LOOKED_AT) for rule in RULES if rule.endswith("_unique"))
    try:
        pa.DataFrameSchema(columns(pa)).validate(ibis.duckdb.connect().read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as errors:
        for error in errors.schema_errors:
            check = error.check if isinstance(error.check, str) else error.check.name
            found[rule_of(error.schema.name, check)] = _count(error.failure_cases, rows)
    return found


def _count(cases: Any, rows: bool) -> int:
    """Failure cases are a pandas frame, or an ibis table that nobody has asked yet."""
    if not hasattr(cases, "execute"):
        return len(cases)
    if rows:
        assert len(cases.limit(SAMPLE).execute())
    return int(cases.count().execute())


if __name__ == "__main__":
    run(check)
