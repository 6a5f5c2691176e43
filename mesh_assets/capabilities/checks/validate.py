"""One judgement of one eager polars frame: a pandera check, or a function of a domain's own.

Here: calling it, and an exact answer: which rows are bad, or one answer for the whole table.
Not here: whose rule it is, and where the frames come from (judge).

A pandera check runs on pandera's own polars backend, which is called here by its name: no setting of the
environment (validation depth, validation switched off, another backend registered) turns a check off, and
what that backend would pass over in silence is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import one_line
from mesh_assets.capabilities.checks.stored import CannotRun

if TYPE_CHECKING:
    import pandera.polars as pa
    import polars as pl


@dataclass(frozen=True)
class Answer:
    """What one judgement of a frame found."""

    holds: bool
    #: Positions of the bad rows; None if it is about the whole table, and has one answer.
    bad: Sequence[int] | None = None


def judged_by_row(told: Any, frame: pl.DataFrame) -> Answer:
    """The answer of a function that returns a boolean Series or expression, true on good rows."""
    import polars as pl

    series = frame.select(told).to_series() if isinstance(told, pl.Expr) else told
    if not isinstance(series, pl.Series) or series.dtype != pl.Boolean or len(series) != frame.height:
        raise CannotRun(
            "it must return one boolean per row as a polars Series or expression; "
            f"it returned {_what(series)} for {frame.height} rows"
        )
    # The room's rule for nulls: what cannot be judged is not held against the row.
    bad = series.not_().fill_null(False).arg_true()
    return Answer(holds=not len(bad), bad=bad.to_list())


def judged_as_table(told: Any, frame: pl.DataFrame) -> Answer:
    """The answer of a function about the whole table: true or false."""
    import polars as pl

    answer = frame.select(told).to_series() if isinstance(told, pl.Expr) else told
    if isinstance(answer, pl.Series) and answer.dtype == pl.Boolean and len(answer) == 1:
        answer = answer.item()
    if not isinstance(answer, bool):
        raise CannotRun(f"it must return true or false for the whole table; it returned {_what(answer)}")
    return Answer(answer)


def judged_by_pandera(check: Any, frame: pl.DataFrame) -> Answer:
    """The answer of a pandera check: of the frame's only column, or of all of them."""
    import pandera.backends.polars.builtin_checks  # noqa: F401  registers them
    import pandera.polars as pa
    from pandera.backends.polars.checks import PolarsCheckBackend

    if not isinstance(check, pa.Check):
        raise CannotRun(f"it must return a pandera Check; it returned {_what(check)}")
    if check.groupby is not None:
        raise CannotRun("pandera's polars backend ignores `groupby`; group in the check's own function")
    key = frame.columns[0] if len(frame.columns) == 1 else None
    result = PolarsCheckBackend(check)(frame.lazy(), key)
    told = result.check_output.collect().to_series()
    if result.failure_cases is None or (len(told) == 1 != frame.height):
        return Answer(bool(told.all()))
    if len(told) != frame.height:
        raise CannotRun(f"its check answered {len(told)} times for {frame.height} rows")
    bad = told.not_().arg_true()
    return Answer(holds=not len(bad), bad=bad.to_list())


def guarded(judge: Any, *arguments: Any) -> Any:
    """What a domain's code returns; whatever it raises is the reason why its rule could not run."""
    from polars.exceptions import PanicException

    try:
        return judge(*arguments)
    except CannotRun:
        raise
    # SystemExit and polars' panic are no Exceptions, and still say nothing about any other rule.
    except (Exception, SystemExit, PanicException) as error:
        raise CannotRun(f"{type(error).__name__}: {one_line(error)}") from error


def _what(told: Any) -> str:
    import polars as pl

    if isinstance(told, pl.Series):
        return f"a Series of {len(told)} {told.dtype}"
    return f"a {type(told).__name__}"


def check_named(name: str, arguments: dict[str, Any]) -> pa.Check:
    """A registered pandera check with its arguments."""
    import pandera.polars as pa

    if not (name in pa.Check.CHECK_FUNCTION_REGISTRY or name in pa.Check.REGISTERED_CUSTOM_CHECKS):
        raise CannotRun(f"pandera has no check {name!r} registered")
    check: pa.Check = getattr(pa.Check, name)(**arguments)
    return check


def python_value(value: Any, dtype: pl.DataType) -> Any:
    """A value of a contract as polars compares it with this column: YAML has neither dates nor decimals."""
    import polars as pl

    if isinstance(value, str) and dtype.is_temporal():
        if dtype == pl.Time:
            return time.fromisoformat(value)
        return (date if dtype == pl.Date else datetime).fromisoformat(value)
    if dtype.is_decimal() and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    if dtype.is_float() and isinstance(value, Decimal):
        raise CannotRun(f"{value} has more digits than a double holds")
    if dtype.is_float() and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
