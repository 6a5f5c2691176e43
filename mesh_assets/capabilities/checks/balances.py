"""A product against another one at its pinned version: aggregates that agree, keys that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.format import (
    SAMPLE_ROWS,
    metric_result,
    number,
    plain,
    share,
    threshold,
)
from mesh_assets.capabilities.checks.kinds import aggregate_sql, is_one_persons, measured_column
from mesh_assets.capabilities.checks.references import comparable, orphan_condition
from mesh_assets.capabilities.checks.shift import difference_result
from mesh_assets.capabilities.checks.stored import CannotRun, Stored, column, exact
from mesh_assets.capabilities.checks.subject import MASK, Subject, columns_of
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Outcome, Rule, RuleResult

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Groups that are fetched at a time.
_BATCH = 10_000
#: Aggregates of which nothing is 0; the others have no value there.
_ADDS_UP = frozenset({"count", "count_distinct", "sum"})


def match_result(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    """The percent of complete keys that the other product has; of no keys, all are matched."""
    complete = " AND ".join(f"draft.{subject.stored[name].sql} IS NOT NULL" for name in rule.columns)
    keys, orphans = (_count(subject, condition) for condition in (complete, orphan_condition(subject, rule)))
    rate = share(keys - orphans, keys) if keys else Fraction(100)
    result = metric_result(rule, rate, rows)
    failed = 0 if result.outcome is Outcome.PASSED else orphans
    told = f"{keys - orphans:,} of {keys:,} keys are in {rule.arguments['to_product']}"
    return replace(result, failed_rows=failed, summary=f"{result.summary} ({told})")


def _count(subject: Subject, condition: str) -> int:
    row = subject.con.execute(
        f"SELECT count(*) FROM {subject.product_sql} AS draft WHERE {condition}"
    ).fetchone()
    return int(row[0]) if row else 0


def balance_result(subject: Subject, rule: Rule, answers: tuple[Any, ...], rows: int) -> RuleResult:
    """How far an aggregate is from the same aggregate of the other product, over all or in each group."""
    relation, stored = _other(subject, rule)
    aggregate = aggregate_sql(rule, stored, _other_column(rule), "to_where")
    if rule.arguments["by"]:
        return _balance_of_groups(subject, rule, relation, stored, rows)
    row = subject.con.execute(f"SELECT {aggregate} FROM {relation} AS draft").fetchone()
    own, other = (None if value is None else exact(value) for value in (answers[0], row[0] if row else None))
    if own is None or other is None:
        return _one_sided(rule, rows, own, other)
    here, there = (
        MASK if is_one_persons(rule, subject.contract.personal) else number(side) for side in (own, other)
    )
    told = f"{here} here, {there} in {rule.arguments['to_product']}"
    return difference_result(rule, abs(own - other), other, rows, told)


def _one_sided(rule: Rule, rows: int, own: Fraction | None, other: Fraction | None) -> RuleResult:
    if own is None and other is None:
        return difference_result(rule, Fraction(0), Fraction(0), rows, "no value on either side")
    side = "here" if own is None else f"in {rule.arguments['to_product']}"
    summary = f"has no value {side}; {threshold(rule).text}"
    return RuleResult(rule, Outcome.FAILED, None, rows, summary=summary)


def _other(subject: Subject, rule: Rule) -> tuple[str, Stored]:
    product = product_name(str(rule.arguments["to_product"]))
    relation = subject.references.get(product)
    if relation is None:
        raise CannotRun(f"there is no version of {product} to compare with")
    return relation, columns_of(subject.con, relation)


def _other_column(rule: Rule) -> str | None:
    return str(rule.arguments["to_column"]) if rule.arguments["measured"] else None


@dataclass
class _Groups:
    """What was seen of the groups of both products."""

    seen: int = 0
    broken: int = 0
    worst: Fraction = Fraction(0)
    #: The first broken groups: their key, both sides.
    sample: tuple[Mapping[str, Any], ...] = ()


def _balance_of_groups(subject: Subject, rule: Rule, relation: str, stored: Stored, rows: int) -> RuleResult:
    product = product_name(str(rule.arguments["to_product"]))
    by, to_by = rule.arguments["by"], rule.arguments["to_by"]
    for own, other in zip(by, to_by, strict=True):
        comparable(column(subject.stored, own), column(stored, other), product)
    limit = threshold(rule)
    groups = _Groups()
    for key, here, there in _both_sides(subject, rule, relation, stored):
        measure = _apart(rule, here, there)
        groups.seen += 1
        groups.worst = max(groups.worst, measure or Fraction(0))
        if measure is None or not limit.operator.holds(measure, limit.bounds):
            groups.broken += 1
            if len(groups.sample) < SAMPLE_ROWS:
                sides = {"here": plain(here), "there": plain(there)}
                hidden = (
                    dict.fromkeys(sides, MASK) if is_one_persons(rule, subject.contract.personal) else sides
                )
                told = {**_shown(subject, by, key), **hidden}
                groups.sample = (*groups.sample, told)
    return _groups_result(rule, groups, rows)


def _groups_result(rule: Rule, groups: _Groups, rows: int) -> RuleResult:
    limit = threshold(rule)
    differ = f"{groups.broken:,} of {groups.seen:,} differ"
    verb = differ if groups.broken else f"all {groups.seen:,} agree"
    return RuleResult(
        rule,
        Outcome.FAILED if groups.broken else Outcome.PASSED,
        None,
        rows,
        value=limit.show(groups.worst),
        summary=f"is {limit.show(groups.worst)} at most; {limit.text} in each group ({verb})",
        sample=groups.sample,
    )


def _apart(rule: Rule, own: Any, other: Any) -> Fraction | None:
    """The difference of one group, in the rule's unit; None if it has no number."""
    if rule.arguments["aggregate"] in _ADDS_UP:
        own, other = own or 0, other or 0
    if own is None and other is None:
        return Fraction(0)
    if own is None or other is None:
        return None
    here, there = exact(own), exact(other)
    if rule.arguments["unit"] != "percent" or here == there:
        return abs(here - there)
    return 100 * abs(here - there) / abs(there) if there else None


