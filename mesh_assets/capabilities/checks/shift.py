"""A product against a version before: change of an aggregate, shift of a distribution, the schema.

Where there is nothing to compare with (no version before, or one without the column), a rule passes and its
result says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mesh_assets.capabilities.checks.format import metric_result, number, threshold
from mesh_assets.capabilities.checks.kinds import aggregate_sql, finite_sql, is_one_persons, measured_column
from mesh_assets.capabilities.checks.stored import (
    NUMBERS,
    CannotRun,
    Family,
    StoredColumn,
    exact,
)
from mesh_assets.capabilities.checks.subject import MASK, Subject, columns_of
from mesh_assets.words.rules import Outcome, Rule, RuleResult

#: Distances are sums of floating-point numbers: the twelfth decimal is the last that every run agrees on.
_DECIMALS = 12
_COMPARED = NUMBERS | {Family.TEXT, Family.BOOLEAN}


class NothingBefore(Exception):
    """There is nothing to compare with; the text says what is missing."""


def change_result(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    """How much an aggregate grew (or shrank, below zero) since the version before."""
    try:
        before = _aggregate_before(subject, rule)
    except NothingBefore as missing:
        return _nothing_to_compare(rule, rows, str(missing))
    now = _as_number(answers[0])
    if now is None or before is None:
        side = "the product" if now is None else "the version before"
        return _nothing_to_compare(rule, rows, f"{side} has no {rule.arguments['aggregate']}")
    first, last = (
        MASK if is_one_persons(rule, subject.contract.personal) else number(value) for value in (before, now)
    )
    return difference_result(rule, now - before, before, rows, f"from {first} to {last}")


def difference_result(rule: Rule, difference: Fraction, base: Fraction, rows: int, told: str) -> RuleResult:
    """A difference held against the rule's threshold, as it is or in percent of a base."""
    if rule.arguments["unit"] != "percent":
        result = metric_result(rule, difference, rows)
        return replace(result, summary=f"{result.summary} ({told})")
    if base == 0 and difference != 0:
        summary = f"has no percentage ({told}); {threshold(rule).text}"
        return RuleResult(rule, Outcome.FAILED, None, rows, summary=summary)
    result = metric_result(rule, 100 * difference / abs(base) if base else Fraction(0), rows)
    return replace(result, summary=f"{result.summary} ({told})")


def _aggregate_before(subject: Subject, rule: Rule) -> Fraction | None:
    baseline = _baseline(subject, rule)
    stored = columns_of(subject.con, baseline)
    measured = measured_column(rule)
    if measured is not None and measured not in stored:
        raise NothingBefore(f"the version before has no column {measured}")
    try:
        aggregate = aggregate_sql(rule, stored, measured)
    except CannotRun as reason:  # a column of the filter is new, or the column was of another kind
        raise NothingBefore(f"the version before cannot be asked ({reason})") from None
    row = subject.con.execute(f"SELECT {aggregate} FROM {baseline} AS draft").fetchone()
    return _as_number(row[0]) if row else None


def _as_number(value: Any) -> Fraction | None:
    return None if value is None else exact(value)


