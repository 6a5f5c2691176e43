"""Running a contract's rules over a draft: one scan, a few passes that one scan cannot do, one verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.compile import Check, Pass, compile_rules
from mesh_assets.capabilities.checks.conditions import EVERY_ROW
from mesh_assets.capabilities.checks.duplicates import duplicate_rows
from mesh_assets.capabilities.checks.failures import sample
from mesh_assets.capabilities.checks.format import (
    error_result,
    metric_result,
    positive_result,
    row_result,
    share,
    threshold,
)
from mesh_assets.capabilities.checks.judge import run_expectations
from mesh_assets.capabilities.checks.references import orphan_rows
from mesh_assets.capabilities.checks.sandbox import measure, sandbox
from mesh_assets.capabilities.checks.scan import Scan, counts_elsewhere, scan
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, Rule, RuleResult, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def audit(
    con: DuckDBPyConnection,
    relation_sql: str,
    contract: Contract,
    *,
    references: Mapping[ProductName, str] | None = None,
    partition_column: str | None = None,
    extra_rules: Sequence[Rule] = (),
    whole_sql: str | None = None,
    expectations: Path | None = None,
) -> Verdict:
    """Every rule of the contract, and of the domain's expectations, over a draft.

    Relations are queries, or SQL that can stand behind FROM. `references` has one for each foreign key's
    target at its pinned version. `whole_sql` is the partitions that are published already and not in this
    draft, so that rules about the whole product (keys, counts, metrics, sql) are exact. `expectations` is
    the file of the extra rules of kind `pandera`. A rule that cannot run is an error of that rule alone.
    """
    subject = look_at(
        Subject(con, relation_sql, contract, dict(references or {}), partition_column, whole_sql)
    )
    rules = (*contract.rules, *extra_rules)
    checks, broken = compile_rules(rules, subject.stored)
    seen = scan(subject, checks)
    results = _Results(subject, seen, expectations, broken)
    for answer in (_scanned, _duplicates, _orphans, _queries, _expectations):
        answer(results, checks)
    return Verdict(
        results=tuple(results.of(rule) for rule in rules),
        rows=seen.rows,
        fingerprints=seen.fingerprints,
        partition_rows=seen.partition_rows,
    )


@dataclass
class _Results:
    """Results as they arrive, rule by rule."""

    subject: Subject
    seen: Scan
    expectations: Path | None
    broken: dict[str, str]
    found: dict[str, RuleResult] = field(default_factory=dict)

    def settle(self, check: Check, answer: Callable[[], RuleResult]) -> None:
        """Keep what a check answers, with failing rows; what goes wrong is an error of this check alone."""
        import duckdb

        try:
            self.found[check.rule.id] = self._with_rows(check, answer())
        except (CannotRun, duckdb.Error) as reason:
            self.broken[check.rule.id] = str(reason)

    def _with_rows(self, check: Check, result: RuleResult) -> RuleResult:
        if result.outcome is not Outcome.FAILED or not result.failed_rows or result.sample:
            return result
        return replace(result, sample=sample(self.subject, check))

    def of(self, rule: Rule) -> RuleResult:
        reason = self.broken.get(rule.id, "it gave no result")
        return self.found.get(rule.id) or error_result(rule, reason, self.seen.rows)


def _scanned(results: _Results, checks: Sequence[Check]) -> None:
    """Rules that the one scan answered; measures take the published partitions in as well."""
    mine = [check for check in checks if check.by is Pass.SCAN]
    elsewhere = _elsewhere(results, [check for check in mine if check.measured_on_product])
    for check in mine:
        results.settle(check, partial(_counted, results.seen, check, elsewhere))


def _elsewhere(results: _Results, checks: Sequence[Check]) -> Mapping[str, int]:
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


def _duplicates(results: _Results, checks: Sequence[Check]) -> None:
    """One pass per distinct key: `unique` and `primaryKey` of the same columns share it."""
    counted = cache(partial(duplicate_rows, results.subject))
    for check in checks:
        if check.by is Pass.DUPLICATES:
            results.settle(check, partial(_repeated, results, check, counted))


def _repeated(results: _Results, check: Check, counted: Callable[[tuple[str, ...]], int]) -> RuleResult:
    rows, rule = results.seen.rows, check.rule
    count = counted(rule.columns) + (results.seen.counts.get(check.counted, 0) if check.counted else 0)
    if not check.metric:
        return row_result(rule, count, rows)
    measure = share(count, rows) if threshold(rule).percent else Fraction(count)
    return metric_result(rule, measure, rows, count=count)


def _orphans(results: _Results, checks: Sequence[Check]) -> None:
    for check in checks:
        if check.by is Pass.REFERENCE:
            results.settle(check, partial(_pointing_nowhere, results, check))


def _pointing_nowhere(results: _Results, check: Check) -> RuleResult:
    return row_result(check.rule, orphan_rows(results.subject, check.rule), results.seen.rows)


def _queries(results: _Results, checks: Sequence[Check]) -> None:
    mine = [check for check in checks if check.by is Pass.SQL]
    if not mine:
        return
    with sandbox(results.subject, [check.rule for check in mine]) as con:
        for check in mine:
            results.settle(check, partial(_measured, results, check, con))


def _measured(results: _Results, check: Check, con: DuckDBPyConnection) -> RuleResult:
    return metric_result(check.rule, measure(con, results.subject, check.rule), results.seen.rows)


def _expectations(results: _Results, checks: Sequence[Check]) -> None:
    mine = [check.rule for check in checks if check.by is Pass.PANDERA]
    if mine:
        found = run_expectations(results.subject, mine, path=results.expectations)
        results.found.update({result.rule.id: result for result in found})
