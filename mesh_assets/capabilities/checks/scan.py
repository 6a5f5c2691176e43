"""The one scan: rows, fingerprints and the counts of all row rules in one DuckDB aggregate query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.compile import Check
from mesh_assets.capabilities.checks.conditions import EVERY_ROW
from mesh_assets.capabilities.checks.stored import Stored, identifier, text
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.words.versions import WHOLE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Scan:
    """What one look at every row found."""

    rows: int
    fingerprints: Mapping[str, str]
    partition_rows: Mapping[str, int]
    #: Rows that each condition is true on.
    counts: Mapping[str, int]
    #: By condition: why it could not be counted.
    broken: Mapping[str, str]


def scan(subject: Subject, checks: Sequence[Check]) -> Scan:
    """Count every distinct condition of these checks once, with rows and fingerprint per partition."""
    conditions = _conditions(checks)
    try:
        return _read(subject, conditions, {})
    except _duckdb_error():
        good, broken = _separate(subject, conditions)
    try:
        return _read(subject, good, broken)
    except _duckdb_error():
        return _one_by_one(subject, good, broken)  # raises if the draft itself cannot be read


def counts_elsewhere(subject: Subject, checks: Sequence[Check]) -> dict[str, int]:
    """The same counts over the partitions that the draft does not replace: for rules about the whole."""
    if subject.elsewhere is None or not checks:
        return {}
    conditions = _conditions(checks)
    counted = ", ".join(("count(*)", *map(_count, conditions)))
    row = subject.con.execute(f"SELECT {counted} FROM {subject.elsewhere} AS others").fetchone()
    return dict(zip((EVERY_ROW, *conditions), row or (), strict=True))


def _conditions(checks: Sequence[Check]) -> list[str]:
    """Distinct: `required` and `nullValues` of one column are one count. Every row is `count(*)` already."""
    counted = dict.fromkeys(check.counted for check in checks)
    return [condition for condition in counted if condition is not None and condition != EVERY_ROW]


def _count(condition: str) -> str:
    if condition.endswith(" IS NULL") and " OR " not in condition:
        # count(x) reads validity only: cheaper than evaluating a predicate and a filter per row.
        return f"count(*) - count({condition.removesuffix(' IS NULL')})"
    return f"count(*) FILTER (WHERE {condition})"


def _read(subject: Subject, conditions: Sequence[str], broken: Mapping[str, str]) -> Scan:
    rows = _run(subject, [_count(condition) for condition in conditions])
    totals = [sum(row[3 + place] for row in rows) for place in range(len(conditions))]
    every = sum(row[1] for row in rows)
    return Scan(
        rows=every,
        fingerprints={_key(row[0]): str(row[2]) for row in rows},
        partition_rows={_key(row[0]): row[1] for row in rows},
        counts={**dict(zip(conditions, totals, strict=True)), EVERY_ROW: every},
        broken=broken,
    )


def _run(subject: Subject, counted: Sequence[str]) -> list[tuple[Any, ...]]:
    key = identifier(subject.partition_column) if subject.partition_column else None
    measures = ", ".join(("count(*)", _fingerprint(subject.stored), *counted))
    grouped = f"GROUP BY {key} ORDER BY {key}" if key else ""
    shown = f"{key}::VARCHAR" if key else text(WHOLE)
    return subject.con.execute(
        f"SELECT {shown}, {measures} FROM {subject.relation} AS draft {grouped}"
    ).fetchall()


def _key(value: str | None) -> str:
    return "null" if value is None else value


def _fingerprint(stored: Stored) -> str:
    from mesh_assets.capabilities.lake.fingerprint import fingerprint_sql

    return fingerprint_sql([(column.name, column.type) for column in stored.values()])


def _separate(subject: Subject, conditions: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Bind each condition alone, without reading a row: a broken pattern or a type error shows here."""
    good, broken = [], {}
    for condition in conditions:
        reason = _refusal(subject.con, f"EXPLAIN SELECT {_count(condition)} FROM {subject.relation} AS draft")
        if reason is None:
            good.append(condition)
        else:
            broken[condition] = reason
    return good, broken


def _one_by_one(subject: Subject, conditions: Sequence[str], broken: Mapping[str, str]) -> Scan:
    """A condition that fails only on the data (an overflow) costs a scan per condition, and no other rule."""
    told = dict(broken)
    for condition in conditions:
        reason = _refusal(subject.con, f"SELECT {_count(condition)} FROM {subject.relation} AS draft")
        if reason is not None:
            told[condition] = reason
    return _read(subject, [condition for condition in conditions if condition not in told], told)


def _refusal(con: DuckDBPyConnection, query: str) -> str | None:
    try:
        con.execute(query).fetchall()
    except _duckdb_error() as error:
        return str(error)
    return None


def _duckdb_error() -> type[Exception]:
    import duckdb

    return duckdb.Error
