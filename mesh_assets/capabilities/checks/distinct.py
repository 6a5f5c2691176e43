"""Three proofs that no key repeats, each cheaper than looking for repeats.

- **A bitmap** for whole numbers and dates, alone or together, whose values lie close: a bit per possible key.
  As many bits as rows means that no two rows share one.
- **A sorted run**: where every key is greater than the one in the row before, no two are alike.
- **A bitmap of numbers in text** (`ORD-0000012345`): where the digits at the end all differ, the texts do.

All are exact. A proof that does not apply, or fails, says nothing about which keys repeat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mesh_assets.capabilities.checks.stored import Family, StoredColumn, text
from mesh_assets.capabilities.checks.subject import Subject, complete, quoted

#: Bits in a map: 32 MB for each thread that fills one.
MOST_BITS = 2**28

#: A map may be this much larger than the rows that it is for.
BITS_PER_ROW = 64
FEW_BITS = 2**20

#: Rows that are looked at before a whole column is read as a sorted run.
PROBED_ROWS = 20_000

#: Digits that always make a BIGINT.
MOST_DIGITS = 18

#: Types of which a bitmap can be made, and one in which a value's distance from the least cannot overflow.
_DISTANCES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT"), "BIGINT"),
    **dict.fromkeys(("UINTEGER", "UBIGINT", "HUGEINT"), "HUGEINT"),
    "DATE": "DATE",
}


class Proof(StrEnum):
    DISTINCT = "distinct"
    REPEATED = "repeated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class _Range:
    """The values that a column can have, and where they begin."""

    column: StoredColumn
    low: Any
    size: int

    @property
    def offset(self) -> str:
        """SQL of a value's distance from the least one."""
        kind = _DISTANCES[self.column.type]
        return f"({self.column.sql}::{kind} - {text(str(self.low))}::{kind})::BIGINT"


def prove(subject: Subject, columns: tuple[str, ...], relations: Sequence[str]) -> Proof:
    """What the cheap proofs say about this key over all rows of these relations together.

    Rows with a null in the key take no part.
    """
    found = _bitmap(subject, columns, relations)
    if found is Proof.UNKNOWN and len(relations) == 1:
        found = _sorted_run(subject, columns, relations[0])
    if found is Proof.UNKNOWN and len(columns) == 1:
        found = _numbered_text(subject, subject.stored[columns[0]], relations)
    return found


def _bitmap(subject: Subject, columns: tuple[str, ...], relations: Sequence[str]) -> Proof:
    ranges = _ranges(subject, columns, relations)
    if ranges is None:
        return Proof.UNKNOWN
    place = ranges[0].offset
    for each in ranges[1:]:
        place = f"({place} * {each.size} + {each.offset})"
    bits = math.prod(each.size for each in ranges)
    rows, distinct = _one_row(
        subject,
        f"SELECT count(*), coalesce(bit_count(bitstring_agg({place}, 0, {bits - 1})), 0) "
        f"FROM ({_union(columns, relations)}) WHERE {complete(columns)}",
    )
    return Proof.DISTINCT if rows == distinct else Proof.REPEATED


def _ranges(subject: Subject, columns: tuple[str, ...], relations: Sequence[str]) -> list[_Range] | None:
    """The range of every column of the key; None if a bitmap is no way or too large."""
    found = [subject.stored[name] for name in columns]
    if not {column.type for column in found} <= set(_DISTANCES):
        return None
    # No condition here: DuckDB then answers from the statistics of a Parquet file, and reads nothing.
    bounds = ", ".join(f"min({column.sql}), max({column.sql})" for column in found)
    rows, *ends = _one_row(subject, f"SELECT count(*), {bounds} FROM ({_union(columns, relations)})")
    if None in ends or any(isinstance(end, str) for end in ends):
        return None
    ranges = [
        _Range(column, low, _size(low, high))
        for column, low, high in zip(found, ends[::2], ends[1::2], strict=True)
    ]
    bits = math.prod(each.size for each in ranges)
    return ranges if bits <= _most_bits(rows) else None


