"""Words for types: DuckDB's own, those of other engines that mean exactly the same, and those that do not.

Here: tables only. Where engines use one word for different types, the contract's `servers` decide.
Not here: reading a type expression (duck_types), which logicalType a type fits (types).

A word is read as the DuckDB type that holds exactly its values; what has none is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping

#: DuckDB types that a lake of Parquet files keeps as they are.
OWN = (
    *("BIGINT", "BLOB", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "INTEGER", "INTERVAL", "JSON", "SMALLINT"),
    *("TIME", "TIMESTAMP", "TIMESTAMP_NS", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT"),
    *("UUID", "VARCHAR"),
)

_SAME: Mapping[str, tuple[str, ...]] = {
    "VARCHAR": (
        *("TEXT", "STRING", "CHAR", "BPCHAR", "CHARACTER", "CHARACTER VARYING", "CHAR VARYING", "NCHAR"),
        *("VARCHAR2", "NVARCHAR", "NVARCHAR2", "NATIONAL CHARACTER VARYING", "NTEXT", "CLOB", "NCLOB"),
        *("TINYTEXT", "MEDIUMTEXT", "LONGTEXT", "CHARACTER LARGE OBJECT", "FIXEDSTRING", "UTF8"),
    ),
    "INTEGER": ("INT", "INT4", "INT32", "SIGNED", "SERIAL", "SERIAL4"),
    "BIGINT": ("INT8", "INT64", "LONG", "BIGSERIAL", "SERIAL8"),
    "SMALLINT": ("INT2", "INT16", "SHORT", "SMALLSERIAL", "SERIAL2"),
    "TINYINT": ("INT1", "BYTEINT"),
    "UTINYINT": ("UINT8", "UNSIGNEDBYTE"),
    "USMALLINT": ("UINT16", "UNSIGNEDSHORT"),
    "UINTEGER": ("UINT32", "UNSIGNEDINT"),
    "UBIGINT": ("UINT64", "UNSIGNEDLONG"),
    "FLOAT": ("REAL", "FLOAT4", "FLOAT32", "BINARY_FLOAT"),
    "DOUBLE": ("FLOAT8", "FLOAT64", "DOUBLE PRECISION", "BINARY_DOUBLE"),
    "BOOLEAN": ("BOOL", "LOGICAL"),
    "BLOB": (
        *("BYTEA", "BINARY", "VARBINARY", "BYTES", "RAW", "IMAGE", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB"),
        *("BINARY VARYING", "BINARY LARGE OBJECT"),
    ),
    "TIMESTAMP": (
        *("DATETIME", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP_US", "TIMESTAMP_NTZ", "TIMESTAMPNTZ"),
    ),
    "TIMESTAMP WITH TIME ZONE": (
        *("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMP_TZ", "TIMESTAMP_LTZ", "TIMESTAMPLTZ"),
        "TIMESTAMP WITH LOCAL TIME ZONE",
    ),
    "TIME": ("TIME WITHOUT TIME ZONE",),
    "TIME WITH TIME ZONE": ("TIME WITH TIME ZONE", "TIMETZ"),
    "UUID": ("UNIQUEIDENTIFIER", "GUID"),
    "JSON": ("JSONB",),
    "DECIMAL": ("DECIMAL", "DEC", "NUMERIC", "NUMBER", "FIXED"),
    "DECIMAL(19,4)": ("MONEY",),
    "DECIMAL(10,4)": ("SMALLMONEY",),
}

#: Every spelling, each with DuckDB's own.
WORDS: Mapping[str, str] = {
    **{name: name for name in OWN},
    **{word: own for own, words in _SAME.items() for word in words},
}

_HUGE = "Parquet keeps it as DOUBLE; write DECIMAL(38,0)"
_SECONDS = "Parquet keeps it as TIMESTAMP; write TIMESTAMP"
_BITS = "a lake does not store it; write VARCHAR or BLOB"
_ZONE_KEPT = "it keeps each value's own offset, and DuckDB keeps the moment; write TIMESTAMPTZ"

#: Words that DuckDB or a lake cannot keep (measured with DuckDB 1.5), each with what to write instead.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("HUGEINT", "UHUGEINT", "INT128", "UINT128", "INT256"), _HUGE),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS"), _SECONDS),
    "TIME_NS": "Parquet keeps it as VARCHAR; write TIME",
    "ENUM": "a lake does not store it; write VARCHAR with an invalidValues rule that lists the values",
    "UNION": "a lake does not store it; write a STRUCT",
    **dict.fromkeys(("BIT", "BITSTRING", "VARBIT", "BIT VARYING"), _BITS),
    "BIGNUM": "Parquet keeps it as VARCHAR; write DECIMAL(38,0)",
    "VARINT": "Parquet keeps it as VARCHAR; write DECIMAL(38,0)",
    "BIGNUMERIC": "it has up to 76 digits, and a DECIMAL has 38; write NUMERIC(p,s)",
    "BIGDECIMAL": "it has up to 76 digits, and a DECIMAL has 38; write NUMERIC(p,s)",
    **dict.fromkeys(("GEOMETRY", "GEOGRAPHY"), "Parquet keeps it as BLOB; write BLOB (well-known binary)"),
    "VARIANT": "its content has no declared type; write JSON or a STRUCT",
    "SUPER": "its content has no declared type; write JSON or a STRUCT",
    "SQL_VARIANT": "its content has no declared type; write JSON or a STRUCT",
    "NULL": "a column of nothing; write the type that it will have",
    "XML": "DuckDB does not know XML; write VARCHAR",
    "DATETIME2": "it keeps 100 nanoseconds, and DuckDB microseconds; write DATETIME2(6)",
    "DATETIMEOFFSET": _ZONE_KEPT,
    "SMALLDATETIME": "it has whole minutes, and DuckDB has no such type; write TIMESTAMP",
    "HYPERLOGLOG": "DuckDB has no such type",
    **dict.fromkeys(("ROWID", "UROWID", "BFILE"), "it means something inside of Oracle only; write VARCHAR"),
    **dict.fromkeys(("ROWVERSION", "HIERARCHYID"), "it means something inside of SQL Server only"),
}

#: A DECIMAL of whole numbers of any size: what Snowflake and Oracle make of every integer word.
_WHOLE = "DECIMAL(38,0)"
_INTEGER_WORDS = ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT")
_NUMBERS = ("DECIMAL", "DEC", "NUMERIC", "NUMBER")
_FREE = "!without (p,s) it has any number of digits on both sides; write {0}(p,s)"

#: By server type, words that mean something else there; `!` begins the reason why one is refused.
SERVERS: Mapping[str, Mapping[str, str]] = {
    "duckdb": {},
    "snowflake": {
        **dict.fromkeys((*_INTEGER_WORDS, *_NUMBERS), _WHOLE),
        **dict.fromkeys(("FLOAT", "FLOAT4", "REAL"), "DOUBLE"),
        "TIMESTAMP_TZ": f"!{_ZONE_KEPT}",
        "TIMESTAMPTZ": f"!{_ZONE_KEPT}",
    },
    "bigquery": {
        **dict.fromkeys((*_INTEGER_WORDS, "INT64"), "BIGINT"),
        **dict.fromkeys(("NUMERIC", "DECIMAL"), "DECIMAL(38,9)"),
        "FLOAT": "DOUBLE",
        "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    },
    "postgres": {
        **dict.fromkeys(("NUMERIC", "DECIMAL", "DEC"), _FREE),
        "FLOAT": "DOUBLE",
        "MONEY": "!its decimals depend on the server's locale; write NUMERIC(p,s)",
        "CHAR": "VARCHAR",
    },
    "redshift": {
        **dict.fromkeys(("NUMERIC", "DECIMAL", "DEC"), "DECIMAL(18,0)"),
        "FLOAT": "DOUBLE",
    },
    "sqlserver": {
        **dict.fromkeys(("NUMERIC", "DECIMAL", "DEC"), "DECIMAL(18,0)"),
        "FLOAT": "DOUBLE",
        "TINYINT": "UTINYINT",
        "BIT": "BOOLEAN",
        "TIMESTAMP": "!it is a row version there; write DATETIME2(6), or leave it out",
    },
    "mysql": {
        **dict.fromkeys(("NUMERIC", "DECIMAL", "DEC", "FIXED"), "DECIMAL(10,0)"),
        "REAL": "DOUBLE",
        "SERIAL": "UBIGINT",
        "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    },
    "oracle": {
        **dict.fromkeys(("INT", "INTEGER", "SMALLINT", "NUMERIC", "DECIMAL", "DEC"), _WHOLE),
        "NUMBER": _FREE,
        "FLOAT": "!it is a decimal of binary precision there; write BINARY_DOUBLE or NUMBER(p,s)",
        "REAL": "!it is a decimal of binary precision there; write BINARY_FLOAT or NUMBER(p,s)",
    },
    "databricks": {
        **dict.fromkeys(("NUMERIC", "DECIMAL", "DEC"), "DECIMAL(10,0)"),
        "BYTE": "TINYINT",
        "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    },
    "athena": {**dict.fromkeys(("NUMERIC", "DECIMAL"), "DECIMAL(10,0)")},
    "trino": {**dict.fromkeys(("NUMERIC", "DECIMAL", "DEC"), _WHOLE)},
}

#: Other names of the same engines.
_ALSO: Mapping[str, str] = {
    "postgresql": "postgres",
    "synapse": "sqlserver",
    "azure": "sqlserver",
    "presto": "trino",
    "hive": "athena",
    "glue": "athena",
}

#: What the plain words mean where no server says more: as DuckDB reads them.
PLAIN: Mapping[str, str] = {
    "DECIMAL": "DECIMAL(18,3)",
    "DEC": "DECIMAL(18,3)",
    "NUMERIC": "DECIMAL(18,3)",
    "NUMBER": "!without (p,s) it means one thing to Snowflake and another to Oracle; write NUMBER(p,s), or "
    "say the `type` of the server",
    "BYTE": "TINYINT",
}


def server_words(server: str) -> Mapping[str, str]:
    """The words of one engine that are not everybody's."""
    name = server.lower()
    return {**PLAIN, **SERVERS.get(_ALSO.get(name, name), {})}


def is_engine(server: str) -> bool:
    """True for a server type that has types of its own; files, queues and interfaces have none."""
    name = server.lower()
    return _ALSO.get(name, name) in SERVERS
