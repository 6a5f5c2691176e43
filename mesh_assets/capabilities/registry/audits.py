"""What rules said from audit to audit: of drafts that were built, and of versions that were checked again.

Here: the newest word of each rule with how long it has been failing, and a window over the last audits.
Not here: recording either (builds).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, func, select

from mesh_assets.capabilities.registry.builds import build_of, result_of
from mesh_assets.capabilities.registry.tables import BUILD, RULE_RESULT
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, RuleResult, Severity
from mesh_assets.words.versions import BuildRecord


@dataclass(frozen=True)
class Standing:
    """The newest word of one rule."""

    result: RuleResult
    #: The build or recheck that it comes from.
    audit: BuildRecord
    #: When it first failed of the audits since it last passed; None if it passes.
    failing_since: datetime | None
    #: In how many audits it has not passed since then.
    failing_audits: int


@dataclass(frozen=True)
class Said:
    """What a rule said in one audit, as far as a trend needs it."""

    rule: str
    severity: Severity
    outcome: Outcome
    failed_rows: int | None
    checked_rows: int
    value: str | None


@dataclass(frozen=True)
class Audit:
    """One build or recheck that ran rules."""

    build: BuildRecord
    #: By rule; a recheck may have run a few of them only.
    said: Mapping[str, Said]


def standings(connection: Connection, product: ProductName) -> list[Standing]:
    """The newest word of every rule that ever ran, in the order of the audits that said it."""
    trend = {row.rule: row for row in connection.execute(_trends(product))}
    newest = {row.latest for row in trend.values()}
    builds = _builds(connection, select(BUILD).where(BUILD.c.id.in_(newest)))
    query = (
        select(RULE_RESULT)
        .where(RULE_RESULT.c.build_id.in_(newest))
        .order_by(RULE_RESULT.c.build_id.desc(), RULE_RESULT.c.position)
    )
    return [
        Standing(
            result=result_of(row),
            audit=builds[row.build_id],
            failing_since=trend[row.rule].failing_since,
            failing_audits=trend[row.rule].failing_audits,
        )
        for row in connection.execute(query)
        if trend[row.rule].latest == row.build_id
    ]


def _builds(connection: Connection, query: Select[Any]) -> dict[int, BuildRecord]:
    return {row.id: build_of(row) for row in connection.execute(query)}


def _trends(product: ProductName) -> Select[Any]:
    """Per rule: its newest audit, and since when and how often it has not passed."""
    ran = (
        select(RULE_RESULT.c.rule, RULE_RESULT.c.build_id, RULE_RESULT.c.outcome, BUILD.c.started)
        .join(BUILD, BUILD.c.id == RULE_RESULT.c.build_id)
        .where(BUILD.c.product == str(product))
        .cte("ran")
    )
    passed = case((ran.c.outcome == Outcome.PASSED.value, ran.c.build_id))
    newest = (
        select(
            ran.c.rule,
            func.max(ran.c.build_id).label("latest"),
            func.coalesce(func.max(passed), 0).label("passed"),
        )
        .group_by(ran.c.rule)
        .cte("newest")
    )
    since = and_(ran.c.rule == newest.c.rule, ran.c.build_id > newest.c.passed)
    return (
        select(
            newest.c.rule,
            newest.c.latest,
            func.min(ran.c.started).label("failing_since"),
            func.count(ran.c.build_id).label("failing_audits"),
        )
        .select_from(newest.outerjoin(ran, since))
        .group_by(newest.c.rule, newest.c.latest)
    )


def window(
    connection: Connection, product: ProductName, limit: int, rules: Collection[str] | None
) -> list[Audit]:
    """The last audits that ran any rule (or any of these), newest first."""
    ran = exists().where(RULE_RESULT.c.build_id == BUILD.c.id)
    if rules is not None:
        ran = ran.where(RULE_RESULT.c.rule.in_(rules))
    query = select(BUILD).where(BUILD.c.product == str(product), ran).order_by(BUILD.c.id.desc()).limit(limit)
    builds = _builds(connection, query)
    said = _said(connection, list(builds), rules)
    return [Audit(build, said[number]) for number, build in builds.items()]


def _said(
    connection: Connection, builds: list[int], rules: Collection[str] | None
) -> dict[int, dict[str, Said]]:
    one = RULE_RESULT.c
    query = (
        select(
            one.build_id, one.rule, one.severity, one.outcome, one.failed_rows, one.checked_rows, one.value
        )
        .where(one.build_id.in_(builds))
        .order_by(one.build_id, one.position)
    )
    found: dict[int, dict[str, Said]] = {number: {} for number in builds}
    for row in connection.execute(query if rules is None else query.where(one.rule.in_(rules))):
        found[row.build_id][row.rule] = Said(
            rule=row.rule,
            severity=Severity(row.severity),
            outcome=Outcome(row.outcome),
            failed_rows=row.failed_rows,
            checked_rows=row.checked_rows,
            value=row.value,
        )
    return found
