"""Types: what a contract may call a column, and what other tools call the same.

Here: DuckDB types that a lake stores exactly, their one spelling, which fit which ODCS logicalType, polars
and dbt forms.
Not here: columns, rules, anything that opens an engine (only `polars_dtype` imports one).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class TypeRefused(ValueError):
    """A physical type that cannot be used; the text says why and what to write instead."""


@dataclass(frozen=True)
class DuckType:
    """A parsed DuckDB type. `name` is the outermost word; `inner` its element, field or key types."""

    name: str
    inner: tuple[DuckType, ...] = ()
    fields: tuple[str, ...] = ()
    precision: tuple[int, int] | None = None

    def __str__(self) -> str:
        """As DuckDB itself prints the type."""
        if self.name == "LIST":
            return f"{self.inner[0]}[]"
        if self.name == "STRUCT":
            parts = (
                f"{_quoted(field)} {inner}" for field, inner in zip(self.fields, self.inner, strict=True)
            )
            return f"STRUCT({', '.join(parts)})"
        if self.name == "MAP":
            return f"MAP({self.inner[0]}, {self.inner[1]})"
        if self.precision is not None:
            return f"DECIMAL({self.precision[0]},{self.precision[1]})"
        return self.name


_OWN_NAMES = (
    "BIGINT",
    "BLOB",
    "BOOLEAN",
    "DATE",
    "DOUBLE",
    "FLOAT",
    "INTEGER",
    "INTERVAL",
    "JSON",
    "SMALLINT",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_NS",
    "TINYINT",
    "UBIGINT",
    "UINTEGER",
    "USMALLINT",
    "UTINYINT",
    "UUID",
    "VARCHAR",
)

#: Spellings of scalar types, each with DuckDB's own.
_NAMES: Mapping[str, str] = {
    **{name: name for name in _OWN_NAMES},
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "TIME WITH TIME ZONE": "TIME WITH TIME ZONE",
    "TIMETZ": "TIME WITH TIME ZONE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMP_US": "TIMESTAMP",
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "CHAR": "VARCHAR",
    "BPCHAR": "VARCHAR",
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "INT32": "INTEGER",
    "SIGNED": "INTEGER",
    "INT8": "BIGINT",
    "INT64": "BIGINT",
    "LONG": "BIGINT",
    "INT2": "SMALLINT",
    "INT16": "SMALLINT",
    "SHORT": "SMALLINT",
    "INT1": "TINYINT",
    "REAL": "FLOAT",
    "FLOAT4": "FLOAT",
    "FLOAT8": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE",
    "BOOL": "BOOLEAN",
    "LOGICAL": "BOOLEAN",
    "BYTEA": "BLOB",
    "BINARY": "BLOB",
    "VARBINARY": "BLOB",
    "DECIMAL": "DECIMAL(18,3)",
    "NUMERIC": "DECIMAL(18,3)",
}

#: DuckDB types that a lake of Parquet files gives back as others (measured with DuckDB 1.5), or not at all.
_REFUSED: Mapping[str, str] = {
    "HUGEINT": "Parquet keeps it as DOUBLE; write DECIMAL(38,0)",
    "UHUGEINT": "Parquet keeps it as DOUBLE; write DECIMAL(38,0)",
    "INT128": "Parquet keeps it as DOUBLE; write DECIMAL(38,0)",
    "TIMESTAMP_S": "Parquet keeps it as TIMESTAMP; write TIMESTAMP",
    "TIMESTAMP_MS": "Parquet keeps it as TIMESTAMP; write TIMESTAMP",
    "TIME_NS": "Parquet keeps it as VARCHAR; write TIME",
    "ENUM": "a lake does not store it; write VARCHAR with an invalidValues rule that lists the values",
    "UNION": "a lake does not store it; write a STRUCT",
    "BIT": "a lake does not store it; write VARCHAR or BLOB",
    "BITSTRING": "a lake does not store it; write VARCHAR or BLOB",
    "BIGNUM": "Parquet keeps it as VARCHAR; write DECIMAL(38,0)",
    "VARINT": "Parquet keeps it as VARCHAR; write DECIMAL(38,0)",
    "GEOMETRY": "Parquet keeps it as BLOB; write BLOB (well-known binary)",
    "VARIANT": "its content has no declared type; write JSON or a STRUCT",
    "NULL": "a column of nothing; write the type that it will have",
}

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
    return str(parsed(text))


def longest_text(text: str) -> int | None:
    """The n of VARCHAR(n), None of any other type. DuckDB reads the n and holds nothing to it."""
    found = _LENGTH.match(text.strip())
    return int(found.group(1)) if found else None


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
    return eval(polars_type(physical), {name: getattr(polars, name) for name in _POLARS_WORDS})  # noqa: S307  # noqa: S307  our own text


_POLARS_WORDS = sorted({name.partition("(")[0] for name in _POLARS.values()} | {"Decimal", "List", "Struct"})


def dbt_type(physical: str) -> str:
    """What dbt's `data_type` says with the DuckDB adapter: DuckDB's own spelling."""
    return physical_type(physical)


def parsed(text: str) -> DuckType:
    """A type's parts. Raises TypeRefused with the reason."""
    reader = _Reader(text)
    duck = reader.type()
    reader.end()
    return duck


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


