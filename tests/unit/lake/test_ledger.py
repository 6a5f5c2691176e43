"""What is asked of a catalog's own tables is what DuckLake would say."""

from __future__ import annotations

import duckdb
import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake.ledger import PLAIN, open_ledger
from mesh_assets.capabilities.lake.read import relation
from mesh_assets.capabilities.lake.types import describe
from mesh_assets.words.names import ProductName
from tests.stores import on_every_store
from tests.unit.lake.conftest import ORDERS

OTHER = ProductName("shop", "others")
KINDS = (*PLAIN.values(), "DECIMAL(12,2)")
EVERY = ", ".join(f"NULL::{kind} AS c{at}" for at, kind in enumerate(KINDS))


@on_every_store("settings")
def test_files_and_columns_of_a_snapshot_are_those_that_ducklake_lists(committed, settings):
    weeks = {"partition_column": "day", "partitions": ("2024-01-01", "2024-01-02")}
    done = [
        committed("SELECT 1 AS id, DATE '2024-01-01' + range::INTEGER AS day FROM range(2)", "run1", **weeks),
        committed("SELECT 'a' AS name", "run2", product=OTHER),
        committed(f"SELECT 1 AS id, {EVERY}, [1] AS many", "run3"),
        committed(f"SELECT 1 AS id, {EVERY}", "run4"),
        committed("SELECT 1 AS id", "run5"),
    ]

    with lake.connect(settings) as connection:
        ledger = open_ledger(connection, settings, "shop")
        assert set(ledger.tables([ORDERS, OTHER, ProductName("shop", "none")])) == {ORDERS, OTHER}
        for each in done[1:]:
            found = ledger.files_of([OTHER, ORDERS], each.snapshot)
            assert found == {name: ledger._listed(name, each.snapshot) for name in (OTHER, ORDERS)}
            columns = describe(relation(connection, settings, ORDERS, each.snapshot))
            nested = any(kind.endswith("[]") for _, kind in columns)
            assert ledger.columns_at(ORDERS, each.snapshot) == (None if nested else columns)


def test_of_a_snapshot_or_a_table_that_is_not_there_ducklake_has_the_word(committed, settings):
    first, last = committed("SELECT 1 AS id", "run1"), committed("SELECT 1 AS id", "run2", product=OTHER)

    with lake.connect(settings) as connection:
        ledger = open_ledger(connection, settings, "shop")
        for product, snapshot in ((OTHER, first.snapshot), (ORDERS, last.snapshot + 7)):
            assert ledger.columns_at(product, snapshot) is None
            with pytest.raises(duckdb.Error, match=r"does not exist|[Nn]o snapshot"):
                ledger.files(product, snapshot)
