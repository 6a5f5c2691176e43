"""How two states of a table differ: columns, rows by key, and which columns of them.

The cheapest proof that settles a thing is taken first: a file that both states have says nothing; a column
whose bytes in the files are the same, row group by row group, is unchanged; a column whose sum of hashes over
(key, value) is the same is unchanged. Only what is left is joined, on the rows of those buckets of keys that
differ. The bytes and the join are exact; two different columns of one sum have a chance of 2**-64.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.fingerprint import APPROXIMATE
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.lake.same_bytes import pair_up, same_columns
from mesh_assets.capabilities.lake.stage import files_sql
from mesh_assets.capabilities.lake.stores import content_of, is_object
from mesh_assets.capabilities.lake.types import Columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Buckets of keys whose sums are compared one by one. Few rows changed: few buckets are joined.
BUCKETS = 1024

#: The rows that differ, on the connection: `change`, the key (or the whole row) and a flag per column.
DIFFERING = "mesh_differing"

#: Where a row stands: DuckDB's own columns for any Parquet file, under names of ours.
PLACES = {"mesh_file": "file_index", "mesh_row": "file_row_number"}


@dataclass(frozen=True)
class Side:
    """One of the two states."""

    files: tuple[str, ...]
    columns: Columns

    @property
    def sql(self) -> str:
        return files_sql(self.files, self.columns)


@dataclass(frozen=True)
class Difference:
    """What is different. Without a key, or where it repeats, a changed row is one removed and one added."""

    added_columns: Columns
    removed_columns: Columns
    #: (name, type before, type after)
    retyped_columns: tuple[tuple[str, str, str], ...]
    rows_before: int
    rows_after: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    #: Column -> changed rows in which it differs, of columns that both states have in one type.
    changed_columns: Mapping[str, int] = field(default_factory=dict)
    #: Columns that are proved to be the same in all rows that both states have.
    unchanged_columns: tuple[str, ...] = ()
    #: What rows were matched by; () if by all of their columns.
    key: tuple[str, ...] = ()
    #: What is left of the states to look at, and the columns that the flags of DIFFERING stand for.
    before: Side = field(default_factory=lambda: Side((), ()))
    after: Side = field(default_factory=lambda: Side((), ()))
    flags: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        columns = self.added_columns or self.removed_columns or self.retyped_columns
        return not (columns or self.added or self.removed or self.changed)


def compare(
    con: DuckDBPyConnection,
    before: Side,
    after: Side,
    *,
    key: Sequence[str] = (),
    tolerance: float = 0.0,
) -> Difference:
    """Every difference between two states; floats that differ by up to `tolerance` are the same.

    Leaves the rows that differ in a temporary table of the connection, for `differing_sql`. Equal is as SQL
    has it with NULLs equal: -0.0 is 0.0, and any NaN is any other.
    """
    told = _columns(con, before, after)
    known = dict(after.columns)
    shared = tuple((name, kind) for name, kind in before.columns if known.get(name) == kind)
    key = tuple(key) if all(name in dict(shared) for name in key) else ()
    if before.columns == after.columns:
        before, after = _without_common_files(before, after)
    values = tuple(column for column in shared if column[0] not in key)
    told = replace(told, before=before, after=after)
    if key:
        found = _in_place(con, told, key, values, tolerance) or _by_key(con, told, key, values, tolerance)
        if found is not None:
            return found
    return _by_row(con, told, shared)


def _columns(con: DuckDBPyConnection, before: Side, after: Side) -> Difference:
    old, new = dict(before.columns), dict(after.columns)
    return Difference(
        added_columns=tuple(column for column in after.columns if column[0] not in old),
        removed_columns=tuple(column for column in before.columns if column[0] not in new),
        retyped_columns=tuple(
            (name, kind, new[name]) for name, kind in before.columns if new.get(name, kind) != kind
        ),
        rows_before=_rows(con, before),
        rows_after=_rows(con, after),
    )


def _rows(con: DuckDBPyConnection, side: Side) -> int:
    """From the footers: no column is read."""
    if not side.files:
        return 0
    listed = ", ".join(literal(file) for file in side.files)
    row = con.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata([{listed}])").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _without_common_files(before: Side, after: Side) -> tuple[Side, Side]:
    """A hard link is the same file under another name."""
    ours = {_identity(file): file for file in before.files}
    theirs = {_identity(file): file for file in after.files}
    common = ours.keys() & theirs.keys()
    return (
        replace(before, files=tuple(file for each, file in ours.items() if each not in common)),
        replace(after, files=tuple(file for each, file in theirs.items() if each not in common)),
    )


def _identity(file: str) -> tuple[int, int]:
    if is_object(file):  # its name ends with 64 bits of its content's digest
        return 0, hash(content_of(file) or file)
    stat = Path(file).stat()
    return stat.st_dev, stat.st_ino


def _in_place(
    con: DuckDBPyConnection, told: Difference, key: tuple[str, ...], values: Columns, tolerance: float
) -> Difference | None:
    """If the key's bytes are the same in all files, rows are matched by where they stand; None if not."""
    pairs = pair_up(con, told.before.files, told.after.files)
    if pairs is None:
        return None
    same = same_columns(pairs, (*key, *(name for name, _ in values)))
    if not set(key) <= same:
        return None
    differing = tuple(column for column in values if column[0] not in same)
    if not differing:
        _nothing(con, key)
        return _told(con, told, key, values, ())
    # The key is read on one side: the bytes say that it is the same on the other, at the same places.
    names = [name for name, _ in differing]
    ours, theirs = (
        _placed([pair[at].path for pair in pairs], columns)
        for at, columns in enumerate(([*key, *names], names))
    )
    moved = " OR ".join(f"a.{place} IS DISTINCT FROM b.{place}" for place in PLACES)
    conditions = _conditions(differing, tolerance)
    keys = ", ".join(f"a.{quoted(name)} AS k{at}" for at, name in enumerate(key))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {DIFFERING} AS "
        f"SELECT 'changed' AS change, {keys}, {_flags(conditions)}, {moved} AS moved "
        f"FROM ({ours}) a POSITIONAL JOIN ({theirs}) b WHERE {' OR '.join((*conditions, moved))}"
    )
    if _number(con, f"SELECT count(*) FROM {DIFFERING} WHERE moved") or _repeated(con, DIFFERING, len(key)):
        return None
    return _told(con, told, key, values, differing)


