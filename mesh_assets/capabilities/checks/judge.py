"""Running a domain's expectations: pandera on eager polars frames, of the columns that each one needs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import SAMPLE_ROWS, error_result, one_line, plain, row_result
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import MASK, Subject, quoted
from mesh_assets.words.rules import Rule, RuleResult

if TYPE_CHECKING:
    import polars as pl

#: Rows that an expectation with `batches=True` sees at once.
BATCH_ROWS = 250_000

Judge = Callable[["pl.DataFrame"], Any]


@dataclass(frozen=True)
class _Judged:
    rows: int
    failed: int
    #: Key columns and the columns that the expectation looked at, personal ones masked.
    failing: pl.DataFrame


def run_expectations(
    subject: Subject, rules: Sequence[Rule], *, path: Path | None = None
) -> list[RuleResult]:
    """Judge the draft with each function; one that raises is an error of its rule alone."""
    import duckdb

    functions = cache(_functions)
    results = []
    for rule in rules:
        try:
            judged = _judged(subject, rule, functions(_file(rule, path)), limit=SAMPLE_ROWS)
            results.append(_result(rule, judged))
        except (CannotRun, duckdb.Error) as reason:
            results.append(error_result(rule, str(reason), 0))
    return results


def failing_frame(subject: Subject, rule: Rule, limit: int, *, path: Path | None = None) -> pl.DataFrame:
    """The rows that an expectation found bad, up to the limit."""
    return _judged(subject, rule, _functions(_file(rule, path)), limit=limit).failing


def _result(rule: Rule, judged: _Judged) -> RuleResult:
    told = row_result(rule, judged.failed, judged.rows)
    rows = tuple({name: plain(value) for name, value in row.items()} for row in judged.failing.to_dicts())
    return RuleResult(rule, told.outcome, judged.failed, judged.rows, summary=told.summary, sample=rows)


def _file(rule: Rule, path: Path | None) -> Path:
    if path is not None:
        return path
    if rule.place is None:
        raise CannotRun("it does not say in which file its function is")
    return Path(rule.place.file)


def _functions(path: Path) -> dict[str, Any]:
    """What the file defines; it is imported now, under a name that nothing else imports."""
    spec = importlib.util.spec_from_file_location(f"_mesh_expectations_{abs(hash(path))}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CannotRun(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the domain's file raises is about that file
        raise CannotRun(f"{path.name} raised {type(error).__name__}: {one_line(error)}") from error
    return vars(module)


def _judged(subject: Subject, rule: Rule, functions: dict[str, Any], *, limit: int) -> _Judged:
    from mesh_assets.capabilities.checks.validate import failed_checks, judging_schema

    judge = functions.get(rule.id)
    if not callable(judge):
        raise CannotRun(f"its file has no function {rule.id}")
    rows, failed = 0, 0
    kept: list[pl.DataFrame] = []
    for frame in _frames(subject, rule):
        bad = failed_checks(judging_schema(rule, judge), frame)[rule.id]
        if bad.error is not None:
            raise CannotRun(bad.error)
        rows, failed = rows + frame.height, failed + bad.rows
        if bad.rows and sum(each.height for each in kept) < limit:
            kept.append(frame[list(bad.positions[:limit])])
    return _Judged(rows, failed, _shown(subject, rule, kept, limit))


def _frames(subject: Subject, rule: Rule) -> Iterator[pl.DataFrame]:
    """Key columns and the columns of the rule: at once, or in batches if the rule judges row by row."""
    import polars as pl

    keys = [name for name in subject.contract.key if name in subject.stored]
    names = ", ".join(quoted(tuple(dict.fromkeys((*keys, *rule.columns)))))
    found = subject.con.execute(f"SELECT {names} FROM {subject.relation} AS draft")
    if not rule.arguments.get("batches"):
        yield found.pl()
        return
    # A cursor of its own: the connection's result would end with the next query on it.
    for batch in found.to_arrow_reader(BATCH_ROWS):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield frame


def _shown(subject: Subject, rule: Rule, kept: Sequence[pl.DataFrame], limit: int) -> pl.DataFrame:
    import polars as pl

    if not kept:
        return pl.DataFrame()
    failing = pl.concat(kept).head(limit)
    personal = {each.name for each in subject.contract.columns if each.classification == "personal"}
    masked = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(MASK)).alias(name)
        for name in failing.columns
        if name in personal
    ]
    return failing.with_columns(masked)