def _both_sides(
    subject: Subject, rule: Rule, relation: str, stored: Stored
) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    by, to_by = rule.arguments["by"], rule.arguments["to_by"]
    own = aggregate_sql(rule, subject.stored, measured_column(rule))
    other = aggregate_sql(rule, stored, _other_column(rule), "to_where")
    keys = [f"key{place}" for place in range(len(by))]
    here, there = (_grouped(names, keys, data) for names, data in ((by, subject.stored), (to_by, stored)))
    same = " AND ".join(f"here.{key} IS NOT DISTINCT FROM there.{key}" for key in keys)
    chosen = ", ".join(f"CASE WHEN there.mesh_seen THEN there.{key} ELSE here.{key} END" for key in keys)
    places = ", ".join(str(place + 1) for place in range(len(keys)))
    cursor: DuckDBPyConnection = subject.con.execute(
        f"WITH here AS (SELECT {here}, TRUE AS mesh_seen, {own} AS measure "
        f"FROM {subject.product_sql} AS draft GROUP BY {places}), "
        f"there AS (SELECT {there}, TRUE AS mesh_seen, {other} AS measure "
        f"FROM {relation} AS draft GROUP BY {places}) "
        f"SELECT {chosen}, here.measure, there.measure FROM here FULL JOIN there ON {same} ORDER BY {places}"
    )
    while batch := cursor.fetchmany(_BATCH):
        for row in batch:
            yield row[:-2], row[-2], row[-1]


def _grouped(names: list[str], keys: list[str], stored: Stored) -> str:
    return ", ".join(f"{column(stored, name).sql} AS {key}" for name, key in zip(names, keys, strict=True))


def _shown(subject: Subject, by: list[str], key: tuple[Any, ...]) -> dict[str, Any]:
    """A group's key, personal columns masked."""
    hidden = subject.contract.personal
    return {
        name: MASK if name in hidden and value is not None else plain(value)
        for name, value in zip(by, key, strict=True)
    }