def _placed(files: Sequence[str], columns: Sequence[str]) -> str:
    """Columns of the files in their order, and where each row stands."""
    listed = ", ".join(literal(file) for file in files)
    names = ", ".join(quoted(name) for name in columns)
    places = ", ".join(f"{column} AS {place}" for place, column in PLACES.items())
    return f"SELECT {names}, {places} FROM read_parquet([{listed}], hive_partitioning = false)"


def _by_key(
    con: DuckDBPyConnection, told: Difference, key: tuple[str, ...], values: Columns, tolerance: float
) -> Difference | None:
    """Sums of hashes say which columns and which buckets of keys are to be joined; None if keys repeat."""
    differing, rows = _worth_joining(con, told, key, values)
    names = ", ".join(quoted(name) for name in (*key, *(name for name, _ in differing)))
    for name, side in (("mesh_before", told.before), ("mesh_after", told.after)):
        query = f"SELECT {names}, true AS mesh_there FROM ({side.sql}) WHERE {rows}"
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
        if _repeated(con, name, len(key), key):
            return None
    conditions = _conditions(differing, tolerance)
    matched = " AND ".join(f"a.{quoted(name)} IS NOT DISTINCT FROM b.{quoted(name)}" for name in key)
    keys = ", ".join(
        f"CASE WHEN a.mesh_there THEN a.{quoted(name)} ELSE b.{quoted(name)} END AS k{at}"
        for at, name in enumerate(key)
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {DIFFERING} AS SELECT CASE WHEN a.mesh_there IS NULL THEN 'added' "
        f"WHEN b.mesh_there IS NULL THEN 'removed' ELSE 'changed' END AS change, {keys}, "
        f"{_flags(conditions)} FROM mesh_before a FULL JOIN mesh_after b ON {matched} "
        f"WHERE a.mesh_there IS NULL OR b.mesh_there IS NULL OR {' OR '.join((*conditions, 'false'))}"
    )
    return _told(con, told, key, values, differing)


def _worth_joining(
    con: DuckDBPyConnection, told: Difference, key: tuple[str, ...], values: Columns
) -> tuple[Columns, str]:
    """The columns that differ somewhere, and a condition for the rows that may; all of both where so many
    keys came and went that summing the columns would be work for nothing.
    """
    hashed = ", ".join(quoted(name) for name in key)
    bucket, sides = f"(hash({hashed}) % {BUCKETS})", (told.before, told.after)
    sums = [f"hash({hashed})"]
    if len(_unequal(*(_sums(con, side.sql, bucket, sums) for side in sides))) > BUCKETS // 8:
        return values, "true"
    sums += [f"hash({hashed}, {quoted(name)})" for name, _ in values]
    ours, theirs = (_sums(con, side.sql, bucket, sums) for side in sides)
    buckets = _unequal(ours, theirs)
    nothing = (0,) * (len(sums) + 1)
    differing = tuple(
        column
        for at, column in enumerate(values, start=2)
        if any(ours.get(each, nothing)[at] != theirs.get(each, nothing)[at] for each in buckets)
    )
    return differing, _among(bucket, buckets)


