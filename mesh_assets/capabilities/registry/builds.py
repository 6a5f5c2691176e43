"""Builds and what their rules said, kept for the table of `mesh build`, for `mesh why` and for trends.

A recheck (rules that ran again over a published version) is a row as well, no build: `audits` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, select

from mesh_assets.capabilities.registry.tables import BUILD, RULE_RESULT
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Outcome, Place, Rule, RuleResult, Severity
from mesh_assets.words.versions import BuildOutcome, BuildRecord

#: Builds and rechecks of a product that are kept, with their results: some 12 MB for 20 rules.
KEPT_BUILDS = 1_000


@dataclass(frozen=True)
class RuleOutcome:
    """What one rule said in one build."""

    run_id: str
    started: datetime
    outcome: Outcome
    failed_rows: int | None
    checked_rows: int
    value: str | None


#: Of a build whose rows readers see.
GOOD = (BuildOutcome.PUBLISHED.value, BuildOutcome.UNCHANGED.value)


def record(connection: Connection, build: BuildRecord, results: Sequence[RuleResult]) -> int:
    values = {**vars(build), "product": str(build.product), "outcome": build.outcome.value}
    values["details"] = dict(build.details)
    number: int = connection.execute(insert(BUILD).values(values).returning(BUILD.c.id)).scalar_one()
    if results:
        rows = [_result_row(number, position, result) for position, result in enumerate(results)]
        connection.execute(insert(RULE_RESULT), rows)
    _forget(connection, str(build.product))
    return number


def _forget(connection: Connection, product: str) -> None:
    """Only the newest of a product are kept, and the newest audit of a build however old it is."""
    mine = select(BUILD.c.id).where(BUILD.c.product == product).order_by(BUILD.c.id.desc())
    kept = connection.scalar(mine.offset(KEPT_BUILDS - 1).limit(1))
    if kept is None:
        return
    has_results = exists().where(RULE_RESULT.c.build_id == BUILD.c.id)
    audited = connection.scalar(mine.where(has_results, ~BUILD.c.recheck).limit(1))
    old = (BUILD.c.product == product) & (BUILD.c.id < kept) & (BUILD.c.id != (audited or 0))
    connection.execute(delete(RULE_RESULT).where(RULE_RESULT.c.build_id.in_(select(BUILD.c.id).where(old))))
    connection.execute(delete(BUILD).where(old))


def history(connection: Connection, product: ProductName, limit: int) -> list[BuildRecord]:
    mine = (BUILD.c.product == str(product)) & ~BUILD.c.recheck
    query = select(BUILD).where(mine).order_by(BUILD.c.id.desc()).limit(limit)
    return [build_of(row) for row in connection.execute(query)]


def last_of_each(connection: Connection) -> dict[ProductName, BuildRecord]:
    newest = select(func.max(BUILD.c.id)).where(~BUILD.c.recheck).group_by(BUILD.c.product)
    query = select(BUILD).where(BUILD.c.id.in_(newest)).order_by(BUILD.c.product)
    return {product_name(row.product): build_of(row) for row in connection.execute(query)}


def last_good_of(connection: Connection, products: Collection[ProductName]) -> dict[ProductName, BuildRecord]:
    """The last build of each that published or found nothing new."""
    mine = BUILD.c.product.in_(map(str, products)) & ~BUILD.c.recheck & BUILD.c.outcome.in_(GOOD)
    newest = select(func.max(BUILD.c.id)).where(mine).group_by(BUILD.c.product)
    query = select(BUILD).where(BUILD.c.id.in_(newest))
    return {product_name(row.product): build_of(row) for row in connection.execute(query)}


def since(connection: Connection, moment: datetime) -> list[BuildRecord]:
    """Every build and recheck that began then or later, in order."""
    query = select(BUILD).where(BUILD.c.started >= moment).order_by(BUILD.c.id)
    return [build_of(row) for row in connection.execute(query)]


def began(connection: Connection) -> datetime | None:
    """When the first build or recheck began that is on record."""
    return connection.scalar(select(BUILD.c.started).order_by(BUILD.c.id).limit(1))


def of_run(connection: Connection, run_id: str) -> dict[ProductName, BuildRecord]:
    mine = (BUILD.c.run_id == run_id) & ~BUILD.c.recheck
    query = select(BUILD).where(mine).order_by(BUILD.c.id)
    return {product_name(row.product): build_of(row) for row in connection.execute(query)}


def rule_results(
    connection: Connection, product: ProductName, run_id: str | None, *, kept: bool = False
) -> tuple[RuleResult, ...]:
    query = (
        select(RULE_RESULT)
        .where(RULE_RESULT.c.build_id == _newest(product, run_id, kept=kept).scalar_subquery())
        .order_by(RULE_RESULT.c.position)
    )
    return tuple(result_of(row) for row in connection.execute(query))


def rule_history(connection: Connection, product: ProductName, rule: str, limit: int) -> list[RuleOutcome]:
    query = (
        select(BUILD.c.run_id, BUILD.c.started, RULE_RESULT)
        .join(RULE_RESULT, RULE_RESULT.c.build_id == BUILD.c.id)
        .where(BUILD.c.product == str(product), RULE_RESULT.c.rule == rule)
        .order_by(BUILD.c.id.desc())
        .limit(limit)
    )
    return [
        RuleOutcome(
            run_id=row.run_id,
            started=row.started,
            outcome=Outcome(row.outcome),
            failed_rows=row.failed_rows,
            checked_rows=row.checked_rows,
            value=row.value,
        )
        for row in connection.execute(query)
    ]


def _newest(product: ProductName, run_id: str | None, *, kept: bool) -> Select[Any]:
    """The last build that ran rules: one that failed before its audit has nothing to say about them."""
    audited = exists().where(RULE_RESULT.c.build_id == BUILD.c.id)
    query = select(BUILD.c.id).where(BUILD.c.product == str(product), ~BUILD.c.recheck, audited)
    if kept:
        query = query.where(BUILD.c.outcome.in_(GOOD))
    of_run = query if run_id is None else query.where(BUILD.c.run_id == run_id)
    return of_run.order_by(BUILD.c.id.desc()).limit(1)


def build_of(row: Row[Any]) -> BuildRecord:
    """A row of the table as a record."""
    facts = {name: value for name, value in row._mapping.items() if name != "id"}
    return BuildRecord(
        **{**facts, "product": product_name(row.product), "outcome": BuildOutcome(row.outcome)}
    )


def _result_row(build: int, position: int, result: RuleResult) -> dict[str, Any]:
    rule = result.rule
    return {
        "build_id": build,
        "position": position,
        "rule": rule.id,
        "severity": rule.severity.value,
        "outcome": result.outcome.value,
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "value": result.value,
        "summary": result.summary,
        "sample": [dict(row) for row in result.sample],
        "definition": {
            "kind": rule.kind,
            "columns": list(rule.columns),
            "description": rule.description,
            "dimension": rule.dimension,
            "arguments": dict(rule.arguments),
            "place": None if rule.place is None else vars(rule.place),
            "path": list(rule.path),
            "expected_by": rule.expected_by,
            # Of the result, and not of the rule: a registry of before has no column for it.
            "quarantined_rows": result.quarantined_rows,
        },
    }


def result_of(row: Row[Any]) -> RuleResult:
    """A result with its rule as it was then."""
    definition = row.definition
    place = definition["place"]
    rule = Rule(
        id=row.rule,
        kind=definition["kind"],
        columns=tuple(definition["columns"]),
        description=definition["description"],
        severity=Severity(row.severity),
        dimension=definition["dimension"],
        arguments=definition["arguments"],
        place=None if place is None else Place(**place),
        path=tuple(definition.get("path", ())),
        expected_by=definition.get("expected_by"),
    )
    return RuleResult(
        rule=rule,
        outcome=Outcome(row.outcome),
        failed_rows=row.failed_rows,
        checked_rows=row.checked_rows,
        value=row.value,
        summary=row.summary,
        sample=tuple(row.sample),
        quarantined_rows=definition.get("quarantined_rows", 0),
    )
