"""`mesh diff` between versions of a product."""

from __future__ import annotations

import json

import duckdb
import pytest

from tests.shop import ORDERS, Shop, keep_quarantine

from .conftest import Command


@pytest.fixture
def two(shop: Shop) -> Shop:
    """Order 1 costs more, order 2 is gone, order 3 is new."""
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n1,11\n3,30\n")
    shop.build("shop.orders", run_id="run-2")
    return shop


def test_diff_tells_rows_by_key_and_by_column(two: Shop, mesh: Command) -> None:
    found = json.loads(mesh("diff", "shop.orders", "1", "2", "--json").out)

    assert (found["added"], found["removed"], found["changed"]) == (1, 1, 1)
    assert found["columns"]["changed"] == {"amount": 1}
    assert found["matched_by"] == ["order_id"]
    assert found["sample"][0]["after"] == {"order_id": 1, "amount": 11}


def test_diff_is_told_to_people_against_the_current_version(two: Shop, mesh: Command) -> None:
    said = mesh("diff", "shop.orders", "1")

    for words in ("version 1 -> 2", "1 added, 1 removed, 1 changed", "amount: 10 -> 11"):
        assert words in said.out


def test_a_version_is_the_same_as_itself(two: Shop, mesh: Command) -> None:
    assert "the rows are the same" in mesh("diff", "shop.orders", "2", "2").out


def test_all_rows_that_differ_go_to_a_file_and_personal_values_do_not(
    shop: Shop, mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_quarantine(shop, personal="amount")
    shop.build("shop.orders")
    shop.deliver(ORDERS.replace("10", "77"))
    shop.build("shop.orders", run_id="run-2")
    target = shop.root / "rows.parquet"

    assert "77" not in mesh("diff", "shop.orders", "1", "2", "--rows", str(target)).out
    assert duckdb.sql(f"SELECT after.amount FROM '{target}'").fetchall() == [("***",)]
    assert mesh("diff", "shop.orders", "1", "2", "--rows", str(target), "--unmasked").code == 1
    monkeypatch.setenv("MESH_MAY_SEE", "shop.orders")
    assert mesh("diff", "shop.orders", "1", "2", "--rows", str(target), "--unmasked").code == 0
    assert duckdb.sql(f"SELECT after.amount FROM '{target}'").fetchall() == [(77,)]
