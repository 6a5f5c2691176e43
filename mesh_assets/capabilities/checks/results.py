"""Results of an audit as they arrive: each rule is settled alone, and gets failing rows at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from mesh_assets.capabilities.checks.compile import Check, Pass
from mesh_assets.capabilities.checks.discreet import discreet
from mesh_assets.capabilities.checks.duplicates import Repeats, as_counted, forget, reaches_elsewhere
from mesh_assets.capabilities.checks.format import error_result
from mesh_assets.capabilities.checks.samples import Rows, sample_of, shared_samples
from mesh_assets.capabilities.checks.scan import Scan, rows_elsewhere
from mesh_assets.capabilities.checks.stored import reason_of
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.words.rules import Outcome, Rule, RuleResult


@dataclass
class Results:
    """What is known so far; what went wrong is an error of its rule alone."""

    subject: Subject
    seen: Scan
    expectations: Path | None
    broken: dict[str, str]
    found: dict[str, RuleResult] = field(default_factory=dict)
    #: By the columns of a key, and whether published partitions were looked at: the keys that repeat.
    repeats: dict[tuple[tuple[str, ...], bool], Repeats] = field(default_factory=dict)

    def settle(self, check: Check, answer: Callable[[], RuleResult]) -> None:
        """Keep what a check answers."""
        try:
            self.found[check.rule.id] = answer()
        except Exception as error:  # whatever a rule raises says nothing about the others
            self.broken[check.rule.id] = reason_of(error)

    def key_of(self, check: Check) -> tuple[tuple[str, ...], bool]:
        """Where the repeats of a check's columns are kept: checks that count the same share them."""
        columns = check.rule.columns
        return columns, reaches_elsewhere(as_counted(self.subject, metric=check.metric), columns)

    def of(self, rule: Rule) -> RuleResult:
        found = self.found.get(rule.id)
        if found is not None and rule.id not in self.broken:
            return discreet(self.subject.contract, found)
        told = error_result(rule, self.broken.get(rule.id, "it gave no result"), self.seen.rows)
        return discreet(self.subject.contract, told)

    @cached_property
    def rows_of_product(self) -> int:
        """Rows of the draft and of the published partitions beside it."""
        return self.seen.rows + rows_elsewhere(self.subject)

    def add_samples(self, checks: Sequence[Check]) -> None:
        """Give every failed rule some of its failing rows, and forget the keys that repeat."""
        failed = [check for check in checks if self._wants_rows(check)]
        shared = self._shared(failed)
        for check in failed:
            if check.rule.id in shared:
                self._add(check, shared[check.rule.id])
            else:
                self.settle(check, partial(self._with_rows, check))
        for repeats in self.repeats.values():
            forget(self.subject, repeats)

    def _wants_rows(self, check: Check) -> bool:
        result = self.found.get(check.rule.id)
        return bool(result and result.outcome is Outcome.FAILED and result.failed_rows and not result.sample)

    def _shared(self, failed: Sequence[Check]) -> dict[str, Rows]:
        import duckdb

        counted = [
            (check, self.found[check.rule.id].failed_rows or 0) for check in failed if check.by is Pass.SCAN
        ]
        try:
            return shared_samples(self.subject, counted, self.seen.rows)
        except duckdb.Error:  # one of them cannot be collected: each by itself then, and that one is told
            return {}

    def _with_rows(self, check: Check) -> RuleResult:
        rows = sample_of(self.subject, check, self.repeats.get(self.key_of(check)))
        return replace(self.found[check.rule.id], sample=rows)

    def _add(self, check: Check, rows: Rows) -> None:
        self.found[check.rule.id] = replace(self.found[check.rule.id], sample=rows)
