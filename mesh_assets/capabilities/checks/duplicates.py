"""Rows that share a key with another row: exact, over the whole product, and cheap when there are none.

The order of attempts, by price: a proof that nothing repeats (distinct), the keys or their 64-bit hashes
sorted, and only keys whose hashes meet grouped by themselves. Rows with a null in the key do not take part
(SQL: nulls are distinct).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mesh_assets.capabilities.checks.distinct import Proof, prove
from mesh_assets.capabilities.checks.stored import Family
from mesh_assets.capabilities.checks.subject import Subject, complete, quoted


@dataclass(frozen=True)
class Repeats:
    """The keys of one rule that occur more than once."""

    columns: tuple[str, ...]
    #: Rows of the product with such a key; all of them, as in pandera's `report_duplicates="all"`.
    rows: int = 0
    #: A temporary table of these keys, in order as `k0`, `k1`, ...; None if there are none.
    table: str | None = None


def find_repeats(subject: Subject, columns: tuple[str, ...], *, settled: bool, number: int) -> Repeats:
    """The keys that occur more than once in the product.

    `settled`: no two published rows outside the draft share a key, so that only the draft's keys can repeat.
    `number` tells this key's temporary table from those of other keys.
    """
    relations = [subject.relation]
    if subject.elsewhere is not None and reaches_elsewhere(subject, columns):
        relations.append(subject.elsewhere)
    if prove(subject, columns, relations) is Proof.DISTINCT:
        return Repeats(columns)
    table = f"mesh_repeats_{number}"
    candidates = _keys(subject, columns, settled=settled)
    subject.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {_repeated(subject, columns, candidates)}")
    row = subject.con.execute(f"SELECT coalesce(sum(rows), 0)::BIGINT FROM {table}").fetchone()
    found = int(row[0]) if row else 0
    return Repeats(columns, found, table if found else None)


def forget(subject: Subject, repeats: Repeats) -> None:
    """Give back the memory of the keys."""
    if repeats.table:
        subject.con.execute(f"DROP TABLE IF EXISTS {repeats.table}")


def duplicate_condition(subject: Subject, columns: tuple[str, ...]) -> str:
    """SQL that is true on the draft's rows whose key occurs more than once in the product."""
    keys = _keys(subject, columns, settled=False)
    grouped = _repeated(subject, columns, keys)
    listed = ", ".join(_names(columns))
    return f"({complete(columns)} AND {key_of(columns)} IN (SELECT {listed} FROM ({grouped})))"


def key_of(columns: tuple[str, ...], owner: str = "") -> str:
    """The key as one SQL value, to stand before IN."""
    keys = ", ".join(quoted(columns, owner))
    return keys if len(columns) == 1 else f"({keys})"


def reaches_elsewhere(subject: Subject, columns: tuple[str, ...]) -> bool:
    """A key that holds the partition column cannot repeat in another partition."""
    return subject.elsewhere is not None and subject.partition_column not in columns


def as_counted(subject: Subject, *, metric: bool) -> Subject:
    """What a rule about repeats counts in: a measure takes published partitions in whatever its columns are.

    A key with the partition column cannot repeat in two partitions, but rows that share it in one count.
    """
    return replace(subject, partition_column=None) if metric else subject


def _repeated(subject: Subject, columns: tuple[str, ...], keys: str) -> str:
    """Keys with the number of their rows, of those that have several."""
    names = ", ".join(_names(columns))
    if len(columns) == 1 and subject.stored[columns[0]].family in (Family.INTEGER, Family.DATE):
        # As many rows as follow an equal one, and the first.
        repeated = _followers(f"SELECT k0 FROM ({keys})", "k0")
        return f"SELECT k0, count(*) + 1 AS rows FROM ({repeated}) GROUP BY k0"
    grouped = f"SELECT {names}, count(*) AS rows FROM ({keys})"
    having = f"GROUP BY {names} HAVING count(*) > 1"
    # Hashes of wide text and composite keys take less memory than the keys. Equal keys have equal hashes, so
    # every repeated key is among those whose hash repeats; where none does, the second look reads no row.
    hashes = _followers(f"SELECT hash({names}) AS mesh_hash FROM ({keys})", "mesh_hash")
    return f"{grouped} WHERE hash({names}) IN (SELECT mesh_hash FROM ({hashes})) {having}"


def _followers(keys: str, key: str) -> str:
    """The keys that follow an equal one once they are sorted: 0.4 of the price of groups (measured).

    `lag() OVER ()` streams, in the order of the query below it. That order is looked at as well: should it
    ever be another one, a key is less than the one before it, and the rule is an error, never a wrong count.
    """
    ordered = f"SELECT {key}, lag({key}) OVER () AS mesh_before FROM ({keys} ORDER BY {key})"
    lost = f"CASE WHEN {key} < mesh_before THEN error('sorted keys lost their order') ELSE {key} END"
    return f"SELECT {lost} AS {key} FROM ({ordered}) WHERE {key} <= mesh_before"


def _keys(subject: Subject, columns: tuple[str, ...], *, settled: bool) -> str:
    own = zip(quoted(columns), _names(columns), strict=True)
    chosen = ", ".join(f"{column} AS {name}" for column, name in own)
    whole = complete(columns)
    here = f"SELECT {chosen} FROM {subject.relation} AS own WHERE {whole}"
    if not reaches_elsewhere(subject, columns):
        return here
    there = f"SELECT {chosen} FROM {subject.elsewhere} AS others WHERE {whole}"
    if settled:
        names = ", ".join(quoted(columns))
        there += f" AND {key_of(columns)} IN (SELECT {names} FROM {subject.relation} AS own WHERE {whole})"
    return f"{here} UNION ALL {there}"


def _names(columns: tuple[str, ...]) -> list[str]:
    return [f"k{number}" for number in range(len(columns))]
