"""Rules that no row can answer alone: keys that must not repeat, and rows that must point at something.

Both are exact over the product as it will be once the draft is published. How little of the partitions beside
the draft that takes is decided here: see `Subject.kept_elsewhere`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from mesh_assets.capabilities.checks.compile import Check, Pass
from mesh_assets.capabilities.checks.duplicates import as_counted, find_repeats, reaches_elsewhere
from mesh_assets.capabilities.checks.format import metric_result, row_result, share, threshold
from mesh_assets.capabilities.checks.references import looked_at, orphan_rows, orphans_together, target_of
from mesh_assets.capabilities.checks.results import Results
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.words.rules import RuleResult

_FREE_OF_REPEATS = frozenset({"unique", "primary_key"})


def answer_duplicates(results: Results, checks: Sequence[Check]) -> None:
    """Once per key: `unique`, `primaryKey` and `duplicateValues` of the same columns share the answer."""
    mine = [check for check in checks if check.by is Pass.DUPLICATES]
    kept = results.subject.kept_elsewhere
    settled = {c.rule.columns for c in mine if c.rule.kind in _FREE_OF_REPEATS and c.rule.id in kept}
    for check in mine:
        results.settle(check, partial(_repeated, results, check, settled=check.rule.columns in settled))


def _repeated(results: Results, check: Check, *, settled: bool) -> RuleResult:
    rule, seen = check.rule, results.seen
    subject = as_counted(results.subject, metric=check.metric)
    if check.counted in seen.broken:
        raise CannotRun(seen.broken[str(check.counted)])
    key = results.key_of(check)
    if key not in results.repeats:
        results.repeats[key] = find_repeats(
            subject, rule.columns, settled=settled, number=len(results.repeats)
        )
    nulls = seen.counts[check.counted] if check.counted else 0
    count = results.repeats[key].rows + nulls
    rows = results.rows_of_product if reaches_elsewhere(subject, rule.columns) else seen.rows
    if not check.metric:
        return row_result(rule, count, rows)
    measure = share(count, rows) if threshold(rule).percent else Fraction(count)
    return metric_result(rule, measure, rows, count=count)


def answer_references(results: Results, checks: Sequence[Check]) -> None:
    """Rules that point at the same columns of the same product are answered together."""
    together: defaultdict[tuple[str, ...], list[Check]] = defaultdict(list)
    for check in checks:
        if check.by is Pass.REFERENCE:
            together[target_of(check.rule)].append(check)
    for same in together.values():
        counts = _shared(results, same)
        for check in same:
            results.settle(check, partial(_pointing_nowhere, results, check, counts.get(check.rule.id)))


def _shared(results: Results, same: Sequence[Check]) -> dict[str, int]:
    import duckdb

    if len(same) == 1:
        return {}
    try:
        return orphans_together(results.subject, [check.rule for check in same])
    except (CannotRun, duckdb.Error):  # one of them cannot run with the others: each by itself
        return {}


def _pointing_nowhere(results: Results, check: Check, count: int | None) -> RuleResult:
    subject, rule = results.subject, check.rule
    orphans = orphan_rows(subject, rule) if count is None else count
    everywhere = looked_at(subject, rule) != subject.relation
    return row_result(rule, orphans, results.rows_of_product if everywhere else results.seen.rows)
