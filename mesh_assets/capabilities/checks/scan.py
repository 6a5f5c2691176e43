"""The one scan: rows, fingerprints and the counts of all row rules in one DuckDB aggregate query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.clock import query_limit, too_long
from mesh_assets.capabilities.checks.compile import Check
from mesh_assets.capabilities.checks.conditions import EVERY_ROW
from mesh_assets.capabilities.checks.kinds import WRITTEN_OUT
from mesh_assets.capabilities.checks.stored import identifier, text
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
    #: By their SQL, what the aggregates of measuring rules are; empty if they could not be asked along.
    measured: Mapping[str, Any] = field(default_factory=dict)


#: A quoted column and nothing else, held against null.
_NULL_COLUMN = re.compile(r'("(?:[^"]|"")+") IS NULL')


#: How long one expression of a contract may take, if the scan as a whole takes longer than all of them may.
EXPRESSION_SECONDS = 60.0


def scan(subject: Subject, checks: Sequence[Check], *, seconds: float = EXPRESSION_SECONDS) -> Scan:
    """Count every distinct condition of these checks once, with rows and fingerprint per partition.

    Aggregates over the whole product come along where the draft is the whole product.
    """
    conditions = _conditions(checks)
    written = [each.counted for each in checks if each.rule.kind in WRITTEN_OUT and each.counted]
    limit = query_limit(subject.con, seconds * len(written)) if written else nullcontext()
    try:
        with limit:
            return _read(subject, conditions, {}, _measures(subject, checks))
    except _duckdb_error():
        slow = _too_slow(subject, list(dict.fromkeys(written)), seconds)
        good, broken = _separate(subject, [each for each in conditions if each not in slow])
        broken = {**broken, **slow}
    try:
        return _read(subject, good, broken)
    except _duckdb_error():
        return _one_by_one(subject, good, broken)  # raises if the draft itself cannot be read


def _too_slow(subject: Subject, written: Sequence[str], seconds: float) -> dict[str, str]:
    """Which expressions take longer than one may, each by itself."""
    import duckdb

    slow: dict[str, str] = {}
    for condition in written:
        try:
            with query_limit(subject.con, seconds):
                subject.con.execute(f"SELECT {_count(condition)} FROM {subject.relation} AS draft").fetchall()
        except duckdb.InterruptException:
            slow[condition] = too_long(seconds)
        except duckdb.Error:  # it is told with all others that cannot be counted
            continue
    return slow


def counts_elsewhere(subject: Subject, checks: Sequence[Check]) -> tuple[dict[str, int], dict[str, str]]:
    """The same counts over the partitions that the draft does not replace: for rules about the whole.

    And by condition why it could not be counted there: those partitions may be of other types than the draft.
    """
    if subject.elsewhere is None or not checks:
        return {}, {}
    conditions = _conditions(checks)
    try:
        return _counted_elsewhere(subject, conditions), {}
    except _duckdb_error():
        query = f"FROM {subject.elsewhere} AS others"
        told = {each: _refusal(subject.con, f"SELECT {_count(each)} {query}") for each in conditions}
    broken = {condition: reason for condition, reason in told.items() if reason is not None}
    good = [condition for condition in conditions if condition not in broken]
    return _counted_elsewhere(subject, good), broken


def _counted_elsewhere(subject: Subject, conditions: Sequence[str]) -> dict[str, int]:
    counted = ", ".join(("count(*)", *map(_count, conditions)))
    row = subject.con.execute(f"SELECT {counted} FROM {subject.elsewhere} AS others").fetchone()
    return dict(zip((EVERY_ROW, *conditions), row or (), strict=True))


def rows_elsewhere(subject: Subject) -> int:
    """Rows of the partitions that the draft does not replace."""
    if subject.elsewhere is None:
        return 0
    row = subject.con.execute(f"SELECT count(*) FROM {subject.elsewhere} AS others").fetchone()
    return int(row[0]) if row else 0


def _conditions(checks: Sequence[Check]) -> list[str]:
    """Distinct: `required` and `nullValues` of one column are one count. Every row is `count(*)` already."""
    counted = dict.fromkeys(check.counted for check in checks)
    return [condition for condition in counted if condition is not None and condition != EVERY_ROW]


def _measures(subject: Subject, checks: Sequence[Check]) -> list[str]:
    if subject.partition_column is not None or subject.elsewhere is not None:
        return []
    return list(dict.fromkeys(measure for check in checks for measure in check.measures))


def _count(condition: str) -> str:
    if null := _NULL_COLUMN.fullmatch(condition):
        # count(x) reads validity only: cheaper than evaluating a predicate per row.
        return f"count(*) - count({null.group(1)})"
    # An eighth cheaper than FILTER (measured): the optimizer finds what conditions have in common.
    return f"coalesce(count_if({condition}), 0)"


def _read(
    subject: Subject, conditions: Sequence[str], broken: Mapping[str, str], measures: Sequence[str] = ()
) -> Scan:
    rows = _run(subject, [*map(_count, conditions), *measures])
    totals = [sum(row[3 + place] for row in rows) for place in range(len(conditions))]
    every = sum(row[1] for row in rows)
    return Scan(
        rows=every,
        fingerprints={_key(row[0]): str(row[2]) for row in rows},
        partition_rows={_key(row[0]): row[1] for row in rows},
        counts={**dict(zip(conditions, totals, strict=True)), EVERY_ROW: every},
        broken=broken,
        measured=dict(zip(measures, rows[0][3 + len(conditions) :], strict=True)) if measures else {},
    )


def _run(subject: Subject, counted: Sequence[str]) -> list[tuple[Any, ...]]:
    key = identifier(subject.partition_column) if subject.partition_column else None
    measures = ", ".join(("count(*)", _fingerprint(subject), *counted))
    grouped = f"GROUP BY {key} ORDER BY {key}" if key else ""
    shown = f"{key}::VARCHAR" if key else text(WHOLE)
    return subject.con.execute(
        f"SELECT {shown}, {measures} FROM {subject.relation} AS draft {grouped}"
    ).fetchall()


def _key(value: str | None) -> str:
    return "null" if value is None else value


def _fingerprint(subject: Subject) -> str:
    if not subject.fingerprinted:
        return text(WHOLE)
    from mesh_assets.capabilities.lake.fingerprint import fingerprint_sql

    return fingerprint_sql([(column.name, column.type) for column in subject.stored.values()])


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
