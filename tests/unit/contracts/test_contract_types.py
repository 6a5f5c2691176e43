"""Types: one spelling each, the same as DuckDB's; what a lake would change is refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts.types import (
    TypeRefused,
    dbt_type,
    fits,
    logical_type,
    parsed,
    physical_type,
    polars_dtype,
    polars_type,
    usual_type,
)

SCALARS = [
    *("BIGINT", "BLOB", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "INTEGER", "INTERVAL", "JSON", "SMALLINT"),
    *("TIME", "TIMESTAMP", "TIMESTAMP_NS", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT", "UUID"),
    *("VARCHAR", "TIMESTAMPTZ", "TIMETZ", "TEXT", "STRING", "INT", "INT8", "REAL", "FLOAT8", "BOOL", "BYTEA"),
]
STORED = [
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL(12,2)", "VARCHAR"),
    *("DECIMAL(38,0)", "BLOB", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMPTZ", "UUID"),
    *("JSON", "VARCHAR[]", "INTEGER[][]", "STRUCT(a INTEGER, b VARCHAR[])", "MAP(VARCHAR, DOUBLE)"),
]

types = st.recursive(
    st.sampled_from(SCALARS)
    | st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"decimal({p}, {s})")),
    lambda inner: (
        inner.map(lambda t: f"{t}[]")
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda ts: (
                "struct(" + ", ".join(f'"f {n}" {t}' if n else f"f{n} {t}" for n, t in enumerate(ts)) + ")"
            )
        )
        | st.tuples(inner, inner).map(lambda two: f"map({two[0]}, {two[1]})")
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(types)
def test_a_type_is_spelled_as_duckdb_spells_it(text):
    spelled = duckdb.sql(f"SELECT typeof(NULL::{text})").fetchone()

    assert spelled == (physical_type(text),)


@settings(deadline=None)
@given(types)
def test_spelling_twice_changes_nothing_more(text):
    assert physical_type(physical_type(text)) == physical_type(text)


@pytest.mark.parametrize("name", STORED)
def test_parquet_gives_back_the_types_that_are_accepted(name, tmp_path):
    file = str(tmp_path / "one.parquet")
    duckdb.sql(f"SELECT NULL::{name} AS x").write_parquet(file)

    assert duckdb.read_parquet(file).types[0] == physical_type(name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("HUGEINT", "write DECIMAL\\(38,0\\)"),
        ("enum", "write VARCHAR with an invalidValues rule"),
        ("ENUM('a', 'b')", "a lake does not store it"),
        ("UNION(a INTEGER)", "write a STRUCT"),
        ("BIT", "a lake does not store it"),
        ("INTEGER[3]", "fixed length"),
        ("TIMESTAMP_S", "write TIMESTAMP"),
        ("varchar(20)", r"logicalTypeOptions: \{maxLength: 20\}"),
        ("DECIMAL(39, 2)", "1 to 38 digits"),
        ("DECIMAL(2, 3)", "1 to 38 digits"),
        ("DECIMAL(a)", "a number is missing"),
        ("DECIMAL(2", "'\\)' is missing"),
        ("INTEGER INTEGER", "is left over"),
        ("INTEGER(4)", "takes nothing in brackets"),
        ("MAP(INTEGER)", "a key type and a value type"),
        ("nvarchar7", "is not a DuckDB type"),
        ("", "is not a DuckDB type"),
        ("STRUCT(a)", "is not a DuckDB type"),
        ("; DROP TABLE x", "is not a DuckDB type"),
    ],
)
def test_a_type_that_a_lake_would_change_is_refused_with_what_to_write_instead(text, reason):
    with pytest.raises(TypeRefused, match=reason):
        physical_type(text)


@pytest.mark.parametrize(
    ("text", "own", "longest"),
    [
        ("VARCHAR2(20 CHAR)", "VARCHAR", 20),
        ("nvarchar(max)", "VARCHAR", None),
        ("character varying(7)", "VARCHAR", 7),
        ("struct<code: char(3), n: array<int64>>", "STRUCT(code VARCHAR, n BIGINT[])", 3),
        ("map<string, NUMBER(10,2)>", "MAP(VARCHAR, DECIMAL(10,2))", None),
        ("timestamp(6) with time zone", "TIMESTAMP WITH TIME ZONE", None),
        ("TIMESTAMP_NTZ", "TIMESTAMP", None),
        ("datetime2(6)", "TIMESTAMP", None),
        ("double precision", "DOUBLE", None),
        ("float(53)", "DOUBLE", None),
        ("uniqueidentifier", "UUID", None),
    ],
)
def test_a_type_of_another_engine_is_read_as_duckdbs_equal(text, own, longest):
    duck = parsed(text)

    assert (str(duck), duck.bounded.longest if duck.bounded else None) == (own, longest)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("VARCHAR2(20 BYTE)", "number of characters"),
        ("BINARY(16)", "does not hold a BLOB to a length"),
        ("DATETIME2", "100 nanoseconds"),
        ("TIMESTAMP(3)", "3 digits of a second"),
        ("NUMBER", "one thing to Snowflake and another to Oracle"),
        ("BIGNUMERIC", "76 digits"),
        ("XML", "write VARCHAR"),
    ],
)
def test_a_type_of_another_engine_without_an_equal_is_refused_with_the_reason(text, reason):
    with pytest.raises(TypeRefused, match=reason):
        parsed(text)


def test_a_word_that_two_servers_read_differently_is_refused():
    with pytest.raises(TypeRefused, match=r"DECIMAL\(38,0\) on snowflake, INTEGER on postgres"):
        parsed("INT", ("snowflake", "postgres"))


@pytest.mark.parametrize(
    ("logical", "physical", "fit"),
    [
        ("integer", "BIGINT", True),
        ("integer", "DECIMAL(38,0)", True),
        ("integer", "DECIMAL(12,2)", False),
        ("integer", "DOUBLE", False),
        ("number", "INTEGER", True),
        ("number", "VARCHAR", False),
        ("date", "TIMESTAMP", False),
        ("timestamp", "TIMESTAMPTZ", True),
        ("array", "VARCHAR[]", True),
        ("object", "STRUCT(a INTEGER)", True),
        ("map", "MAP(VARCHAR, INTEGER)", True),
        ("string", "UUID", True),
        ("vector", "FLOAT[]", True),
        ("vector", "FLOAT", False),
    ],
)
def test_a_logical_type_is_stored_only_as_what_it_means(logical, physical, fit):
    assert fits(logical, physical) is fit


@pytest.mark.parametrize("logical", ["string", "integer", "number", "date", "timestamp", "time", "boolean"])
def test_the_usual_type_of_a_logical_type_means_that_logical_type(logical):
    assert logical_type(usual_type(logical)) == logical


@pytest.mark.parametrize("name", STORED)
def test_polars_calls_a_type_what_it_reads_from_duckdb(name):
    if name in ("JSON", "UUID", "MAP(VARCHAR, DOUBLE)"):
        pytest.skip("Arrow's extension types: polars reads their storage, which depends on the version")
    if name == "TIMESTAMPTZ":
        pytest.skip("the zone is the session's; the mesh's connections have UTC")

    assert duckdb.sql(f"SELECT NULL::{name} AS x").pl().schema["x"] == polars_dtype(name)


def test_a_polars_type_has_a_name():
    assert polars_type("numeric(12,2)[]") == "List(Decimal(12, 2))"
    assert polars_type("TIMESTAMPTZ") == "Datetime('us', 'UTC')"
    assert dbt_type("int") == "INTEGER"
