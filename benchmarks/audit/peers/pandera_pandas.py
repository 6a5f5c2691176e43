"""pandera on a pandas frame with Arrow types, all errors collected: failure cases are the failing rows."""

from __future__ import annotations

from benchmarks.audit.data import RULES
from benchmarks.audit.peers import Counts, run
from benchmarks.audit.peers.pandera_polars import columns, rule_of


def check(path: str, rows: bool) -> Counts:
    import pandas as pd
    import pandera.pandas as pa

    found = dict.fromkeys(RULES, 0)
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    try:
        pa.DataFrameSchema(columns(pa)).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.groupby(["column", "check"]).size()
        found.update((rule_of(column, name), count) for (column, name), count in cases.items())
    return found


if __name__ == "__main__":
    run(check)
