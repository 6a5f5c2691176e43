"""Reading, and what a connection does not do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake.upkeep import expire_snapshots
from mesh_assets.words.errors import SettingMalformed, VersionLost
from tests.stores import on_every_store
from tests.unit.lake.conftest import ORDERS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def handle(settings, committed):
    snapshot = committed("SELECT id, 'x' || id AS name FROM range(3) t(id)", "run1").snapshot
    committed("SELECT id, 'y' AS name FROM range(5) t(id)", "run2")
    return lake.Handle(settings, ORDERS, number=1, snapshot=snapshot)


@on_every_store("settings")
def test_a_handle_gives_the_version_as_relation_arrow_polars_pandas_and_files(handle):
    wanted = [(0, "x0"), (1, "x1"), (2, "x2")]

    assert handle.relation.order("id").fetchall() == wanted
    assert sorted(handle.arrow().column("id").to_pylist()) == [0, 1, 2]
    assert sorted(handle.polars().rows()) == wanted
    assert sorted(handle.pandas().itertuples(index=False, name=None)) == wanted
    with lake.connect(handle.settings) as plain:
        assert sorted(plain.read_parquet(list(handle.files)).fetchall()) == wanted
    assert handle.columns == (("id", "BIGINT"), ("name", "VARCHAR"))


def test_a_handle_opens_nothing_until_it_is_asked(embedded):
    handle = lake.Handle(replace(embedded, home=Path("/nowhere/at/all")), ORDERS, number=1, snapshot=1)

    assert repr(handle) == "<shop.orders version 1>"


def test_a_plain_connection_loads_no_lake_and_downloads_nothing(embedded):
    with lake.connect(embedded) as connection:
        loaded = {
            name
            for (name,) in connection.execute(
                "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
            ).fetchall()
        }
        off = connection.execute(
            "SELECT current_setting('autoinstall_known_extensions'), "
            "current_setting('autoload_known_extensions'), current_setting('TimeZone')"
        ).fetchone()

    assert not loaded & {"ducklake", "sqlite_scanner", "postgres_scanner", "httpfs"}
    assert off == (False, False, "UTC")


def test_a_lake_attached_for_reading_cannot_be_written(handle, settings):
    with lake.connect(settings) as connection:
        alias = lake.attach(connection, settings, "shop")
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute(f"DELETE FROM {alias}.shop.orders")


def test_a_lake_is_attached_once_however_often_it_is_asked_for(handle, settings):
    with lake.connect(settings) as connection:
        assert {lake.attach(connection, settings, "shop") for _ in range(3)} == {"lake_shop"}


def test_a_lake_can_be_attached_as_it_was_at_a_snapshot(handle, settings):
    with lake.connect(settings) as connection:
        alias = lake.attach(connection, settings, "shop", snapshot=handle.snapshot)
        assert connection.execute(f"SELECT count(id) FROM {alias}.shop.orders").fetchone() == (3,)


@pytest.mark.parametrize("secret", ["host=db password=hunter2", "postgresql://ann:hunter2@db/mesh"])
def test_a_password_in_the_catalog_setting_is_refused_and_not_repeated(embedded, secret):
    unsafe = replace(embedded, catalog=f"postgres:{secret}")
    with lake.connect(unsafe) as connection, pytest.raises(SettingMalformed) as refused:
        lake.attach(connection, unsafe, "shop")

    assert "hunter2" not in str(refused.value)


def test_importing_the_room_loads_no_engine():
    script = (
        "import sys, mesh_assets.capabilities.lake, mesh_assets.capabilities.registry;"
        "print(sorted({'duckdb', 'sqlalchemy', 'pyarrow', 'polars', 'pandas', 'psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_reader_in_a_transaction_survives_the_expiry_of_what_it_reads(handle, settings):
    """Through the catalog it would be answered with no rows and no error (SQLite, DuckLake 1.5.5)."""
    handle.connection.execute("BEGIN")
    assert len(handle.relation.fetchall()) == 3

    expire_snapshots(settings, "shop", [handle.snapshot], who="ann")

    assert len(handle.relation.fetchall()) == 3
    assert handle.relation.aggregate("sum(id)").fetchone() == (3,)
    assert handle.polars().height == 3


def test_a_file_that_is_gone_is_an_error_and_never_no_rows(handle):
    assert handle.arrow().num_rows == 3
    Path(handle.files[0]).unlink()

    for read in (handle.arrow, handle.polars, handle.pandas):
        with pytest.raises(VersionLost, match=r"shop\.orders at snapshot \d+ has lost its content"):
            read()
    with pytest.raises(duckdb.IOException, match=r"No such file|No files found"):
        handle.relation.aggregate("count(id)").fetchall()


def test_a_partition_column_keeps_its_type(settings, committed):
    query = "SELECT id, date '2024-01-01' AS week, '01' AS code FROM range(3) t(id)"
    options = {"partition_column": "week", "partitions": ("2024-01-01",)}
    snapshot = committed(query, "run1", **options).snapshot

    handle = lake.Handle(settings, ORDERS, number=1, snapshot=snapshot)

    assert handle.columns == (("id", "BIGINT"), ("week", "DATE"), ("code", "VARCHAR"))
    assert handle.relation.types == ["BIGINT", "DATE", "VARCHAR"]
    assert [str(row[1]) for row in handle.relation.fetchall()] == ["2024-01-01"] * 3


def test_weeks_of_before_a_column_came_are_read_beside_those_of_after(settings, committed):
    first, second = "2024-01-01", "2024-01-08"
    committed(f"SELECT 1 AS id, date '{first}' AS week", "run1", partition_column="week", partitions=(first,))
    snapshot = committed(
        f"SELECT 2 AS id, date '{second}' AS week, 'x' AS added",
        "run2",
        partition_column="week",
        partitions=(second,),
    ).snapshot

    handle = lake.Handle(settings, ORDERS, number=2, snapshot=snapshot)

    assert sorted((row[0], row[2]) for row in handle.relation.fetchall()) == [(1, None), (2, "x")]
