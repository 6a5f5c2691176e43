"""The rows that broke a rule: a bounded sample for people, a Parquet file per rule for whoever mends them.

Shown are the key columns and the columns of the rule. A column that the contract classifies as personal is
masked before it leaves the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.compile import Check, Pass, compile_rule
from mesh_assets.capabilities.checks.conditions import EVERY_ROW
from mesh_assets.capabilities.checks.duplicates import as_counted, duplicate_condition, reaches_elsewhere
from mesh_assets.capabilities.checks.format import SAMPLE_ROWS, plain
from mesh_assets.capabilities.checks.judge import failing_frame
from mesh_assets.capabilities.checks.measures import measured_condition
from mesh_assets.capabilities.checks.nested import repeated_inside
from mesh_assets.capabilities.checks.references import orphan_condition
from mesh_assets.capabilities.checks.stored import CannotRun, text
from mesh_assets.capabilities.checks.subject import Subject, look_at, quoted
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, RuleResult, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Rows per rule in the files that are kept beside a refused draft.
KEPT_ROWS = 100_000


def sample(subject: Subject, check: Check, limit: int = SAMPLE_ROWS) -> tuple[Mapping[str, Any], ...]:
    """The first failing rows as plain JSON values; repeated keys stand together."""
    cursor = subject.con.execute(_failing_rows(subject, check, limit))
    names = [name for name, *_ in cursor.description or ()]
    return tuple(
        {name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
    )


def write_failures(  # noqa: PLR0913 - what the audit was asked, and where to
    con: DuckDBPyConnection,
    relation_sql: str,
    contract: Contract,
    verdict: Verdict,
    folder: Path,
    *,
    references: Mapping[ProductName, str] | None = None,
    whole_sql: str | None = None,
    limit: int = KEPT_ROWS,
    beside: Mapping[str, str] | None = None,
) -> tuple[Path, ...]:
    """Write `<rule id>.parquet` for every rule with failing rows: all that were counted, up to the limit,
    those of published partitions among them.

    `beside` has, by rule, rows of published partitions that the rule was asked of by themselves.

    What cannot be looked up again (a foreign key without its reference) is written from the verdict's
    sample.
    """
    known = dict(references or {})
    week = contract.partitioning.column if contract.partitioning else None
    subject = look_at(Subject(con, relation_sql, contract, known, week, elsewhere=whole_sql))
    folder.mkdir(parents=True, exist_ok=True)
    failed = [result for result in verdict.results if result.outcome is Outcome.FAILED and result.failed_rows]
    more = {
        name: look_at(replace(subject, relation=sql, elsewhere=None)) for name, sql in (beside or {}).items()
    }
    return tuple(
        _write((subject, more.get(result.rule.id)), result, folder / _file_name(result.rule.id), limit)
        for result in failed
    )


def _file_name(rule_id: str) -> str:
    """`<rule id>.parquet`; an id that is no plain word, or too long for a file, is told apart by a digest."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", rule_id)[:150]
    told = plain if plain == rule_id else f"{plain}_{sha256(rule_id.encode()).hexdigest()[:12]}"
    return f"{told}.parquet"


def _write(where: tuple[Subject, Subject | None], result: RuleResult, path: Path, limit: int) -> Path:
    import duckdb

    subjects = [subject for subject in where if subject is not None]
    try:
        check = compile_rule(result.rule, subjects[0].stored)
        if check.by is Pass.PANDERA:
            _write_frames(subjects, result, path, limit)
        else:
            rows = (f"({_failing_rows(subject, check, limit, all_nulls=True)})" for subject in subjects)
            _copy(subjects[0], f"SELECT * FROM ({' UNION ALL '.join(rows)}) LIMIT {limit}", path)
    except (CannotRun, duckdb.Error):
        _write_sample(subjects[0], result, path)
    return path


def _copy(subject: Subject, query: str, path: Path) -> None:
    subject.con.execute(f"COPY ({query}) TO {text(str(path))} (FORMAT parquet)")


def _write_frames(subjects: Sequence[Subject], result: RuleResult, path: Path, limit: int) -> None:
    import polars as pl

    frames = [failing_frame(subject, result.rule, limit) for subject in subjects]
    pl.concat([frame for frame in frames if frame.width] or frames[:1]).head(limit).write_parquet(path)


def _write_sample(subject: Subject, result: RuleResult, path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in result.sample]), path)


def _failing_rows(subject: Subject, check: Check, limit: int, *, all_nulls: bool = False) -> str:
    condition = failing_condition(subject, check)
    if condition is None:
        raise CannotRun("it is about the whole table, and names no row")
    columns = check.rule.columns
    counted = subject.product_sql if takes_in_others(subject, check) else subject.relation
    shown, most = subject.shown(columns), f"LIMIT {int(limit)}"
    if check.by is not Pass.DUPLICATES:
        return f"SELECT {shown} FROM {counted} AS draft WHERE {condition} {most}"
    order = ", ".join(quoted(columns, "draft"))
    repeated = duplicate_condition(as_counted(subject, metric=check.metric), columns)
    found = f"(SELECT {shown} FROM {counted} AS draft WHERE {repeated} ORDER BY {order})"
    if check.counted:  # nulls of a key are counted in the draft, and elsewhere by themselves
        where = counted if all_nulls else subject.relation
        found += f" UNION ALL (SELECT {shown} FROM {where} AS draft WHERE {check.counted})"
    return f"SELECT * FROM ({found}) {most}"


def takes_in_others(subject: Subject, check: Check) -> bool:
    """True if rows of partitions that the draft does not replace are among those that the rule counts."""
    if check.by is Pass.DUPLICATES:
        return reaches_elsewhere(as_counted(subject, metric=check.metric), check.rule.columns)
    return check.by in (Pass.REFERENCE, Pass.MEASURE) or check.measured_on_product


def failing_condition(subject: Subject, check: Check) -> str | None:
    """SQL that is true on the draft's rows (alias `draft`) that break the rule; None if it names no rows."""
    if check.by is Pass.REFERENCE:
        return orphan_condition(subject, check.rule)
    if check.by is Pass.MEASURE:
        return measured_condition(subject, check)
    if check.by is Pass.SCAN:
        return None if check.counted == EVERY_ROW else check.counted
    if check.by is Pass.INSIDE:
        return repeated_inside(subject, check.rule)
    if check.by is not Pass.DUPLICATES:
        return None
    repeated = duplicate_condition(as_counted(subject, metric=check.metric), check.rule.columns)
    return f"({check.counted} OR {repeated})" if check.counted else repeated
