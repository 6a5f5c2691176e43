"""The rows that a comparison left, as queries: what changed, beside the whole rows of both states."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.compare import DIFFERING, Difference
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.lake.types import Columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The first of them, for a look.
FEW = "mesh_few"

#: Types whose values, as text, are read as what they were, in their order.
ORDERED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "VARCHAR", "DATE", "TIMESTAMP", "UUID")


def differing_sql(found: Difference, *, masked: Collection[str] = (), mask: str = "***") -> str:
    """The rows that differ as a query: change, what rows were matched by, the columns that changed, and the
    whole row before and after; `masked` columns as `mask` where they hold anything.
    """
    hidden = frozenset(masked)
    if found.key:
        return _whole_rows(found, DIFFERING, (found.before.sql, found.after.sql), (hidden, mask))
    names = [name for name, kind in found.before.columns if dict(found.after.columns).get(name) == kind]
    shown = ", ".join(_shown(f"k{at}", name, hidden, mask) for at, name in enumerate(names))
    return f"SELECT change, n AS rows, {shown} FROM {DIFFERING}"


def few_differing_sql(
    con: DuckDBPyConnection, found: Difference, most: int, *, masked: Collection[str] = (), mask: str = "***"
) -> str:
    """The same of the first rows by key: the states are read where these rows are, and nowhere else."""
    if not found.key:
        return differing_sql(found, masked=masked, mask=mask)
    keys = ", ".join(f"k{at}" for at in range(len(found.key)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {FEW} AS FROM {DIFFERING} ORDER BY {keys} LIMIT {int(most)}")
    between = _between(con, found)
    sides = [f"SELECT * FROM ({side.sql}) WHERE {between}" for side in (found.before, found.after)]
    return _whole_rows(found, FEW, (sides[0], sides[1]), (frozenset(masked), mask))


def _between(con: DuckDBPyConnection, found: Difference) -> str:
    """A condition that the few rows meet, and that a scan of the files can use."""
    name, kind = found.key[0], dict(found.before.columns)[found.key[0]]
    query = f"SELECT min(k0)::VARCHAR, max(k0)::VARCHAR, count(*) - count(k0) FROM {FEW}"
    row = con.execute(query).fetchone()
    if kind not in ORDERED or row is None or row[0] is None or row[2]:
        return "true"
    low, high = (f"CAST({literal(each)} AS {kind})" for each in row[:2])
    return f"{quoted(name)} BETWEEN {low} AND {high}"


def _whole_rows(
    found: Difference, table: str, sides: tuple[str, str], hiding: tuple[frozenset[str], str]
) -> str:
    """Rows of the table, with those of both states that have their key."""
    changed = ", ".join(
        f"CASE WHEN d{at} AND change = 'changed' THEN {literal(name)} END"
        for at, name in enumerate(found.flags)
    )
    listed = f"list_filter([{changed}], lambda name: name IS NOT NULL)"
    columns = listed if changed else "[]::VARCHAR[]"
    keys = ", ".join(_shown(f"k{at}", name, *hiding) for at, name in enumerate(found.key))
    # Nothing but the key in the condition: with `change` in it DuckDB 1.5 looks at all pairs of rows, 57 CPU
    # seconds for 14,000 of 1.4 million. The key of an added row has no row before.
    joins = "".join(
        f" LEFT JOIN ({query}) {alias} ON "
        + " AND ".join(
            f"{alias}.{quoted(name)} IS NOT DISTINCT FROM d.k{at}" for at, name in enumerate(found.key)
        )
        for alias, query in zip("ab", sides, strict=True)
    )
    rows = ", ".join(
        f"CASE WHEN d.change <> {literal(without)} THEN {_struct(alias, side.columns, *hiding)} END AS {name}"
        for alias, side, without, name in (
            ("a", found.before, "added", "before"),
            ("b", found.after, "removed", "after"),
        )
    )
    return f"SELECT change, {keys}, {columns} AS columns, {rows} FROM {table} d{joins}"


def _struct(alias: str, columns: Columns, hidden: frozenset[str], mask: str) -> str:
    held = (f"{literal(name)}: {_seen(f'{alias}.{quoted(name)}', name, hidden, mask)}" for name, _ in columns)
    return "{" + ", ".join(held) + "}"


def _shown(sql: str, name: str, hidden: frozenset[str], mask: str) -> str:
    return f"{_seen(sql, name, hidden, mask)} AS {quoted(name)}"


def _seen(sql: str, name: str, hidden: frozenset[str], mask: str) -> str:
    return f"CASE WHEN {sql} IS NOT NULL THEN {literal(mask)} END" if name in hidden else sql
