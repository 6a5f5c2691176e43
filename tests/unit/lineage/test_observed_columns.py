"""A Python recipe that says nothing of columns is watched: what it asked for is known, and never less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.lake.read import Handle
from mesh_assets.capabilities.lineage.columns import How, Origin
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.observed import observed_lineage
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.asked import Asked
from mesh_assets.capabilities.publishing.inputs import handle_of
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.cli.app import app
from mesh_assets.words.names import product_name
from tests.cuts import FIRST, WEEKS, drop, make_cuts
from tests.shop import Shop, make_shop

RECIPE = """from mesh_assets import mesh


@mesh.recipe(inputs=["shop.orders"])
def revenue(run):
    %s
"""
ORDERS, REVENUE = product_name("shop.orders"), product_name("books.revenue")
AMOUNT, ALL = {"amount"}, None
Body = Callable[[duckdb.DuckDBPyConnection, Handle], Any]


def write(shop: Shop, body: str) -> None:
    folder = shop.folder("books.revenue")
    (folder / "recipe.sql").unlink(missing_ok=True)
    (folder / "recipe.py").write_text(RECIPE % body, encoding="utf-8")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = make_shop(tmp_path_factory.mktemp("observed"))
    made.build("shop.orders")
    write(made, "pass")
    return made


@pytest.fixture(scope="module")
def handle(shop: Shop) -> Iterator[Handle]:
    with open_registry(shop.settings) as registry:
        version = registry.head(ORDERS)
    assert version is not None
    yield handle_of(shop.settings, version)


@pytest.fixture(scope="module")
def mesh(shop: Shop) -> Mesh:
    return read_mesh(shop.settings)


def two_steps(con: duckdb.DuckDBPyConnection, _: Handle) -> str:
    con.execute("create temp table big as select amount from shop.orders where amount > $least", {"least": 1})
    return "select sum(amount) as revenue from big"


def by_variable(con: duckdb.DuckDBPyConnection, _: Handle) -> Any:
    every = con.sql("select * from shop.orders")
    assert every is not None  # DuckDB finds it by its name
    return con.sql("select amount from every").fetchall()


def lazily(_: duckdb.DuckDBPyConnection, orders: Handle) -> Any:
    import polars as pl

    return orders.lazy().filter(pl.col("amount") > 1).select(pl.col("amount").sum()).collect()


WAYS: list[tuple[str, Body, set[str] | None]] = [
    ("a SELECT that it returns", lambda con, _: "select sum(amount) as revenue from shop.orders", AMOUNT),
    ("a filter", lambda con, _: "select 1 as one from shop.orders where amount > 1", AMOUNT),
    ("no column at all", lambda con, _: "select count(*) as orders from shop.orders", set()),
    ("rows that it fetches", lambda con, _: con.execute("from shop.orders select amount").fetchall(), AMOUNT),
    ("a table of its own in between", two_steps, AMOUNT),
    ("a cursor", lambda con, _: con.cursor().execute("select amount from shop.orders").fetchall(), AMOUNT),
    ("a relation", lambda con, _: con.sql("select amount from shop.orders").filter("amount > 1"), AMOUNT),
    ("columns of a handle", lambda _, orders: orders.polars(columns=["amount"]), AMOUNT),
    ("columns as Arrow", lambda _, orders: orders.arrow(["amount"]), AMOUNT),
    ("a lazy frame", lazily, AMOUNT),
    ("a star", lambda con, _: "select * from shop.orders", ALL),
    ("a frame", lambda _, orders: orders.polars(), ALL),
    ("files", lambda _, orders: orders.files, ALL),
    ("the first rows", lambda con, _: "select amount from shop.orders limit 1", ALL),
    ("a name in a value", lambda con, _: con.execute("select 1 from query_table('shop.orders')"), ALL),
    ("another name", lambda con, _: con.execute("set search_path = 'shop'; select amount from orders"), ALL),
    ("a variable that stands for a query", by_variable, ALL),
    ("a macro", lambda con, _: con.execute("create macro m() as table select * from shop.orders"), ALL),
    ("a view without a text", lambda con, _: con.sql("select 1 as one").create_view("v"), ALL),
    ("a log that it ends", lambda con, _: con.execute("call disable_logging()"), ALL),
]


@pytest.mark.parametrize(("body", "columns"), [each[1:] for each in WAYS], ids=[each[0] for each in WAYS])
def test_what_is_observed_is_never_less_than_what_was_read(
    shop: Shop, mesh: Mesh, handle: Handle, body: Body, columns: set[str] | None
) -> None:
    asked = Asked()
    con = duckdb.connect()
    con.execute("create schema shop")
    con.execute("create view shop.orders as select 1::bigint as order_id, 10::bigint as amount")
    with asked.listening(con):
        result = body(con, asked.watched(handle))
    asked.returned(result)
    assert asked.seen is not None

    found = observed_lineage(shop.settings, mesh, REVENUE, asked.seen)

    assert found.reads == {ORDERS: None if columns is None else frozenset(columns)}
    assert found.unsafe


def test_the_certificate_has_what_the_run_read_and_where_each_column_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(tmp_path)
    shop.build("shop.orders")
    write(
        shop,
        'return "select count(*) as order_count, sum(amount)::decimal(38,0) as revenue from shop.orders"',
    )

    shop.build("books.revenue", run_id="run-2")

    with open_registry(shop.settings) as registry:
        version = registry.head(REVENUE)
    assert version is not None
    told = version.certificate.lineage
    assert (told["how"], told["reads"]) == (How.OBSERVED, {"shop.orders": ["amount"]})
    assert told["columns"]["revenue"] == [str(Origin(ORDERS, "amount"))]
    for setting, value in shop.environment.items():
        monkeypatch.setenv(setting, value)
    lineage = ["lineage", "books.revenue.revenue"]
    shown = CliRunner().invoke(app, lineage).output
    assert "books.revenue.revenue (observed)" in shown and "shop.orders.amount (parsed, value)" in shown
    write(shop, "return None")  # another recipe than the one that was watched
    assert "(all)" in CliRunner().invoke(app, lineage).output


def test_what_runs_have_read_whose_partitions_stay_counts_too(tmp_path: Path) -> None:
    """The recipe reads another column for its second week than for its first."""
    mesh = make_cuts(tmp_path)
    path = mesh.folder("facts.sale") / "recipe.py"
    text = path.read_text(encoding="utf-8").replace("sum(amount)", '""" + figure + """')
    figure = '    figure = "count(fill_id)" if "2024-12-02" in run.partitions else "sum(amount)"\n'
    path.write_text(text.replace("    return ", f"{figure}    return "), encoding="utf-8")
    for number, week in enumerate(WEEKS[:2]):
        drop(mesh, week, [(number, FIRST + timedelta(weeks=number), 10)])
        for product in ("till.fill", "facts.sale"):
            mesh.build(product, run_id=f"{product}-{number}")

    with open_registry(mesh.settings) as registry:
        version = registry.head(product_name("facts.sale"))

    assert version is not None and len(version.certificate.partitions) == 2
    read = version.certificate.lineage["reads"]["till.fill"]
    assert set(read) == {"fill_date", "week", "amount", "fill_id"}
