"""Rules that need Python: a domain's expectations, and pandera checks that a contract names.

Here: importing the domain's file, the frames that a rule needs (at once, or batch by batch), what the
judgements add up to.
Not here: one judgement of one frame (validate), what the file declares (expectations).
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.clock import python_limit
from mesh_assets.capabilities.checks.format import SAMPLE_ROWS, error_result, plain, row_result
from mesh_assets.capabilities.checks.stored import CannotRun, reason_of
from mesh_assets.capabilities.checks.subject import MASK, Subject, quoted
from mesh_assets.capabilities.checks.validate import (
    Answer,
    check_named,
    guarded,
    judged_as_table,
    judged_by_pandera,
    judged_by_row,
    python_value,
)
from mesh_assets.words.rules import Outcome, Rule, RuleResult

if TYPE_CHECKING:
    import polars as pl

#: How long the Python of one rule may take.
PYTHON_RULE_SECONDS = 600.0

#: Rows that a judgement row by row (`batches=True`) sees at once.
BATCH_ROWS = 250_000

Judge = Callable[["pl.DataFrame"], Answer]


@dataclass(frozen=True)
class _Judged:
    rows: int
    #: None if the rule is about the whole table.
    failed: int | None
    holds: bool
    #: Key columns and the columns that the rule looked at, personal ones masked.
    failing: pl.DataFrame


def run_expectations(
    subject: Subject,
    rules: Sequence[Rule],
    *,
    path: Path | None = None,
    seconds: float = PYTHON_RULE_SECONDS,
) -> list[RuleResult]:
    """Judge the draft by each rule; one that raises, or takes too long, is an error of its rule alone."""
    functions = cache(_functions)
    results = []
    for rule in rules:
        try:
            with python_limit(seconds):
                judged = _judged(subject, rule, _judge(rule, path, functions), limit=SAMPLE_ROWS)
                results.append(_result(rule, judged))
        except Exception as error:  # whatever a rule raises says nothing about the others
            results.append(error_result(rule, reason_of(error), 0))
    return results


def failing_frame(subject: Subject, rule: Rule, limit: int, *, path: Path | None = None) -> pl.DataFrame:
    """The rows that an expectation found bad, up to the limit."""
    return _judged(subject, rule, _judge(rule, path, _functions), limit=limit).failing


def failing_positions(subject: Subject, rule: Rule, *, path: Path | None = None) -> list[int]:
    """Which rows an expectation found bad, counted from 0 in the order of the draft's files; CannotRun if it
    judges the table, and no row.
    """
    found: list[int] = []
    before = 0
    for frame, answer in _looked_at(subject, rule, _judge(rule, path, _functions)):
        if answer.bad is None:
            raise CannotRun("it is about the whole table, and names no row")
        found += [before + position for position in answer.bad]
        before += frame.height
    return found


def _result(rule: Rule, judged: _Judged) -> RuleResult:
    if judged.failed is None:
        outcome = Outcome.PASSED if judged.holds else Outcome.FAILED
        told = "holds" if judged.holds else "does not hold"
        return RuleResult(rule, outcome, None, judged.rows, summary=f"{told} for the table")
    told_rows = row_result(rule, judged.failed, judged.rows)
    rows = tuple({name: plain(value) for name, value in row.items()} for row in judged.failing.to_dicts())
    return RuleResult(
        rule, told_rows.outcome, judged.failed, judged.rows, summary=told_rows.summary, sample=rows
    )


def _judge(rule: Rule, path: Path | None, functions: Callable[[Path], Mapping[str, Any]]) -> Judge:
    """How the rule judges one frame of its own columns."""
    if rule.kind == "pandera_check":
        return _named(rule, functions)
    function = functions(_file(rule, path)).get(rule.id)
    if not callable(function):
        raise CannotRun(f"its file has no function {rule.id}")
    form = rule.arguments.get("form")
    if form == "check":
        return partial(judged_by_pandera, guarded(function))
    answer = judged_as_table if form == "table" else judged_by_row
    return lambda frame: answer(function(frame), frame)


def _named(rule: Rule, functions: Callable[[Path], Mapping[str, Any]]) -> Judge:
    """A check by its pandera name; those that are not pandera's own come from the domain's file."""
    from mesh_assets.capabilities.contracts.pandera_rules import BUILTINS

    name = str(rule.arguments["check"])
    if name not in BUILTINS:
        functions(beside_contract(rule))

    def judge(frame: pl.DataFrame) -> Answer:
        return judged_by_pandera(check_named(name, _typed(rule, frame)), frame)

    return judge


def _typed(rule: Rule, frame: pl.DataFrame) -> dict[str, Any]:
    """Values of the contract as values of the column: a date is no text, 0.1 is a decimal tenth."""
    types = [frame.schema[name] for name in rule.columns]
    given: dict[str, Any] = {}
    for key, value in rule.arguments["arguments"].items():
        listed = isinstance(value, list)
        values = [python_value(each, types[0]) for each in (value if listed else [value])]
        given[key] = values if listed else values[0]
    return given


def beside_contract(rule: Rule) -> Path:
    """Where a contract's domain registers pandera checks of its own."""
    if rule.place is None:
        raise CannotRun("it does not say in which folder its check is registered")
    return Path(rule.place.file).parent / "expectations.py"


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
    _forget_registered_checks()
    before = _registered_checks()
    try:
        guarded(spec.loader.exec_module, module)
    except CannotRun as reason:
        raise CannotRun(f"{path.name} raised {reason}") from reason
    _OURS.update(_registered_checks() - before)
    return vars(module)


#: Names that a domain's file registered with pandera when it was imported last.
_OURS: set[str] = set()


def _registered_checks() -> set[str]:
    pandera = sys.modules.get("pandera.api.checks")
    return set(pandera.Check.REGISTERED_CUSTOM_CHECKS) if pandera else set()


def _forget_registered_checks() -> None:
    """Pandera registers for the whole process and refuses a name twice: names live until the next file."""
    for name in _OURS & _registered_checks():
        del sys.modules["pandera.api.checks"].Check.REGISTERED_CUSTOM_CHECKS[name]
    _OURS.clear()


def _looked_at(subject: Subject, rule: Rule, judge: Judge) -> Iterator[tuple[pl.DataFrame, Answer]]:
    """Every frame of the draft, and what the rule found in it."""
    for frame in _frames(subject, rule):
        answer = guarded(judge, frame.select(rule.columns))
        if answer.bad is None and rule.arguments.get("batches"):
            raise CannotRun("it has one answer for the whole table, and was declared with batches")
        yield frame, answer


def _judged(subject: Subject, rule: Rule, judge: Judge, *, limit: int) -> _Judged:
    rows, failed, holds = 0, 0, True
    by_row = True
    kept: list[pl.DataFrame] = []
    for frame, answer in _looked_at(subject, rule, judge):
        rows, holds, by_row = rows + frame.height, holds and answer.holds, answer.bad is not None
        bad = answer.bad or ()
        failed += len(bad)
        if bad and sum(each.height for each in kept) < limit:
            kept.append(frame[list(bad[:limit])])
    return _Judged(rows, failed if by_row else None, holds, _shown(subject, kept, limit))


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


def _shown(subject: Subject, kept: Sequence[pl.DataFrame], limit: int) -> pl.DataFrame:
    import polars as pl

    if not kept:
        return pl.DataFrame()
    failing = pl.concat(kept).head(limit)
    personal = subject.contract.personal
    masked = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(MASK)).alias(name)
        for name in failing.columns
        if name in personal
    ]
    return failing.with_columns(masked)
