"""Running a contract's rules over a draft: one scan, a few passes that one scan cannot do, one verdict."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.columns import columns_result
from mesh_assets.capabilities.checks.compile import Check, Pass, compile_rules
from mesh_assets.capabilities.checks.conditions import EVERY_ROW
from mesh_assets.capabilities.checks.format import (
    metric_result,
    positive_result,
    row_result,
    share,
    threshold,
)
from mesh_assets.capabilities.checks.judge import run_expectations
from mesh_assets.capabilities.checks.measures import Answers, answer_measures, measured_result
from mesh_assets.capabilities.checks.memory import bounded_memory, footers_kept
from mesh_assets.capabilities.checks.nested import rows_repeated_inside
from mesh_assets.capabilities.checks.results import Results
from mesh_assets.capabilities.checks.sandbox import (
    SQL_EXPECTATION_SECONDS,
    SQL_RULE_SECONDS,
    measure,
    sandbox,
)
from mesh_assets.capabilities.checks.scan import Scan, counts_elsewhere, scan
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.capabilities.checks.wholes import answer_duplicates, answer_references
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule, RuleResult, Verdict, products_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def audit(  # noqa: PLR0913 - an audit is asked this much, each of its own kind
    con: DuckDBPyConnection,
    relation_sql: str,
    contract: Contract,
    *,
    references: Mapping[ProductName, str] | None = None,
    partition_column: str | None = None,
    extra_rules: Sequence[Rule] = (),
    whole_sql: str | None = None,
    expectations: Path | None = None,
    only: Collection[str] | None = None,
    baselines: Mapping[str, str] | None = None,
    clock: datetime | None = None,
    kept_elsewhere: Collection[str] = (),
) -> Verdict:
    """Every rule of the contract, and of the domain's expectations, over a draft.

    Relations are queries, or SQL that can stand behind FROM. `references` has one for each foreign key's
    target at its pinned version. `whole_sql` is the partitions that are published already and not in this
    draft, so that rules about the whole product (keys, counts, metrics, sql) are exact. `expectations` is
    the file of the extra rules of kind `pandera`. With `only`, the ids of some rules, no pass runs that none
    of them needs, and nothing is fingerprinted. `baselines` has the versions that rules of change compare
    with ("previous", "same weekday"); `clock` is the time of the audit, now unless said. `kept_elsewhere` are
    ids of keys and foreign keys that `whole_sql` is known to keep against these very references: of them,
    only what the draft changes is looked at. A rule that cannot run is an error of that rule alone.
    """
    subject = look_at(
        Subject(
            con,
            relation_sql,
            contract,
            dict(references or {}),
            partition_column,
            whole_sql,
            fingerprinted=only is None,
            baselines=dict(baselines or {}),
            clock=clock or datetime.now(UTC),
            kept_elsewhere=frozenset(kept_elsewhere),
        )
    )
    rules = tuple(rule for rule in (*contract.rules, *extra_rules) if only is None or rule.id in only)
    checks, broken = compile_rules(rules, subject.stored)
    with bounded_memory(con), footers_kept(con):
        seen = scan(subject, checks)
        results = Results(subject, seen, expectations, broken)
        for answer in _PASSES:
            answer(results, checks)
        results.add_samples(checks)
    return Verdict(
        results=tuple(results.of(rule) for rule in rules),
        rows=seen.rows,
        fingerprints=seen.fingerprints,
        partition_rows=seen.partition_rows,
    )


def _columns(results: Results, checks: Sequence[Check]) -> None:
    for check in checks:
        if check.by is Pass.COLUMNS:
            answer = partial(columns_result, results.subject, check.rule, results.seen.rows)
            results.settle(check, answer)


def _repeated_inside(results: Results, checks: Sequence[Check]) -> None:
    for check in checks:
        if check.by is Pass.INSIDE:
            results.settle(check, partial(_inside, results, check))


def _inside(results: Results, check: Check) -> RuleResult:
    rows, rule = results.seen.rows, check.rule
    count = rows_repeated_inside(results.subject, rule)
    if not check.metric:
        return row_result(rule, count, rows)
    measure = share(count, rows) if threshold(rule).percent else Fraction(count)
    return metric_result(rule, measure, rows, count=count)


def _scanned(results: Results, checks: Sequence[Check]) -> None:
    """Rules that the one scan answered; measures take the published partitions in as well."""
    mine = [check for check in checks if check.by is Pass.SCAN]
    whole = [check for check in mine if check.measured_on_product]
    elsewhere, broken = _elsewhere(results, whole)
    for check in mine:
        if check.measured_on_product and check.counted in broken:
            results.broken[check.rule.id] = broken[str(check.counted)]
        else:
            # A row rule may share its condition with a metric, and is about the draft alone.
            more = elsewhere if check.measured_on_product else {}
            results.settle(check, partial(_counted, results.seen, check, more))


def _elsewhere(results: Results, checks: Sequence[Check]) -> tuple[Mapping[str, int], Mapping[str, str]]:
    good = [check for check in checks if check.counted not in results.seen.broken]
    return counts_elsewhere(results.subject, good)


def _counted(seen: Scan, check: Check, elsewhere: Mapping[str, int]) -> RuleResult:
    condition = str(check.counted)
    if condition in seen.broken:
        raise CannotRun(seen.broken[condition])
    count = seen.counts[condition] + elsewhere.get(condition, 0)
    rows = seen.rows + elsewhere.get(EVERY_ROW, 0)
    if check.rule.kind == "row_count_positive":
        return positive_result(check.rule, count)
    if not check.metric:
        return row_result(check.rule, count, seen.rows)
    measure = share(count, rows) if threshold(check.rule).percent else Fraction(count)
    return metric_result(check.rule, measure, rows, count=None if condition == EVERY_ROW else count)


def _measures(results: Results, checks: Sequence[Check]) -> None:
    mine = [check for check in checks if check.by is Pass.MEASURE]
    if not mine:
        return
    along = results.seen.measured
    answers = Answers(along, {}) if along else answer_measures(results.subject, mine)
    for check in mine:
        results.settle(check, partial(measured_result, results.subject, check, answers, results.seen.rows))


def _queries(results: Results, checks: Sequence[Check]) -> None:
    import duckdb

    mine = [check for check in checks if check.by is Pass.SQL]
    for writer in dict.fromkeys(check.rule.expected_by for check in mine):
        theirs = [check for check in mine if check.rule.expected_by == writer]
        try:
            _answer_with_sql(results, theirs)
        except (CannotRun, duckdb.Error) as reason:  # what they read cannot be lent: nobody else's business
            results.broken.update({check.rule.id: str(reason) for check in theirs})


def _answer_with_sql(results: Results, checks: Sequence[Check]) -> None:
    rules = [check.rule for check in checks]
    with sandbox(_readable(results.subject, rules), rules) as con:
        for check in checks:
            results.settle(check, partial(_measured, results, check, con))


def _readable(subject: Subject, rules: Sequence[Rule]) -> Subject:
    """Queries read what their own file names, and not what the product is made from or others' rules name."""
    named = {name for rule in rules for name in products_of(rule)}
    lent = {name: sql for name, sql in subject.references.items() if name in named}
    return replace(subject, references=lent)


def _measured(results: Results, check: Check, con: DuckDBPyConnection) -> RuleResult:
    seconds = SQL_RULE_SECONDS if check.rule.expected_by is None else SQL_EXPECTATION_SECONDS
    measured = measure(con, results.subject, check.rule, seconds=seconds)
    return metric_result(check.rule, measured, results.seen.rows)


def _expectations(results: Results, checks: Sequence[Check]) -> None:
    mine = [check.rule for check in checks if check.by is Pass.PANDERA]
    if mine:
        found = run_expectations(results.subject, mine, path=results.expectations)
        results.found.update({result.rule.id: result for result in found})


#: What answers the rules, in the order in which it runs.
_PASSES: tuple[Callable[[Results, Sequence[Check]], None], ...] = (
    _columns,
    _scanned,
    answer_duplicates,
    _repeated_inside,
    answer_references,
    _measures,
    _queries,
    _expectations,
)
