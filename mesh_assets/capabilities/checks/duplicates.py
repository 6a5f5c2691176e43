"""Rows that share a key with another row: exact, over the whole product, and cheap when there are none."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_assets.capabilities.checks.stored import Family
from mesh_assets.capabilities.checks.subject import Subject, quoted


def duplicate_rows(subject: Subject, columns: tuple[str, ...]) -> int:
    """How many rows of the draft hold a key that occurs more than once in the product.

    Every row of a group counts, as in pandera's `report_duplicates="all"`. Rows with a null in the key do not
    take part (SQL: nulls are distinct).
    """
    if _no_two_alike(subject, columns):
        return 0
    keys = ", ".join(quoted(columns))
    row = subject.con.execute(
        f"SELECT coalesce(sum(here), 0) FROM (SELECT count(*) FILTER (WHERE mesh_here) AS here "
        f"FROM {_keys(subject, columns)} GROUP BY {keys} HAVING count(*) > 1)"
    ).fetchone()
    return int(row[0]) if row else 0


def duplicate_condition(subject: Subject, columns: tuple[str, ...]) -> str:
    """SQL that is true on the draft's rows that `duplicate_rows` counts."""
    keys = ", ".join(quoted(columns))
    own = keys if len(columns) == 1 else f"({keys})"
    return (
        f"({_complete(columns)} AND {own} IN "
        f"(SELECT {keys} FROM {_keys(subject, columns)} GROUP BY {keys} HAVING count(*) > 1))"
    )


def _no_two_alike(subject: Subject, columns: tuple[str, ...]) -> bool:
    """Proof that no key repeats, on 64-bit hashes: equal keys have equal hashes.

    The hashes of wide text or composite keys take less memory than the keys; when two hashes do meet, the
    exact count decides.
    """
    key = _hashed(subject, columns)
    row = subject.con.execute(
        f"SELECT sum(rows), count(*) FROM (SELECT count(*) AS rows "
        f"FROM {_keys(subject, columns, select=key)} GROUP BY mesh_key)"
    ).fetchone()
    return row is None or row[0] in (None, row[1])


def _hashed(subject: Subject, columns: tuple[str, ...]) -> str:
    if len(columns) == 1 and subject.stored[columns[0]].family in (Family.INTEGER, Family.DATE):
        return f"{quoted(columns)[0]} AS mesh_key"
    return f"hash({', '.join(quoted(columns))}) AS mesh_key"


def _keys(subject: Subject, columns: tuple[str, ...], *, select: str | None = None) -> str:
    chosen = select or ", ".join(quoted(columns))
    complete = _complete(columns)
    here = f"SELECT {chosen}, TRUE AS mesh_here FROM {subject.relation} AS draft WHERE {complete}"
    if not _reaches_elsewhere(subject, columns):
        return f"({here})"
    return f"({here} UNION ALL SELECT {chosen}, FALSE FROM {subject.elsewhere} AS others WHERE {complete})"


def _reaches_elsewhere(subject: Subject, columns: Sequence[str]) -> bool:
    """A key that holds the partition column cannot repeat in another partition."""
    return subject.elsewhere is not None and subject.partition_column not in columns


def _complete(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{name} IS NOT NULL" for name in quoted(columns))
