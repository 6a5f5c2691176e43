"""What a draft promises."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities import lake
from mesh_assets.words.errors import RowsOutsidePartitions, WrongColumns
from tests.unit.lake.conftest import ORDERS, stage


def test_a_draft_is_parquet_that_any_program_reads(embedded):
    draft = stage(embedded, "SELECT 1 AS id, 'a' AS name", "run1")

    assert duckdb.sql(f"FROM '{draft.files[0].path}'").fetchall() == [(1, "a")]
    assert (draft.rows, draft.columns) == (1, (("id", "INTEGER"), ("name", "VARCHAR")))


def test_columns_are_stored_in_the_order_of_the_contract(embedded):
    columns = (("name", "VARCHAR"), ("id", "INT"))
    draft = stage(embedded, "SELECT 1 AS id, 'a' AS name", "run1", columns=columns)

    assert draft.columns == (("name", "VARCHAR"), ("id", "INTEGER"))


def test_other_columns_than_the_contract_has_are_refused_before_anything_is_written(embedded):
    columns = (("id", "BIGINT"), ("amount", "DECIMAL(12, 2)"), ("day", "DATE"))
    query = "SELECT 1::BIGINT AS id, 1.5::DOUBLE AS amount, 'x' AS extra"

    with pytest.raises(WrongColumns) as refused:
        stage(embedded, query, "run1", columns=columns)

    assert refused.value.facts["missing"] == ("day",)
    assert refused.value.facts["unexpected"] == ("extra",)
    assert refused.value.facts["mistyped"] == ("amount is DOUBLE, the contract says DECIMAL(12,2)",)
    assert not embedded.staging.exists()


@pytest.mark.parametrize(
    "value",
    [
        "sum(1::BIGINT)",
        "'a'::ENUM ('a', 'b')",
        "array_value(1, 2)",
        "'101'::BIT",
        "union_value(a := 1)",
    ],
)
def test_types_that_a_lake_cannot_keep_are_refused_by_name(embedded, value):
    with pytest.raises(WrongColumns, match="which no lake can keep"):
        stage(embedded, f"SELECT {value} AS odd", "run1")


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "1::TINYINT",
        "1::SMALLINT",
        "1::INTEGER",
        "1::BIGINT",
        "1::UTINYINT",
        "1::USMALLINT",
        "1::UINTEGER",
        "1::UBIGINT",
        "1.5::FLOAT",
        "1.5::DOUBLE",
        "1.25::DECIMAL(4, 2)",
        "1.25::DECIMAL(12, 2)",
        "1.25::DECIMAL(38, 10)",
        "'a'",
        "'a'::BLOB",
        "DATE '2024-01-31'",
        "TIME '10:11:12.123456'",
        "TIMESTAMP '2024-01-31 10:11:12.123456'",
        "TIMESTAMPTZ '2024-01-31 10:11:12+02'",
        "uuid()",
        "[1, 2]",
        "['a', NULL]",
        "{'a': 1, 'b': 'x'}",
        "[{'a': 1.5}]",
        "MAP {'a': 1}",
        "INTERVAL 3 DAY",
    ],
)
def test_types_that_a_lake_keeps_come_back_as_they_were(embedded, value):
    with lake.connect(embedded) as connection:
        connection.execute(f"CREATE TABLE given AS SELECT {value} AS kept")
        wanted, kind = connection.execute("SELECT kept, typeof(kept) FROM given").fetchone()
        draft = lake.stage(connection, "FROM given", product=ORDERS, run_id="run1", settings=embedded)
    done = lake.commit(embedded, draft, who="ann", extra={})

    handle = lake.Handle(embedded, ORDERS, number=1, snapshot=done.snapshot)
    assert handle.columns == (("kept", kind),)
    assert handle.relation.fetchall() == [(wanted,)]


def test_arrow_and_polars_results_are_staged_as_well(embedded):
    import polars
    import pyarrow

    with lake.connect(embedded) as connection:
        table = pyarrow.table({"id": [1, 2]})
        frame = polars.DataFrame({"id": [1, 2]})
        for number, relation in enumerate((connection.from_arrow(table), connection.sql("FROM frame"))):
            draft = lake.stage(connection, relation, product=ORDERS, run_id=f"run{number}", settings=embedded)
            assert (draft.rows, draft.columns) == (2, (("id", "BIGINT"),))
        assert frame.height == 2


@pytest.mark.parametrize(("value", "seen"), [("DATE '2023-02-06'", "2023-02-06"), ("NULL", "NULL")])
def test_rows_outside_the_partitions_being_built_are_refused(embedded, value, seen):
    with pytest.raises(RowsOutsidePartitions, match=f"week is {seen}, which is not among .*2023-01-02"):
        stage(
            embedded,
            f"SELECT 1 AS id, {value}::DATE AS week",
            "run1",
            partition_column="week",
            partitions=("2023-01-02",),
        )


def test_a_partitioned_draft_names_the_partition_of_each_file(embedded):
    query = "SELECT id, DATE '2023-01-02' + 7 * (id % 2)::INT AS week FROM range(10) t(id)"
    weeks = ("2023-01-02", "2023-01-09", "2023-01-16")
    draft = stage(embedded, query, "run1", partition_column="week", partitions=weeks)

    assert [(file.partition, file.rows) for file in draft.files] == [(weeks[0], 5), (weeks[1], 5)]
    assert draft.partitions == weeks


def test_a_draft_reads_as_sql_also_when_it_has_no_file(embedded):
    query = "SELECT 1::BIGINT AS id, DATE '2023-01-02' AS week"
    week = {"partition_column": "week", "partitions": ("2023-01-02",)}
    full = stage(embedded, query, "run1", **week)
    empty = stage(embedded, f"{query} WHERE false", "run2", **week)

    shapes = [duckdb.sql(lake.draft_sql(draft)) for draft in (full, empty)]
    assert [str(kind) for kind in shapes[0].types] == [str(kind) for kind in shapes[1].types]
    assert [len(shape.fetchall()) for shape in shapes] == [1, 0]


def test_names_and_values_with_quotes_are_only_names_and_values(embedded):
    query = """SELECT 1 AS "we""ird; --", 'it''s' AS "select" """
    draft = stage(embedded, query, "run1")
    done = lake.commit(embedded, draft, who="o'ann", extra={}, comments={'we"ird; --': "it's"})

    handle = lake.Handle(embedded, ORDERS, number=1, snapshot=done.snapshot)
    assert handle.relation.fetchall() == [(1, "it's")]


@pytest.mark.parametrize("run", ["../up", "a/b", "", "a b"])
def test_a_run_id_that_cannot_be_a_file_name_is_refused(embedded, run):
    with pytest.raises(ValueError, match="cannot be a file name"):
        stage(embedded, "SELECT 1 AS id", run)


def test_a_second_attempt_replaces_the_draft_of_the_first(embedded):
    first = stage(embedded, "SELECT 1 AS id, 2 AS week", "run1", partition_column="week", partitions=("2",))
    second = stage(embedded, "SELECT 1 AS id", "run1")

    assert not Path(first.files[0].path).exists()
    assert Path(second.files[0].path).exists()
