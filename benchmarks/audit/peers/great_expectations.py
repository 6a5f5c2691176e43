"""Great Expectations on a pandas frame with Arrow types; failing values come with each result."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from typing import Any

from benchmarks.audit.data import CODE, RULES, STATUS, ZIP
from benchmarks.audit.peers import SAMPLE, Answer, run

#: Rule -> the expectation's name and its arguments.
BETWEEN, LENGTH = "ExpectColumnValuesToBeBetween", "ExpectColumnValueLengthsToBeBetween"
KINDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "required": ("ExpectColumnValuesToNotBeNull", {}),
    "unique": ("ExpectColumnValuesToBeUnique", {}),
    "valid": ("ExpectColumnValuesToBeInSet", {"value_set": list(STATUS)}),
    "min_length": (LENGTH, {"min_value": 5}),
    "max_length": (LENGTH, {"max_value": 40}),
}
BOUNDS: Mapping[str, tuple[Any, Any]] = {
    "amount": (0, 10000),
    "quantity": (1, 1000),
    "price": (0, 1000),
    "ordered": (datetime.date(2020, 1, 1), datetime.date(2026, 1, 1)),
}
PATTERNS = {"code": CODE, "zip": ZIP}


def check(path: str, rows: bool) -> Answer:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("files").add_dataframe_asset("orders")
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="orders", expectations=[_expectation(gx, rule) for rule in RULES])
    found = batch.validate(suite, result_format=_format(rows))
    return {str(each.expectation_config.meta["rule"]): _count(each) for each in found.results}


def _format(rows: bool) -> dict[str, Any]:
    return {
        "result_format": "SUMMARY" if rows else "BASIC",
        "partial_unexpected_count": SAMPLE if rows else 0,
    }


def _expectation(gx: Any, rule: str) -> Any:
    column, _, kind = rule.partition("_")
    name, arguments = _kind(column, kind)
    return getattr(gx.expectations, name)(column=column, meta={"rule": rule}, **arguments)


def _kind(column: str, kind: str) -> tuple[str, dict[str, Any]]:
    if kind == "pattern":
        return "ExpectColumnValuesToMatchRegex", {"regex": PATTERNS[column]}
    if kind in ("minimum", "maximum"):
        low, high = BOUNDS[column]
        return BETWEEN, {"min_value": low} if kind == "minimum" else {"max_value": high}
    return KINDS[kind]


def _count(result: Any) -> int | str:
    raised = result.exception_info.get("raised_exception")
    return "it raises an exception" if raised else int(result.result["unexpected_count"])


if __name__ == "__main__":
    run(check)