_LENGTH = re.compile(r"VARCHAR\s*\(\s*([1-9][0-9]{0,8})\s*\)\Z", re.IGNORECASE)
_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|\S)')
#: Types with types in brackets: DuckDB's round ones, and the pointed ones of ODCS's own examples.
_NESTED = {"STRUCT": "(<", "ROW": "(<", "MAP": "(<", "ARRAY": "<"}
_PARTS = {"MAP": 2, "ARRAY": 1}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.IGNORECASE)


def _quoted(field: str) -> str:
    return field if _PLAIN.match(field) else '"' + field.replace('"', '""') + '"'


class _Reader:
    """Reads one type expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.tokens = [match.group(1) for match in _TOKEN.finditer(self.text)]
        self.at = 0

    def type(self) -> DuckType:
        word = self.word()
        duck = self.nested(word) if word in _NESTED and self.peek() in _NESTED[word] else self.scalar(word)
        while self.peek() == "[":
            self.take("[")
            if self.peek() != "]":
                raise TypeRefused(
                    f"{self.text} has a fixed length, which a lake does not store; write {duck}[]"
                )
            self.take("]")
            duck = DuckType("LIST", (duck,))
        return duck

    def scalar(self, word: str) -> DuckType:
        words = [word]
        while self.peek().upper() in ("WITH", "WITHOUT", "TIME", "ZONE", "PRECISION"):
            words.append(self.word())
        name = " ".join(words)
        if name in _REFUSED:
            raise TypeRefused(f"{self.text} cannot be used: {_REFUSED[name]}")
        if name in ("DECIMAL", "NUMERIC") and self.peek() == "(":
            return self.decimal()
        if name not in _NAMES:
            raise TypeRefused(f"{self.text} is not a DuckDB type")
        if self.peek() == "(":
            raise self.with_length(_NAMES[name])
        return (
            DuckType("DECIMAL", precision=(18, 3))
            if name in ("DECIMAL", "NUMERIC")
            else DuckType(_NAMES[name])
        )

    def with_length(self, name: str) -> TypeRefused:
        length = "".join(self.tokens[self.at + 1 :]).rstrip(")")
        if name == "VARCHAR":
            return TypeRefused(
                f"{self.text}: DuckDB does not hold a VARCHAR to a length; write VARCHAR and "
                f"logicalTypeOptions: {{maxLength: {length}}}"
            )
        return TypeRefused(f"{self.text}: {name} takes nothing in brackets")

    def decimal(self) -> DuckType:
        self.take("(")
        width, scale = self.number(), 0
        if self.peek() == ",":
            self.take(",")
            scale = self.number()
        self.take(")")
        if not 1 <= width <= 38 or scale > width:
            raise TypeRefused(f"{self.text}: DECIMAL takes 1 to 38 digits, of which at most all are decimals")
        return DuckType("DECIMAL", precision=(width, scale))

    def nested(self, word: str) -> DuckType:
        opened = self.peek()
        self.take(opened)
        names: list[str] = []
        inner: list[DuckType] = []
        while True:
            if word in ("STRUCT", "ROW"):
                names.append(self.field())
            inner.append(self.type())
            if self.peek() != ",":
                break
            self.take(",")
        self.take(")" if opened == "(" else ">")
        if word in _PARTS and len(inner) != _PARTS[word]:
            told = {"MAP": "a key type and a value type", "ARRAY": "one type"}[word]
            raise TypeRefused(f"{self.text}: a {word} has {told}")
        return DuckType({"MAP": "MAP", "ARRAY": "LIST"}.get(word, "STRUCT"), tuple(inner), tuple(names))

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise TypeRefused(f"{self.text} is not a DuckDB type: {wanted!r} is missing")
        self.at += 1

    def word(self) -> str:
        token = self.peek()
        if not _PLAIN.match(token):
            raise TypeRefused(f"{self.text or 'nothing'} is not a DuckDB type")
        self.at += 1
        return token.upper()

    def field(self) -> str:
        token = self.peek()
        self.at += 2 if self.tokens[self.at + 1 : self.at + 2] == [":"] else 1
        return token[1:-1].replace('""', '"') if token.startswith('"') else token

    def number(self) -> int:
        token = self.peek()
        if not token.isdigit():
            raise TypeRefused(f"{self.text} is not a DuckDB type: a number is missing")
        self.at += 1
        return int(token)

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise TypeRefused(f"{self.text} is not a DuckDB type: {self.peek()!r} is left over")
