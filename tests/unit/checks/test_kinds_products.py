"""Kinds that compare with another product: balances, by group or over all, and match rates."""

from __future__ import annotations

import pytest

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import draft, one_column, rule

BANK = ProductName("bank", "transfers")


def balance(aggregate="sum", measured=("paid",), by=(), operator="mustBe", value=0, unit="absolute", **more):
    arguments = {
        "aggregate": aggregate,
        "measured": list(measured),
        "to_product": str(BANK),
        "to_column": measured[0] if measured else None,
        "by": list(by),
        "to_by": list(by),
        "unit": unit,
        "operator": operator,
        "value": value,
    }
    return rule("balance", *by, *measured, id="balanced", **(arguments | more))


ORDERS = draft(("1", "'a'", "10.00"), ("2", "'b'", "5.50"), ("3", "'b'", "NULL"), columns="id, shop, paid")


@pytest.mark.parametrize(
    ("there", "outcome", "value"), [("15.50", Outcome.PASSED, "0"), ("15.51", Outcome.FAILED, "0.01")]
)
def test_sums_agree_to_the_last_digit(result_of, there, outcome, value):
    references = {BANK: one_column("DECIMAL(9,2)", there, name="paid")}

    result = result_of(ORDERS, balance(), references=references)

    assert (result.outcome, result.value, result.failed_rows) == (outcome, value, None)
    assert f"15.5 here, {float(there)} in bank.transfers" in result.summary


@pytest.mark.parametrize(("limit", "outcome"), [(3.125, Outcome.PASSED), (3.12, Outcome.FAILED)])
def test_a_tolerance_in_percent_is_of_the_other_product(result_of, limit, outcome):
    judged = balance(operator="mustBeLessOrEqualTo", value=limit, unit="percent")

    assert result_of(ORDERS, judged, references={BANK: "(SELECT 16.00 AS paid)"}).outcome is outcome


@pytest.mark.parametrize(
    ("aggregate", "there", "outcome"),
    [
        ("count", "SELECT * FROM range(3) AS t(paid)", Outcome.PASSED),
        ("count", "SELECT * FROM range(4) AS t(paid)", Outcome.FAILED),
        ("count_distinct", "SELECT * FROM range(2) AS t(paid)", Outcome.PASSED),
        ("max", "SELECT 10.0 AS paid", Outcome.PASSED),
        ("min", "SELECT 5.5 AS paid", Outcome.PASSED),
        ("avg", "SELECT 7.75 AS paid", Outcome.PASSED),
        ("avg", "SELECT 7.75 AS paid WHERE FALSE", Outcome.FAILED),
        ("sum", "SELECT 7.75 AS paid WHERE FALSE", Outcome.FAILED),
    ],
)
def test_every_aggregate_can_be_balanced(result_of, aggregate, there, outcome):
    judged = balance(aggregate, () if aggregate == "count" else ("paid",))

    assert result_of(ORDERS, judged, references={BANK: there}).outcome is outcome


def test_filters_choose_the_rows_of_each_side(result_of):
    judged = balance(where="shop = 'b'", to_where="kind <> 'fee'")
    there = "SELECT * FROM (VALUES (5.5, 'sale'), (1.0, 'fee')) AS t(paid, kind)"

    assert result_of(ORDERS, judged, references={BANK: there}).outcome is Outcome.PASSED


def test_a_filter_of_the_other_product_names_its_columns_only(result_of):
    result = result_of(ORDERS, balance(to_where="kind = 'fee'"), references={BANK: "SELECT 1 AS paid"})

    assert (result.outcome, "'kind'" in result.summary) == (Outcome.ERROR, True)


def test_groups_that_differ_are_shown_with_both_sides(result_of):
    there = "SELECT * FROM (VALUES ('a', 10.00), ('b', 5.00), ('c', 2.00), ('d', 0.00)) AS t(shop, paid)"

    result = result_of(ORDERS, balance(by=("shop",)), references={BANK: there})

    assert (result.outcome, result.value, result.failed_rows) == (Outcome.FAILED, "2", None)
    assert "2 of 4 differ" in result.summary  # nothing here and 0 there is the same sum
    assert list(result.sample) == [
        {"shop": "b", "here": "5.50", "there": "5.00"},
        {"shop": "c", "here": None, "there": "2.00"},
    ]