def schema_result(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    """How many columns came, went or changed their type since the version before."""
    try:
        before = columns_of(subject.con, _baseline(subject, rule))
    except NothingBefore as missing:
        return _nothing_to_compare(rule, rows, str(missing))
    now = subject.stored
    added = [name for name in now if name not in before]
    removed = [name for name in before if name not in now]
    retyped = [name for name in now if name in before and now[name].type != before[name].type]
    counted = [] if rule.arguments["additions"] == "allowed" else added
    result = metric_result(rule, Fraction(len(counted) + len(removed) + len(retyped)), rows)
    told = [f"new: {', '.join(added)}"] if added else []
    told += [f"gone: {', '.join(removed)}"] if removed else []
    told += [f"{name} was {before[name].type}, is {now[name].type}" for name in retyped]
    different = "; ".join(told) or f"{len(now)} columns, as before"
    return replace(result, summary=f"{result.summary} ({different})")


def distribution_result(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    """The distance between a column's distribution and that of the version before."""
    found = subject.stored[rule.columns[0]]
    if found.family not in _COMPARED:
        raise CannotRun(f"a distribution needs a number, text or boolean, and {found.name!r} is {found.type}")
    try:
        baseline = _baseline(subject, rule)
        _comparable_before(columns_of(subject.con, baseline).get(found.name), found)
        distance, now, before = _distance(subject, rule, found, baseline)
    except NothingBefore as missing:
        return _nothing_to_compare(rule, rows, str(missing))
    result = metric_result(rule, Fraction(str(round(distance, _DECIMALS))), rows)
    return replace(result, summary=f"{result.summary} ({now:,} rows against {before:,})")


def _comparable_before(before: StoredColumn | None, found: StoredColumn) -> None:
    if before is None:
        raise NothingBefore(f"the version before has no column {found.name}")
    numbers = {before.family, found.family} <= NUMBERS
    if before.family is not found.family and not numbers:
        raise NothingBefore(f"{found.name} was stored as {before.type}, and is as {found.type}")


def _distance(subject: Subject, rule: Rule, found: StoredColumn, baseline: str) -> tuple[float, int, int]:
    bin_of = _bin(found, _edges(subject, rule, found, baseline))
    formula = _JENSEN_SHANNON if rule.arguments["measure"] == "jensen_shannon" else _PSI
    row = subject.con.execute(
        f"WITH binned AS (SELECT {bin_of} AS bin, TRUE AS mesh_now FROM {subject.product_sql} AS draft "
        f"UNION ALL SELECT {bin_of}, FALSE FROM {baseline} AS draft), "
        "counted AS (SELECT count(*) FILTER (WHERE mesh_now)::DOUBLE AS n, "
        "count(*) FILTER (WHERE NOT mesh_now)::DOUBLE AS m FROM binned GROUP BY bin), "
        "totals AS (SELECT sum(n) AS all_n, sum(m) AS all_m, count(*) AS bins FROM counted) "
        f"SELECT {formula}, any_value(all_n), any_value(all_m) FROM counted, totals"
    ).fetchone()
    distance, now, before = row or (None, None, None)
    if not now or not before:
        raise NothingBefore(f"{'the version before' if not before else 'the product'} has no rows")
    return float(distance), int(now), int(before)


def _edges(subject: Subject, rule: Rule, found: StoredColumn, baseline: str) -> Sequence[float] | None:
    """Upper ends of the bins of numbers, the last bin left out; None if every value is a bin."""
    if "edges" in rule.arguments:
        return [float(edge) for edge in rule.arguments["edges"]]
    bins = rule.arguments["bins"]
    if bins == "values":
        return None
    value, finite = finite_sql(found)
    parts = ", ".join(repr(part / bins) for part in range(1, bins))
    quantiles = f"quantile_cont({value}, [{parts}]) {finite}"
    row = subject.con.execute(f"SELECT {quantiles} FROM {baseline} AS draft").fetchone()
    return sorted(set(row[0])) if row and row[0] else []


def _bin(found: StoredColumn, edges: Sequence[float] | None) -> str:
    """Null is a bin, NaN is one; infinities are in the first and the last."""
    if edges is None:
        return found.sql
    value, _ = finite_sql(found)
    nan = f"WHEN isnan({value}) THEN -2 " if found.family is Family.FLOAT else ""
    steps = " ".join(f"WHEN {value} <= '{edge!r}'::DOUBLE THEN {place}" for place, edge in enumerate(edges))
    return f"(CASE WHEN {found.sql} IS NULL THEN -1 {nan}{steps} ELSE {len(edges)} END)"


_P, _Q = "(n / nullif(all_n, 0))", "(m / nullif(all_m, 0))"
_MIDDLE = f"(({_P} + {_Q}) / 2)"
#: Square root of the Jensen-Shannon divergence to base 2: 0 is alike, 1 is nothing in common.
_JENSEN_SHANNON = (
    "sqrt(greatest(0, least(1, sum("
    f"CASE WHEN n > 0 THEN {_P} / 2 * log2({_P} / {_MIDDLE}) ELSE 0 END + "
    f"CASE WHEN m > 0 THEN {_Q} / 2 * log2({_Q} / {_MIDDLE}) ELSE 0 END))))"
)
_P_SMOOTH, _Q_SMOOTH = "((n + 0.5) / (all_n + 0.5 * bins))", "((m + 0.5) / (all_m + 0.5 * bins))"
#: Population stability index, each count half a row larger, so that an empty bin has a logarithm.
_PSI = f"sum(({_P_SMOOTH} - {_Q_SMOOTH}) * ln({_P_SMOOTH} / {_Q_SMOOTH}))"


def _baseline(subject: Subject, rule: Rule) -> str:
    against = str(rule.arguments["against"])
    if against not in subject.baselines:
        age = "of a week ago" if against == "same weekday" else "before this one"
        raise NothingBefore(f"there is no version {age}")
    return subject.baselines[against]


def _nothing_to_compare(rule: Rule, rows: int, reason: str) -> RuleResult:
    """It passes, and says that it has compared nothing."""
    return RuleResult(rule, Outcome.PASSED, None, rows, summary=f"nothing to compare with yet: {reason}")
