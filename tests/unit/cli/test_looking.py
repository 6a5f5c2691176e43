"""`mesh products`, `show`, `why`, `read`: what they print and how they end."""

from __future__ import annotations

import csv
import io
import json

import duckdb
import pytest

from mesh_assets.words.errors import MeshError, PromiseBroken
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS, Shop

from .conftest import Command


def refuse(shop: Shop) -> None:
    """Version 1 is there, and a later draft broke its promise."""
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,-5\n4,-6\n")
    with pytest.raises(PromiseBroken):
        shop.build("shop.orders", run_id="run-2")


def test_products_lists_every_product_whether_it_was_built_or_not(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("products", "--json")

    rows = {row["product"]: row for row in json.loads(said.out)}
    assert set(rows) == {"books.revenue", "shop.orders"}
    assert (rows["shop.orders"]["version"], rows["shop.orders"]["rows"]) == (1, 2)
    assert rows["shop.orders"]["last_build"] == "published"
    assert rows["books.revenue"]["version"] is None
    assert said.code == 0


def test_products_of_one_domain(shop: Shop, mesh: Command) -> None:
    said = mesh("products", "books")

    assert "books.revenue" in said.out
    assert "shop.orders" not in said.out


def test_show_tells_the_promise_and_where_it_is_kept(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("show", "shop.orders")

    for words in ("order_id (key)", "BIGINT", "amount_positive", "version 1: 2 rows", "tester"):
        assert words in said.out


def test_show_is_one_document_for_scripts(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")

    document = json.loads(mesh("show", "books.revenue", "--json").out)

    assert document["inputs"] == ["shop.orders"]
    assert document["contract"]["id"] == "books.revenue"
    assert document["certificate"]["rows"] == 1


def test_why_names_rule_column_count_and_rows(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "2,30\n")
    with pytest.raises(PromiseBroken):
        shop.build("shop.orders", run_id="run-2")

    said = mesh("why", "shop.orders")

    assert said.code == 1
    for words in (
        "refused",
        "primary_key",
        "(order_id)",
        "failed on 2 of 3 rows",
        "Readers still see version 1",
    ):
        assert words in said.out


def test_why_tells_nothing_of_a_refused_draft_once_the_source_is_mended(shop: Shop, mesh: Command) -> None:
    refuse(shop)
    assert "amount_positive" in mesh("why", "shop.orders").out
    shop.deliver(ORDERS)
    assert shop.build("shop.orders", run_id="run-3").record.outcome is BuildOutcome.UNCHANGED

    said = mesh("why", "shop.orders")

    assert "unchanged" in said.out
    assert "amount_positive" not in said.out
    assert json.loads(mesh("why", "shop.orders", "--json").out)["rules"] == []


def test_why_is_one_document_for_scripts(shop: Shop, mesh: Command) -> None:
    refuse(shop)

    said = mesh("why", "shop.orders", "--json")

    document = json.loads(said.out)
    (broken,) = document["rules"]
    assert (document["outcome"], broken["rule"], broken["severity"]) == (
        "refused",
        "amount_positive",
        "error",
    )
    assert said.code == 1


def test_why_of_what_was_never_built_says_how_to_build_it(mesh: Command) -> None:
    said = mesh("why", "shop.orders")

    assert "`mesh build shop.orders`" in said.out
    assert said.code == 0


def test_why_of_a_malformed_source_names_the_file(shop: Shop, mesh: Command) -> None:
    shop.deliver("order_id\n1\n")
    with pytest.raises(MeshError):
        shop.build("shop.orders")

    said = mesh("why", "shop.orders")

    assert "orders.csv" in said.out
    assert "the column amount is missing" in said.out
    assert said.code == 1


def test_read_shows_what_readers_see(shop: Shop, mesh: Command) -> None:
    refuse(shop)

    said = mesh("read", "shop.orders")

    assert "2 rows, 2 columns" in said.out
    assert "-5" not in said.out


def test_read_writes_csv(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    rows = list(csv.DictReader(io.StringIO(mesh("read", "shop.orders", "--format", "csv").out)))

    assert sorted(row["amount"] for row in rows) == ["10", "20"]


def test_read_writes_one_json_object_per_line(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    lines = mesh("read", "shop.orders", "--format", "json", "--limit", "1").out.splitlines()

    assert [set(json.loads(line)) for line in lines] == [{"order_id", "amount"}]


def test_read_writes_parquet_to_a_file(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    target = shop.root / "orders.parquet"

    said = mesh("read", "shop.orders", "--format", "parquet", "--output", str(target))

    assert sorted(duckdb.read_parquet(str(target)).fetchall()) == [(1, 10), (2, 20)]
    assert "version 1" in said.err


def test_parquet_is_not_for_a_terminal(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("read", "shop.orders", "--format", "parquet")

    assert "--output" in said.err
    assert said.code == 2


def test_read_at_a_version(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    shop.build("shop.orders", run_id="run-2")

    old, new = (
        mesh("read", "shop.orders", "--format", "csv", "--version", number).out for number in ("1", "2")
    )

    assert len(old.splitlines()) == 3
    assert len(new.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("read", "shop.order"), 2, "Did you mean shop.orders"),
        (("read", "shop.orders"), 1, "Build it: `mesh build shop.orders`"),
        (("show", "shop.order"), 2, "Did you mean shop.orders"),
        (("why", "shop.order"), 2, "Did you mean shop.orders"),
        (("build", "shop.order"), 2, "Did you mean shop.orders"),
        (("build", "shops"), 2, "There is no product 'shops'"),
        (("read", "Shop.Orders"), 2, "is not the name of a product"),
        (("read",), 2, "Missing argument"),
        (("red", "shop.orders"), 2, "No such command"),
        (("read", "shop.orders", "--format", "xml"), 2, "xml"),
        (("sources", "--break", "gremlin"), 2, "duplicated_key"),
        (("new-product", "shop.orders"), 2, "is there already"),
        (("new-product", "bakery.bread"), 2, "mesh new-domain bakery"),
        (("new-product", "shop.bread", "--with", "cobol"), 2, "sql, python, dbt"),
        (("new-domain", "shop"), 2, "is there already"),
        (("new-domain", "Bakery"), 2, "is not the name of a product"),
    ],
)
def test_a_mistake_is_one_message_and_an_exit_code(
    mesh: Command, arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = mesh(*arguments)

    assert told in said.err
    assert said.code == code


def test_a_malformed_setting_is_told(mesh: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_SCALE", "huge")

    said = mesh("products")

    assert "The setting MESH_SCALE is 'huge'" in said.err
    assert said.code == 2


def test_a_malformed_contract_is_told_with_its_line_and_readers_keep_the_last_version(
    shop: Shop, mesh: Command
) -> None:
    shop.build("shop.orders")
    contract = shop.folder("shop.orders") / "contract.yaml"
    contract.write_text(contract.read_text().replace("logicalType: integer", "logicalType: intger", 1))

    built, read = mesh("build"), mesh("read", "shop.orders")

    assert "shop/orders/contract.yaml:" in built.err
    assert "intger" in built.err
    assert built.code == 2
    assert "2 rows" in read.out