def test_each_group_is_held_against_the_tolerance_by_itself(result_of):
    there = "SELECT * FROM (VALUES ('a', 9.00), ('b', 6.50)) AS t(shop, paid)"
    exact = balance(by=("shop",), operator="mustBeLessOrEqualTo", value=1)
    close = balance(by=("shop",), operator="mustBeLessOrEqualTo", value=0.99)

    assert result_of(ORDERS, exact, references={BANK: there}).outcome is Outcome.PASSED
    assert result_of(ORDERS, close, references={BANK: there}).outcome is Outcome.FAILED
    assert result_of(ORDERS, balance(), references={BANK: there}).outcome is Outcome.PASSED


def test_null_is_a_group_and_personal_keys_are_masked(result_of):
    rows = draft(("'Ann'", "1"), ("NULL", "2"), columns="shop, paid")
    there = "SELECT * FROM (VALUES ('Ann', 2), (NULL, 2)) AS t(shop, paid)"

    result = result_of(rows, balance(by=("shop",)), references={BANK: there}, personal=("shop",))

    assert list(result.sample) == [{"shop": "***", "here": 1, "there": 2}]


def test_a_balance_of_a_partitioned_product_takes_its_published_partitions_in(result_of):
    elsewhere = "SELECT 4 AS id, 'c' AS shop, 4.50 AS paid"
    there = {BANK: "SELECT 20.00 AS paid, 'x' AS shop"}

    assert result_of(ORDERS, balance(), references=there, whole_sql=elsewhere).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("references", "by", "reason"),
    [
        ({}, (), "there is no version of bank.transfers"),
        ({BANK: "SELECT 1 AS amount"}, (), "no column 'paid'"),
        ({BANK: "SELECT 'x' AS paid"}, (), "stored as VARCHAR"),
        ({BANK: "SELECT 1 AS paid, 1 AS shop"}, ("shop",), "not comparable"),
        ({BANK: "SELECT 'nan'::DOUBLE AS paid"}, (), "nan"),
    ],
)
def test_what_cannot_be_compared_is_an_error_of_the_rule(result_of, references, by, reason):
    result = result_of(ORDERS, balance(by=by), references=references)

    assert (result.outcome, reason in result.summary) == (Outcome.ERROR, True)


def match(operator="mustBeGreaterOrEqualTo", value=75, columns=("sku",), to=("sku",)):
    return rule(
        "match_rate",
        *columns,
        to_product=str(BANK),
        to_columns=list(to),
        unit="percent",
        operator=operator,
        value=value,
    )


SOLD = draft(("1", "'a'"), ("2", "'b'"), ("3", "'c'"), ("4", "'x'"), ("5", "NULL"), columns="id, sku")
KNOWN = {BANK: "SELECT * FROM (VALUES ('a'), ('b'), ('c'), (NULL)) AS t(sku)"}


@pytest.mark.parametrize(
    ("limit", "outcome", "failed"), [(75, Outcome.PASSED, 0), (75.01, Outcome.FAILED, 1)]
)
def test_keys_that_exist_are_a_share_of_the_complete_ones(result_of, limit, outcome, failed):
    result = result_of(SOLD, match(value=limit), references=KNOWN, key=("id",))

    assert (result.outcome, result.value, result.failed_rows) == (outcome, "75%", failed)
    assert [row["id"] for row in result.sample] == ([4] if failed else [])


def test_of_no_keys_all_are_matched(result_of):
    assert result_of(one_column("VARCHAR", "NULL", name="sku"), match(), references=KNOWN).value == "100%"


def test_keys_of_several_columns_match_together(result_of):
    rows = draft(("1", "2"), ("1", "3"), ("NULL", "2"), columns="a, b")
    there = {BANK: "SELECT 1 AS x, 2 AS y"}

    result = result_of(rows, match(columns=("a", "b"), to=("x", "y")), references=there)

    assert result.value == "50%"


def test_published_partitions_count_in_a_match_rate(result_of):
    elsewhere = draft(("6", "'a'"), ("7", "'a'"), ("8", "'a'"), ("9", "'a'"), columns="id, sku")

    assert result_of(SOLD, match(), references=KNOWN, whole_sql=elsewhere).value == "87.5%"
