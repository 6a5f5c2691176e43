"""Types: what a contract may call a column, and what other tools call the same.

Here: the one spelling of a type, which types fit which ODCS logicalType, polars and dbt forms.
Not here: reading type expressions (duck_types), words of other engines (dialects), columns, rules, anything
that opens an engine (only `polars_dtype` imports one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_assets.capabilities.contracts.duck_types import DuckType, TypeRefused, parsed

__all__ = ["DuckType", "TypeRefused", "parsed"]

_INTEGERS = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
)

#: What ODCS logicalType may be stored as. An integer is a number too; a whole DECIMAL is an integer.
_FITTING: Mapping[str, frozenset[str]] = {
    "string": frozenset(("VARCHAR", "UUID", "JSON", "BLOB")),
    "integer": _INTEGERS,
    "number": _INTEGERS | {"FLOAT", "DOUBLE", "DECIMAL"},
    "date": frozenset(("DATE",)),
    "timestamp": frozenset(("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")),
    "time": frozenset(("TIME", "TIME WITH TIME ZONE")),
    "boolean": frozenset(("BOOLEAN",)),
    "array": frozenset(("LIST",)),
    "object": frozenset(("STRUCT", "JSON")),
    "map": frozenset(("MAP",)),
    "vector": frozenset(("LIST",)),
}

#: What a column is stored as if the contract names only the logicalType.
_USUAL: Mapping[str, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    "boolean": "BOOLEAN",
}

#: The elements of an ODCS vector that DuckDB can hold.
VECTOR_ELEMENTS: Mapping[str, str] = {
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "int8": "TINYINT",
    "uint8": "UTINYINT",
}

_POLARS: Mapping[str, str] = {
    "TINYINT": "Int8",
    "SMALLINT": "Int16",
    "INTEGER": "Int32",
    "BIGINT": "Int64",
    "UTINYINT": "UInt8",
    "USMALLINT": "UInt16",
    "UINTEGER": "UInt32",
    "UBIGINT": "UInt64",
    "FLOAT": "Float32",
    "DOUBLE": "Float64",
    "VARCHAR": "String",
    "UUID": "String",
    "JSON": "String",
    "BLOB": "Binary",
    "BOOLEAN": "Boolean",
    "DATE": "Date",
    "TIME": "Time",
    "TIME WITH TIME ZONE": "Time",
    "TIMESTAMP": "Datetime('us')",
    "TIMESTAMP_NS": "Datetime('ns')",
    "TIMESTAMP WITH TIME ZONE": "Datetime('us', 'UTC')",
    "INTERVAL": "Duration('us')",
}


def physical_type(text: str) -> str:
    """DuckDB's own spelling: `int` is INTEGER, `numeric(12, 2)` is DECIMAL(12,2). Raises TypeRefused."""
    duck = parsed(text)
    if duck.bounded is not None:
        raise TypeRefused(
            f"{text}: DuckDB does not hold a VARCHAR to a length; write VARCHAR and "
            f"logicalTypeOptions: {{maxLength: {duck.bounded.longest}}}"
        )
    return str(duck)


def usual_type(logical: str) -> str | None:
    """The DuckDB type of a logicalType that names no physicalType; None where there is no usual one."""
    return _USUAL.get(logical)


def logical_type(physical: str) -> str:
    """The narrowest logicalType that fits a DuckDB type."""
    duck = parsed(physical)
    if duck.precision is not None:
        return "integer" if duck.precision[1] == 0 else "number"
    return next(logical for logical, names in _FITTING.items() if duck.name in names)


def fits(logical: str, physical: str) -> bool:
    """Whether a column of this logicalType may be stored as this DuckDB type."""
    duck = parsed(physical)
    if logical == "integer" and duck.precision is not None:
        return duck.precision[1] == 0
    return duck.name in _FITTING.get(logical, frozenset())


def fitting_types(logical: str) -> tuple[str, ...]:
    """The DuckDB types that a logicalType may be stored as, for an error's remedy."""
    shown = {
        "LIST": "a list such as VARCHAR[]",
        "STRUCT": "STRUCT(…)",
        "MAP": "MAP(…)",
        "DECIMAL": "DECIMAL(p,s)",
    }
    return tuple(shown.get(name, name) for name in sorted(_FITTING.get(logical, ())))


def polars_type(physical: str) -> str:
    """The polars dtype as an expression: `Int64`, `Decimal(12, 2)`, `List(String)`."""
    return _polars(parsed(physical))


def polars_dtype(physical: str) -> Any:
    """The polars dtype itself, as pandera's polars schemas take it."""
    import polars

    # The text is made here, of words from the table above and quoted field names.
    return eval(polars_type(physical), {name: getattr(polars, name) for name in _POLARS_WORDS})  # noqa: S307  our own text


_POLARS_WORDS = sorted({name.partition("(")[0] for name in _POLARS.values()} | {"Decimal", "List", "Struct"})


def dbt_type(physical: str) -> str:
    """What dbt's `data_type` says with the DuckDB adapter: DuckDB's own spelling."""
    return physical_type(physical)


def _polars(duck: DuckType) -> str:
    if duck.precision is not None:
        return f"Decimal({duck.precision[0]}, {duck.precision[1]})"
    if duck.name == "LIST":
        return f"List({_polars(duck.inner[0])})"
    if duck.name == "STRUCT":
        fields = ", ".join(
            f"{name!r}: {_polars(inner)}" for name, inner in zip(duck.fields, duck.inner, strict=True)
        )
        return f"Struct({{{fields}}})"
    if duck.name == "MAP":
        return f"List(Struct({{'key': {_polars(duck.inner[0])}, 'value': {_polars(duck.inner[1])}}}))"
    return _POLARS[duck.name]