def _most_bits(rows: int) -> int:
    return min(MOST_BITS, max(BITS_PER_ROW * rows, FEW_BITS))


def _size(low: Any, high: Any) -> int:
    distance = high - low
    return int(getattr(distance, "days", distance)) + 1


def _sorted_run(subject: Subject, columns: tuple[str, ...], relation: str) -> Proof:
    """Whether each key is greater than the one before it, in the order in which DuckDB reads the rows.

    The order does not matter to the proof: strictly increasing in any one order means that all differ.
    """
    if Family.OTHER in {subject.stored[name].family for name in columns}:
        return Proof.UNKNOWN
    names = quoted(columns)
    key = names[0] if len(names) == 1 else f"row({', '.join(names)})"
    keys = f"SELECT {key} AS mesh_key FROM {relation} AS draft WHERE {complete(columns)}"
    for some in (f"{keys} LIMIT {PROBED_ROWS}", keys):
        (falls,) = _one_row(
            subject,
            "SELECT count(*) FROM (SELECT mesh_key <= lag(mesh_key) OVER () AS mesh_falls "
            f"FROM ({some})) WHERE mesh_falls",
        )
        if falls:
            return Proof.UNKNOWN
    return Proof.DISTINCT


def _numbered_text(subject: Subject, column: StoredColumn, relations: Sequence[str]) -> Proof:
    """Whether the digits at the end of each text, cut to as many bits as the map has, are nowhere the same.

    That is a function of the text. Texts that it tells apart are different, whatever it does with a text of
    another form than those that were looked at first; where it gives nothing, bits are fewer than rows.
    """
    if column.family is not Family.TEXT:
        return Proof.UNKNOWN
    keys = f"SELECT {column.sql} AS mesh_key FROM ({_union((column.name,), relations)})"
    place = _number_in_text(subject, keys)
    if place is None:
        return Proof.UNKNOWN
    number, bits = place
    seen = f"bitstring_agg({number} & {bits - 1}, 0, {bits - 1})"
    rows, distinct = _one_row(subject, f"SELECT count(mesh_key), bit_count({seen}) FROM ({keys})")
    return Proof.DISTINCT if rows == distinct else Proof.UNKNOWN


def _number_in_text(subject: Subject, keys: str) -> tuple[str, int] | None:
    """SQL of the number that ends a text, and the bits that such numbers need, judged from the first rows.

    None where texts are of several lengths or of other forms, or their numbers lie far apart: the whole
    column would be read for nothing.
    """
    some = f"SELECT mesh_key FROM ({keys}) WHERE mesh_key IS NOT NULL LIMIT {PROBED_ROWS}"
    ending = f"regexp_extract(mesh_key, '[0-9]{{1,{MOST_DIGITS}}}$')"
    shortest, longest, digits, least, most, rows = _one_row(
        subject,
        f"WITH probed AS MATERIALIZED ({some}), form AS (SELECT min(length(mesh_key)) AS shortest, "
        f"max(length(mesh_key)) AS longest, min(length({ending})) AS digits FROM probed) "
        "SELECT any_value(shortest), any_value(longest), any_value(digits), "
        "min(try_cast(right(mesh_key, digits) AS BIGINT)), max(try_cast(right(mesh_key, digits) AS BIGINT)), "
        f"(SELECT count(*) FROM ({keys})) FROM probed, form",
    )
    if not digits or shortest != longest:
        return None
    number = f"try_cast(substr(mesh_key, {longest - digits + 1}) AS BIGINT)"
    # Twice what the first rows span: they need not hold the ends. Numbers beyond share bits, proving nothing.
    bits = 2 ** (most - least + 1).bit_length()
    return (number, bits) if bits <= _most_bits(rows) else None


def _union(columns: tuple[str, ...], relations: Sequence[str]) -> str:
    names = ", ".join(quoted(columns))
    return " UNION ALL ".join(f"SELECT {names} FROM {each} AS draft" for each in relations)


def _one_row(subject: Subject, query: str) -> tuple[Any, ...]:
    row = subject.con.execute(query).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return row
