"""Which columns a query reads: never less than the truth."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.lineage.impact import changed_columns
from mesh_assets.capabilities.lineage.queries import NotUnderstood, relation_of
from mesh_assets.capabilities.lineage.relations import ANY, Relation, table

TABLES = {
    "shop.orders": table("orders", ["order_id", "customer", "amount", "day"], [frozenset({"order_id"})]),
    "shop.customers": table("customers", ["customer", "city"], [frozenset({"customer"})]),
}


def read(sql: str, name: str = "orders") -> set[str]:
    return {column for each, column in relation_of(sql, TABLES).everything().needs if each == name} - {""}


def value(sql: str, column: str) -> set[tuple[str, str]]:
    return set(relation_of(sql, TABLES).columns[column].needs)


def changed(before: str, after: str) -> frozenset[str] | None:
    old, new = (relation_of(each, TABLES) for each in (before, after))
    return changed_columns(old, new)


def test_columns_of_joins_filters_and_groups_are_read_beside_those_of_values() -> None:
    sql = """select c.city, sum(o.amount) as total from shop.orders o
             join shop.customers c on o.customer = c.customer
             where o.day > date '2024-01-01' group by c.city"""

    assert read(sql) == {"customer", "amount", "day"}
    assert read(sql, "customers") == {"customer", "city"}
    assert value(sql, "total") == {("orders", "amount")}


def test_a_star_that_is_narrowed_later_reads_only_what_is_used() -> None:
    assert read("with o as (select * from shop.orders) select amount from o") == {"amount"}


def test_a_star_that_comes_out_reads_columns_that_are_not_there_yet() -> None:
    assert ANY in read("select * from shop.orders")
    assert ANY in read("select customer, count(*) over () as n from (select distinct * from shop.orders)")


def test_counting_rows_reads_no_column() -> None:
    assert read("select count(*) as n from shop.orders") == set()


@pytest.mark.parametrize(
    "sql",
    [
        "select amount from shop.orders limit 3",
        "select row_number() over (order by amount) as n, amount from shop.orders",
        "select customer, first(amount) as amount from shop.orders group by customer",
        "select customer, arg_max(amount, day) as amount from shop.orders group by customer",
        "select sum(amount) over (order by day rows 1 preceding) as s from shop.orders",
        "select o.amount from shop.orders o natural join shop.customers c",
    ],
)
def test_what_depends_on_the_order_of_rows_or_on_names_reads_the_whole_table(sql: str) -> None:
    assert ANY in read(sql)


def test_a_window_that_a_key_puts_in_order_reads_its_columns_only() -> None:
    window = "row_number() over (partition by customer order by day, order_id)"
    sql = f"select amount, {window} as n from shop.orders"

    assert read(sql) == {"amount", "customer", "day", "order_id"}


@pytest.mark.parametrize(
    "sql",
    [
        "select columns('a.*') from shop.orders",
        "select o from shop.orders o",
        "select random() as r from shop.orders",
        "select amount from shop.orders using sample 3",
        "select * from read_parquet('x.parquet')",
        "select amount from shop.secrets",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select n from r",
        "select 1; select 2",
    ],
)
def test_what_is_not_understood_for_certain_is_not_guessed(sql: str) -> None:
    with pytest.raises(NotUnderstood):
        relation_of(sql, TABLES)


def test_a_query_inside_an_expression_reads_what_it_names_of_the_query_around_it() -> None:
    inner = "select 1 from shop.orders o where o.customer = c.customer"
    sql = f"select city from shop.customers c where exists ({inner})"

    assert read(sql) == {"customer"}
    assert read(sql, "customers") == {"customer", "city"}


def test_an_alias_that_is_a_column_too_may_be_either() -> None:
    assert read("select coalesce(amount, 0) as order_id, order_id + 1 as next from shop.orders") == {
        "amount",
        "order_id",
    }


def test_one_changed_column_is_one_changed_column() -> None:
    before = "select order_id, amount, upper(customer) as customer from shop.orders where amount > 0"

    assert changed(before, before.replace("upper", "lower")) == {"customer"}
    assert changed(before, before.replace("amount,", "amount, day,")) == {"day"}
    assert changed(before, f"-- looked at again\n{before}") == set()
    assert changed(before, before.replace("> 0", "> 1")) is None


def test_columns_of_a_table_that_nobody_describes_are_told_apart() -> None:
    before = "select v.a as x, v.b as y from (values (1, 2)) as v(a, b)"

    assert changed(before, before.replace("v.a as x, v.b as y", "v.b as x, v.a as y")) == {"x", "y"}


#: Edits that add a column, and change the rows with it: each was called non-breaking by a tool of the field.
ADDING = {
    "distinct": (
        "select distinct customer from shop.orders",
        "select distinct customer, day from shop.orders",
    ),
    "group by all": (
        "select customer, sum(amount) as total from shop.orders group by all",
        "select customer, sum(amount) as total, day from shop.orders group by all",
    ),
    "an aggregate": (
        "select 1 as one from shop.orders",
        "select 1 as one, sum(amount) as s from shop.orders",
    ),
    "union": (
        "select customer from shop.orders union select customer from shop.customers",
        "select customer, day from shop.orders union select customer, null from shop.customers",
    ),
    "except": (
        "select customer from shop.customers except select customer from shop.orders",
        "select customer, city from shop.customers except select customer, customer from shop.orders",
    ),
    "unnest": ("select customer from shop.orders", "select customer, unnest([1, 2]) as n from shop.orders"),
}


@pytest.mark.parametrize("case", ADDING)
def test_a_column_more_is_no_small_change_where_it_decides_which_rows_there_are(case: str) -> None:
    assert changed(*ADDING[case]) is None


def test_a_relation_of_relations_keeps_what_is_under_it() -> None:
    inner: Relation = relation_of(
        "select customer, sum(amount) as total from shop.orders group by customer", TABLES
    )

    outer = relation_of("select max(total) as most from shop.totals", {"shop.totals": inner})

    assert outer.everything().needs == {("orders", ""), ("orders", "customer"), ("orders", "amount")}
