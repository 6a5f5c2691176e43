"""Kinds that measure a product, answered: one query for all of their aggregates, then a result for each rule.

Here: the shared query; freshness, outlier share; which rows are outliers.
Not here: comparing with a version before (shift) or with another product (balances).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from mesh_assets.capabilities.checks.balances import balance_result, match_result
from mesh_assets.capabilities.checks.compile import Check
from mesh_assets.capabilities.checks.format import metric_result, number, share, threshold
from mesh_assets.capabilities.checks.kinds import finite_sql
from mesh_assets.capabilities.checks.references import orphan_condition
from mesh_assets.capabilities.checks.shift import change_result, distribution_result, schema_result
from mesh_assets.capabilities.checks.stored import CannotRun, Family
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.words.partitions import WEEK, following
from mesh_assets.words.rules import Outcome, Rule, RuleResult

_MICROSECONDS = {
    "minutes": 60 * 10**6,
    "hours": 3_600 * 10**6,
    "days": 86_400 * 10**6,
    "weeks": 7 * 86_400 * 10**6,
}


@dataclass(frozen=True)
class Answers:
    """What the aggregates of a product are, by their SQL; and why some could not be computed."""

    values: Mapping[str, Any]
    broken: Mapping[str, str]

    def of(self, check: Check) -> tuple[Any, ...]:
        """The aggregates of one check; CannotRun with the reason if one of them has none."""
        for measure in check.measures:
            if measure in self.broken:
                raise CannotRun(self.broken[measure])
        return tuple(self.values[measure] for measure in check.measures)


def answer_measures(subject: Subject, checks: Sequence[Check]) -> Answers:
    """All distinct aggregates of these checks over the whole product: one query, or one each if it fails."""
    import duckdb

    measures = tuple(dict.fromkeys(measure for check in checks for measure in check.measures))
    if not measures:
        return Answers({}, {})
    try:
        return Answers(dict(zip(measures, _asked(subject, measures), strict=True)), {})
    except duckdb.Error:
        values, broken = {}, {}
    for measure in measures:
        try:
            (values[measure],) = _asked(subject, (measure,))
        except duckdb.Error as error:
            broken[measure] = str(error)
    return Answers(values, broken)


def _asked(subject: Subject, measures: tuple[str, ...]) -> tuple[Any, ...]:
    row = subject.con.execute(f"SELECT {', '.join(measures)} FROM {subject.product_sql} AS draft").fetchone()
    return row or ()


def measured_result(subject: Subject, check: Check, answers: Answers, rows: int) -> RuleResult:
    """The result of one rule that measures the product; `rows` is how many the draft has."""
    return _RESULTS[check.rule.kind](subject, check.rule, answers.of(check), rows)


def measured_condition(subject: Subject, check: Check) -> str | None:
    """SQL that is true on the draft's rows that a measure blames; None if it blames no single row."""
    if check.rule.kind == "match_rate":
        return orphan_condition(subject, check.rule)
    if check.rule.kind == "outlier_share":
        return _outlier(subject, check.rule, answer_measures(subject, [check]).of(check))
    return None


def _freshness(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    limit, unit, newest = threshold(rule), rule.arguments["unit"], answers[0]
    clock = _clock(subject, rule, answers)
    if newest is None or clock is None:
        summary = f"has no value, and nothing is not fresh; {limit.text} {unit}"
        return RuleResult(rule, Outcome.FAILED, None, rows, summary=summary)
    age = Fraction(clock - newest, _MICROSECONDS[unit])
    at = "" if rule.columns[0] in subject.contract.personal else f", at {_moment(newest)}"
    told = f"is {_rounded(age)} {unit} before {_moment(clock)}{at}"
    return replace(
        metric_result(rule, age, rows), value=_rounded(age), summary=f"{told}; {limit.text} {unit}"
    )


def _clock(subject: Subject, rule: Rule, answers: tuple[Any, ...]) -> int | None:
    if rule.arguments["clock"] == "partition":
        return None if answers[1] is None else _end_of_partition(int(answers[1]), rule)
    if rule.arguments["clock"] == "build":
        return _since_1970(subject.clock)
    return _since_1970(datetime.fromisoformat(str(rule.arguments["instant"])))


def _end_of_partition(began: int, rule: Rule) -> int:
    """The moment after the partition's last day, of one that began at a moment."""
    every = str(rule.arguments.get("partition_every", WEEK))
    if every == WEEK:
        return began + _MICROSECONDS["weeks"]
    first = datetime.fromtimestamp(began // 10**6, tz=UTC).date()
    return _since_1970(datetime.combine(following(every, first), datetime.min.time(), tzinfo=UTC))


def _since_1970(moment: datetime) -> int:
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    past = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * 86_400 + past.seconds) * 10**6 + past.microseconds


def _moment(microseconds: int) -> str:
    try:
        found = datetime.fromtimestamp(microseconds // 10**6, tz=UTC)
    except (ValueError, OverflowError, OSError):  # DuckDB's years reach further than Python's
        return f"{microseconds // (86_400 * 10**6):,} days from 1970"
    return f"{found:%F}" if found.hour == found.minute == found.second == 0 else f"{found:%F %T}"


def _rounded(age: Fraction) -> str:
    return number(age if age.denominator == 1 else round(age, 4))


def _outlier_share(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    found = subject.stored[rule.columns[0]]
    row = subject.con.execute(
        f"SELECT count(*) FILTER (WHERE {_outlier(subject, rule, answers)}), count({found.sql}) "
        f"FROM {subject.product_sql} AS draft"
    ).fetchone()
    outliers, values = row or (0, 0)
    percent = rule.arguments["unit"] == "percent"
    measure = share(outliers, values) if percent else Fraction(outliers)
    result = metric_result(rule, measure, rows, count=outliers)
    fences = None if rule.columns[0] in subject.contract.personal else _fences(rule, answers)
    between = f", beyond {fences[0]:.6g} to {fences[1]:.6g}" if fences else ""
    return replace(result, summary=f"{result.summary} ({outliers:,} of {values:,} values{between})")


def _outlier(subject: Subject, rule: Rule, answers: tuple[Any, ...]) -> str:
    """True on values beyond the fences, on infinities and on NaN; null is no value."""
    found = subject.stored[rule.columns[0]]
    value, _ = finite_sql(found)
    fences = _fences(rule, answers)
    beyond = [f"NOT isfinite({value})"] if found.family is Family.FLOAT else []
    if fences:
        low, high = (f"'{fence!r}'::DOUBLE" for fence in fences)
        beyond += [f"{value} < {low}", f"{value} > {high}"]
    return f"({' OR '.join(beyond)})" if beyond else "FALSE"


def _fences(rule: Rule, answers: tuple[Any, ...]) -> tuple[float, float] | None:
    """Where outliers begin; None if there are too few values to say."""
    first, second = answers
    if first is None or second is None:
        return None
    k = float(rule.arguments["k"])
    if rule.arguments["method"] == "iqr":
        return first - k * (second - first), second + k * (second - first)
    return first - k * second, first + k * second


_RESULTS: Mapping[str, Callable[[Subject, Rule, tuple[Any, ...], int], RuleResult]] = {
    "freshness": _freshness,
    "outlier_share": _outlier_share,
    "change": change_result,
    "distribution": distribution_result,
    "schema_unchanged": schema_result,
    "balance": balance_result,
    "match_rate": match_result,
}
