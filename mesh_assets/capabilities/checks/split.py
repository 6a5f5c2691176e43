"""Parting a draft: the rows that break some rules, each with the ids of those that it breaks, and the rest.

Both parts come back as queries. A rule's condition is the one that fetches its failing rows, so the rows set
aside are exactly those that were counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.compile import Check, Pass, compile_rules
from mesh_assets.capabilities.checks.failures import failing_condition, takes_in_others
from mesh_assets.capabilities.checks.judge import failing_positions
from mesh_assets.capabilities.checks.stored import CannotRun, text
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Where a row stands in the draft's files; only for rules that pandera judges.
POSITION = "mesh_position"
BROKEN = "mesh_rules"


@dataclass(frozen=True)
class Parts:
    """A draft in two: `kept` has its columns, `aside` has them and `mesh_rules`, the ids of broken rules."""

    kept: str
    aside: str


def split(
    con: DuckDBPyConnection,
    relation_sql: str,
    contract: Contract,
    rules: Sequence[Rule],
    *,
    references: Mapping[ProductName, str] | None = None,
    whole_sql: str | None = None,
    expectations: Path | None = None,
    everywhere: bool = False,
) -> Parts | None:
    """The draft's rows that break any of these rules, apart from the others; None if no rule names rows.

    Rows of a repeated key all go: nobody can say which of them is right. With `everywhere`, rows of published
    partitions (`whole_sql`) are parted as well, if a rule's count takes them in.
    """
    week = contract.partitioning.column if contract.partitioning else None
    subject = look_at(Subject(con, relation_sql, contract, dict(references or {}), week, elsewhere=whole_sql))
    checks, _ = compile_rules(rules, subject.stored)
    if everywhere and any(takes_in_others(subject, check) for check in checks):
        subject = replace(subject, relation=subject.product_sql, elsewhere=None)
    found = ((check.rule.id, _condition(subject, check, expectations)) for check in checks)
    conditions = {name: sql for name, sql in found if sql is not None}
    if not conditions:
        return None
    columns = ", ".join(column.sql for column in subject.stored.values())
    broken = ", ".join(f"CASE WHEN {sql} THEN {text(name)} END" for name, sql in conditions.items())
    marked = (
        f"SELECT {columns}, list_filter([{broken}], lambda id: id IS NOT NULL) AS {BROKEN} "
        f"FROM {_numbered(subject, checks)} AS draft"
    )
    return Parts(
        kept=f"SELECT {columns} FROM ({marked}) WHERE len({BROKEN}) = 0",
        aside=f"SELECT {columns}, {BROKEN} FROM ({marked}) WHERE len({BROKEN}) > 0",
    )


def _condition(subject: Subject, check: Check, expectations: Path | None) -> str | None:
    try:
        if check.by is Pass.PANDERA:
            own = expectations if check.rule.kind == "pandera" else None
            return _among(subject, check.rule, failing_positions(subject, check.rule, path=own))
        return failing_condition(subject, check)
    except CannotRun:
        return None  # the audit has told why; a rule that cannot run names no row


def _among(subject: Subject, rule: Rule, positions: Sequence[int]) -> str:
    """The positions as a table: there may be too many of them for the text of a query."""
    import pyarrow

    told = sha256(f"{rule.id} {subject.relation}".encode()).hexdigest()[:16]
    name = f"mesh_bad_{told}"
    subject.con.register(name, pyarrow.table({POSITION: pyarrow.array(positions, pyarrow.int64())}))
    return f'{POSITION} IN (SELECT {POSITION} FROM "{name}")'


def _numbered(subject: Subject, checks: Sequence[Check]) -> str:
    if not any(check.by is Pass.PANDERA for check in checks):
        return subject.relation
    # DuckDB keeps the order of files and rows (preserve_insertion_order), for pandera's frame and here.
    return f"(SELECT *, row_number() OVER () - 1 AS {POSITION} FROM {subject.relation})"


def write_aside(
    con: DuckDBPyConnection,
    parts: Parts,
    contract: Contract,
    path: Path,
    *,
    first: tuple[str, ...],
    masked: bool,
) -> int:
    """Write the rows that break a rule as Parquet, all columns: the key, `first`, then the others."""
    subject = look_at(Subject(con, parts.kept, contract))
    shown = subject.everything(first, masked=masked)
    written = con.execute(
        f"COPY (SELECT {shown} FROM ({parts.aside})) TO {text(str(path))} (FORMAT parquet)"
    ).fetchone()
    return int(written[0]) if written else 0
