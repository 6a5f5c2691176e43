"""JSON files as columns of the promised types, where nothing is lost by it.

Here: which JSON values are exactly one value of a DuckDB type.
Not here: finding and opening files (data_files), CSV (typed).

JSON knows texts, numbers, true and false: a text "12" is no number, and 12 is no text. Dates, times and UUIDs
are texts. What a column is stored as otherwise, DuckDB's own detection says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.columns import unreadable
from mesh_assets.capabilities.checks.stored import NUMBERS, Family, identifier, stored_column, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NUMBER_TYPES = "('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"


def typed_json(con: DuckDBPyConnection, files: str, form: str, promised: Mapping[str, str]) -> str:
    """A SELECT over JSON files; a column with one value that is none of its promised type stays JSON."""
    sniffed = f"read_json({files}, format = '{form}')"
    seen = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {sniffed}").fetchall()}
    read_as = {name: "JSON" if _is_scalar(promised.get(name)) else kind for name, kind in seen.items()}
    columns = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in read_as.items())
    reader = f"read_json({files}, format = '{form}', columns = {{{columns}}})"
    wanted = {name: promised[name] for name in seen if name in promised}
    bad = _bad_counts(con, reader, {name: _bad(name, kind, read_as[name]) for name, kind in wanted.items()})
    return f"SELECT {', '.join(_column(name, wanted.get(name), read_as, bad) for name in seen)} FROM {reader}"


def _bad_counts(con: DuckDBPyConnection, reader: str, conditions: Mapping[str, str]) -> Mapping[str, int]:
    if not conditions:
        return {}
    counted = ", ".join(f"count_if({condition})" for condition in conditions.values())
    row = con.execute(f"SELECT {counted} FROM {reader}").fetchone() or ()
    return dict(zip(conditions, row, strict=True))


def _column(name: str, kind: str | None, read_as: Mapping[str, str], bad: Mapping[str, int]) -> str:
    own = identifier(name)
    if kind is None or bad[name]:
        return own
    value = f"({own} ->> '$')" if read_as[name] == "JSON" and kind != "JSON" else own
    return f"CAST({value} AS {kind}) AS {own}"


def _bad(name: str, kind: str, read_as: str) -> str:
    """SQL that is true on a value that is not exactly one of the type."""
    own = identifier(name)
    if kind == "JSON":
        return "FALSE"
    if read_as != "JSON":  # nested, as DuckDB detected it: there and back again
        there = f"TRY_CAST({own} AS {kind})"
        return f"({own} IS NOT NULL AND ({there} IS NULL OR {there}::{read_as} IS DISTINCT FROM {own}))"
    family, value = stored_column("", kind).family, f"({own} ->> '$')"
    types = "('VARCHAR')"
    if family in NUMBERS:
        types = _NUMBER_TYPES
    elif family is Family.BOOLEAN:
        types = "('BOOLEAN')"
    is_null = f"json_type({own}) = 'NULL'"
    wrong = f"json_type({own}) NOT IN {types} OR {unreadable(value, kind)}"
    return f"({own} IS NOT NULL AND NOT {is_null} AND ({wrong}))"


def _is_scalar(kind: str | None) -> bool:
    return kind is not None and not kind.endswith("]") and not kind.startswith(("STRUCT", "MAP"))
