"""Pandera on an eager polars frame, with an exact answer for every check by its name.

Pandera is told here and nowhere else how to run: on data as well as on the schema, whatever the environment
says (`PANDERA_VALIDATION_DEPTH=SCHEMA_ONLY` and a LazyFrame both make it pass everything), and a check that
did not run is an error, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import SAMPLE_ROWS, one_line
from mesh_assets.words.rules import Rule

if TYPE_CHECKING:
    import pandera.polars as pa
    import polars as pl


@dataclass(frozen=True)
class Failed:
    """What one check found in a frame."""

    rows: int = 0
    #: Positions of the failing rows.
    positions: tuple[int, ...] = ()
    #: Set if the check could not run.
    error: str | None = None


def judging_schema(rule: Rule, judge: Callable[[pl.DataFrame], Any]) -> pa.DataFrameSchema:
    """A pandera schema with one check: the function, applied to the columns that the rule names."""
    import pandera.polars as pa

    def judged(data: Any) -> pl.LazyFrame:
        frame: pl.DataFrame = data.lazyframe.select(rule.columns).collect()
        return _one_column(judge(frame), frame, rule)

    return pa.DataFrameSchema(checks=[pa.Check(judged, name=rule.id, n_failure_cases=SAMPLE_ROWS)])


def _one_column(answer: Any, frame: pl.DataFrame, rule: Rule) -> pl.LazyFrame:
    import polars as pl

    told = frame.select(answer).to_series() if isinstance(answer, pl.Expr) else answer
    if not isinstance(told, pl.Series) or told.dtype != pl.Boolean or len(told) != frame.height:
        raise TypeError(
            f"{rule.id} must return one boolean per row as a polars Series or expression; "
            f"it returned {_what(told)} for {frame.height} rows"
        )
    # The room's rule for nulls: what cannot be judged is not held against the row.
    return told.fill_null(True).alias("good").to_frame().lazy()


def _what(told: Any) -> str:
    import polars as pl

    if isinstance(told, pl.Series):
        return f"a Series of {len(told)} {told.dtype}"
    return f"a {type(told).__name__}"


def failed_checks(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Mapping[str, Failed]:
    """Every named check of the schema, and what it found in the frame."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    names = [check.name for check in schema.checks]
    names += [check.name for column in schema.columns.values() for check in column.checks]
    found = {str(name): Failed() for name in names}
    try:
        with config_context(
            validation_enabled=True,
            validation_depth=ValidationDepth.SCHEMA_AND_DATA,
            use_narwhals_backend=False,
        ):
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            found[_name(error)] = _failed(error)
    return found


def _name(error: Any) -> str:
    return str(getattr(error.check, "name", None) or error.check)


def _failed(error: Any) -> Failed:
    import polars as pl

    output = error.check_output
    if error.reason_code is not None and error.reason_code.name == "CHECK_ERROR":
        return Failed(error=one_line(error.failure_cases))
    if not isinstance(output, pl.DataFrame):
        return Failed(error=one_line(error))
    positions = output.to_series().not_().arg_true()
    return Failed(rows=len(positions), positions=tuple(positions))