def _unequal(ours: Mapping[int, object], theirs: Mapping[int, object]) -> set[int]:
    return {each for each in ours.keys() | theirs.keys() if ours.get(each) != theirs.get(each)}


def _by_row(con: DuckDBPyConnection, told: Difference, shared: Columns) -> Difference:
    """Without a key: how often each row is there more in one state than in the other."""
    names = [quoted(name) for name, _ in shared]
    if not names:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {DIFFERING} AS SELECT 'added' AS change, 0 AS n LIMIT 0")
        return replace(told, added=told.rows_after, removed=told.rows_before)
    listed = ", ".join(names)
    bucket = f"(hash({listed}) % {BUCKETS})"
    ours, theirs = (_sums(con, side.sql, bucket, [f"hash({listed})"]) for side in (told.before, told.after))
    buckets = _unequal(ours, theirs)
    keys = ", ".join(f"{name} AS k{at}" for at, name in enumerate(names))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {DIFFERING} AS "
        f"SELECT CASE WHEN sum(n) > 0 THEN 'added' ELSE 'removed' END AS change, {keys}, abs(sum(n)) AS n "
        f"FROM (SELECT {listed}, -1 AS n FROM ({told.before.sql}) UNION ALL "
        f"SELECT {listed}, 1 AS n FROM ({told.after.sql})) WHERE {_among(bucket, buckets)} "
        f"GROUP BY {listed} HAVING sum(n) <> 0"
    )
    counts = dict(con.execute(f"SELECT change, sum(n)::BIGINT FROM {DIFFERING} GROUP BY 1").fetchall())
    same = not counts
    return replace(
        told,
        added=counts.get("added", 0),
        removed=counts.get("removed", 0),
        unchanged_columns=tuple(name for name, _ in shared) if same else (),
    )


def _conditions(columns: Columns, tolerance: float) -> list[str]:
    return [_differs(quoted(name), kind, tolerance) for name, kind in columns]


def _differs(name: str, kind: str, tolerance: float) -> str:
    distinct = f"a.{name} IS DISTINCT FROM b.{name}"
    if tolerance <= 0 or kind not in APPROXIMATE:
        return f"({distinct})"
    near = f"abs(a.{name}::DOUBLE - b.{name}::DOUBLE) <= {tolerance!r}::DOUBLE"
    # NaN is above every number, so that nothing is near it; NULL is near nothing.
    return f"({distinct} AND NOT coalesce({near}, false))"


def _flags(conditions: Sequence[str]) -> str:
    return ", ".join(f"{condition} AS d{at}" for at, condition in enumerate(conditions)) or "false AS none"


def _sums(
    con: DuckDBPyConnection, query: str, bucket: str, values: Sequence[str]
) -> dict[int, tuple[int, ...]]:
    sums = ", ".join(f"sum({value})" for value in values)
    rows = con.execute(
        f"SELECT {bucket} AS bucket, count(*), {sums} FROM ({query}) GROUP BY bucket"
    ).fetchall()
    return {int(first): tuple(int(value) for value in rest) for first, *rest in rows}


def _among(bucket: str, wanted: Collection[int]) -> str:
    if len(wanted) == BUCKETS:
        return "true"
    return f"{bucket} IN ({', '.join(map(str, sorted(wanted)))})" if wanted else "false"


def _repeated(con: DuckDBPyConnection, table: str, count: int, key: tuple[str, ...] = ()) -> bool:
    names = ", ".join(quoted(name) for name in key) or ", ".join(f"k{at}" for at in range(count))
    return bool(
        _number(
            con, f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {names} HAVING count(*) > 1 LIMIT 1)"
        )
    )


def _nothing(con: DuckDBPyConnection, key: tuple[str, ...]) -> None:
    keys = ", ".join(f"NULL AS k{at}" for at in range(len(key)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {DIFFERING} AS SELECT 'changed' AS change, {keys} LIMIT 0")


def _told(
    con: DuckDBPyConnection, told: Difference, key: tuple[str, ...], values: Columns, differing: Columns
) -> Difference:
    """The counts of the rows that differ, with what they were matched by."""
    counts = dict(con.execute(f"SELECT change, count(*) FROM {DIFFERING} GROUP BY change").fetchall())
    flags = tuple(name for name, _ in differing)
    sums = ", ".join(f"count(*) FILTER (d{at})" for at in range(len(flags)))
    row = con.execute(f"SELECT {sums} FROM {DIFFERING} WHERE change = 'changed'").fetchone() if flags else ()
    changed = {name: int(count) for name, count in zip(flags, row or (), strict=True) if count}
    return replace(
        told,
        added=counts.get("added", 0),
        removed=counts.get("removed", 0),
        changed=counts.get("changed", 0),
        changed_columns=changed,
        unchanged_columns=tuple(name for name, _ in values if name not in changed),
        key=key,
        flags=flags,
    )


def _number(con: DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
