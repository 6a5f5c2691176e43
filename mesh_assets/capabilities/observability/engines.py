"""DuckDB's types in the words of polars, Arrow and Spark, as each reads them from Parquet.

A type that an engine has no word for is None: then its schema is left to the files.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any


class Engine(StrEnum):
    """What a version can be read with."""

    DUCKDB = "duckdb"
    SQL = "sql"
    POLARS = "polars"
    PANDAS = "pandas"
    SPARK = "spark"


#: DuckDB's name -> (polars, Arrow, Spark); None where an engine reads something else from the file.
SCALARS: dict[str, tuple[str | None, str | None, str | None]] = {
    "boolean": ("pl.Boolean", "pa.bool_()", "BOOLEAN"),
    "tinyint": ("pl.Int8", "pa.int8()", "TINYINT"),
    "smallint": ("pl.Int16", "pa.int16()", "SMALLINT"),
    "integer": ("pl.Int32", "pa.int32()", "INT"),
    "bigint": ("pl.Int64", "pa.int64()", "BIGINT"),
    "utinyint": ("pl.UInt8", "pa.uint8()", None),
    "usmallint": ("pl.UInt16", "pa.uint16()", None),
    "uinteger": ("pl.UInt32", "pa.uint32()", None),
    "ubigint": ("pl.UInt64", "pa.uint64()", None),
    "float": ("pl.Float32", "pa.float32()", "FLOAT"),
    "double": ("pl.Float64", "pa.float64()", "DOUBLE"),
    "varchar": ("pl.String", "pa.string()", "STRING"),
    "date": ("pl.Date", "pa.date32()", "DATE"),
    "timestamp": ('pl.Datetime("us")', 'pa.timestamp("us")', "TIMESTAMP_NTZ"),
    "timestamp with time zone": ('pl.Datetime("us", "UTC")', 'pa.timestamp("us", tz="UTC")', "TIMESTAMP"),
}


def polars_type(kind: str) -> str | None:
    return _spoken(kind, 0, "pl.Decimal({}, {})", "pl.List({})", _polars_struct)


def arrow_type(kind: str) -> str | None:
    return _spoken(kind, 1, "pa.decimal128({}, {})", "pa.list_({})", _arrow_struct)


def spark_type(kind: str) -> str | None:
    return _spoken(kind, 2, "DECIMAL({},{})", "ARRAY<{}>", _spark_struct)


def _polars_struct(fields: list[tuple[str, str]]) -> str:
    return f"pl.Struct({{{', '.join(f'{name!r}: {kind}' for name, kind in fields)}}})"


def _arrow_struct(fields: list[tuple[str, str]]) -> str:
    return f"pa.struct([{', '.join(f'({name!r}, {kind})' for name, kind in fields)}])"


def _spark_struct(fields: list[tuple[str, str]]) -> str:
    named = (f"`{name.replace('`', '``')}`: {kind}" for name, kind in fields)
    return f"STRUCT<{', '.join(named)}>"


def _spoken(
    kind: str, engine: int, decimal: str, items: str, struct: Callable[[list[tuple[str, str]]], str]
) -> str | None:
    import duckdb

    def spoken(each: Any) -> str | None:
        if each.id == "decimal":
            return decimal.format(*(value for _, value in each.children))
        if each.id == "list":
            inside = spoken(each.children[0][1])
            return items.format(inside) if inside else None
        if each.id == "struct":
            fields = [(name, spoken(inside)) for name, inside in each.children]
            known = [(name, inside) for name, inside in fields if inside is not None]
            return struct(known) if len(known) == len(fields) else None
        # JSON calls itself VARCHAR, and is told apart by its name alone.
        return SCALARS.get(each.id, (None, None, None))[engine] if str(each) != "JSON" else None

    return spoken(duckdb.sqltype(kind))
