"""Rules that need more than one look at a row: keys, references, measures, the whole of a product."""

from __future__ import annotations

import pytest

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import PRODUCT, draft, one_column, rule

ZIPS = ProductName("geography", "zip_area")


@pytest.mark.parametrize(
    ("stored", "values", "failing"),
    [
        ("BIGINT", ["1", "1", "2", "NULL", "NULL"], 2),
        ("VARCHAR", ["'a'", "'a'", "'a'", "''", "'A'"], 3),
        ("VARCHAR", ["''", "''"], 2),
        ("DOUBLE", ["0.0", "-0.0", "'nan'", "'nan'", "1"], 4),
        ("DATE", ["'2024-01-01'", "'2024-01-01'", "'2024-01-02'"], 2),
        ("BIGINT", [], 0),
        ("VARCHAR[]", ["['a']", "['a']", "['b']"], 2),
    ],
)
def test_unique_counts_every_row_of_a_repeated_value(result_of, stored, values, failing):
    result = result_of(one_column(stored, *values), rule("unique", "x"))

    assert result.failed_rows == failing
    assert len(result.sample) == failing


def test_a_primary_key_counts_nulls_and_repeated_rows(result_of):
    relation = draft(("1", "1"), ("1", "1"), ("1", "2"), ("NULL", "1"), ("NULL", "1"), columns="a, b")

    result = result_of(relation, rule("primary_key", "a", "b"), key=("a", "b"))

    assert result.failed_rows == 4
    assert len(result.sample) == 4


def test_duplicate_values_is_held_against_its_threshold(result_of):
    relation = draft(("1", "1"), ("1", "1"), ("2", "2"), ("3", "3"), columns="a, b")
    few = rule("duplicate_values", "a", "b", operator="mustBeLessThan", value=60, unit="percent")
    none = rule("duplicate_values", "a", "b", operator="mustBe", value=0)

    assert (result_of(relation, few).outcome, result_of(relation, few).value) == (Outcome.PASSED, "50%")
    assert (result_of(relation, none).failed_rows, len(result_of(relation, none).sample)) == (2, 2)


def test_a_key_that_is_published_in_another_partition_is_found(verdict_on):
    rows = draft(("1", "DATE '2024-01-08'"), ("2", "DATE '2024-01-08'"), columns="id, week")
    published = draft(("1", "DATE '2024-01-01'"), ("3", "DATE '2024-01-01'"), columns="id, week")
    rules = (rule("unique", "id"), rule("primary_key", "id", "week"))

    verdict = verdict_on(rows, *rules, key=("id", "week"), whole_sql=published, partition_column="week")

    assert [result.failed_rows for result in verdict.results] == [2, 0]
    assert [result.checked_rows for result in verdict.results] == [4, 2]
    assert sorted(row["week"] for row in verdict.results[0].sample) == ["2024-01-01", "2024-01-08"]


def test_measures_are_of_the_whole_product(verdict_on):
    rows = draft(("1",), ("NULL",), columns="x")
    published = draft(("3",), ("4",), columns="x")

    verdict = verdict_on(
        rows,
        rule("row_count", operator="mustBe", value=4),
        rule("null_values", "x", operator="mustBeLessOrEqualTo", value=25, unit="percent"),
        rule("sql", query="SELECT count(*) FROM {object}", operator="mustBe", value=4, id="all_rows"),
        rule("required", "x"),
        whole_sql=published,
    )

    assert [result.outcome.value for result in verdict.results] == ["passed", "passed", "passed", "failed"]
    assert verdict.rows == 2


def test_an_empty_partition_of_a_product_with_rows_passes(result_of):
    positive = rule("row_count_positive", id="row_count_above_zero")

    assert (
        result_of(one_column("BIGINT"), positive, whole_sql=one_column("BIGINT", "1")).outcome
        is Outcome.PASSED
    )


def test_rows_and_fingerprints_are_told_per_partition(verdict_on):
    rows = draft(
        ("1", "DATE '2024-01-08'"), ("2", "DATE '2024-01-08'"), ("2", "DATE '2024-01-15'"), columns="id, week"
    )

    verdict = verdict_on(rows, rule("maximum", "id", value=1), partition_column="week")

    assert verdict.partition_rows == {"2024-01-08": 2, "2024-01-15": 1}
    assert set(verdict.fingerprints) == {"2024-01-08", "2024-01-15"}
    assert verdict.results[0].failed_rows == 2
    assert verdict.rows == 3


def test_an_unpartitioned_product_has_one_fingerprint_whatever_the_order_of_rows(verdict_on):
    one = verdict_on(draft(("1", "'a'"), ("2", "'b'"), columns="id, x"))
    other = verdict_on(draft(("2", "'b'"), ("1", "'a'"), columns="id, x"))

    assert one.fingerprints == other.fingerprints
    assert list(one.fingerprints) == [""]


# --- references


def test_rows_that_point_at_nothing_are_counted_and_nulls_are_fine(result_of):
    rows = draft(("1", "'10001'"), ("2", "'99999'"), ("3", "NULL"), columns="id, zip5")
    zips = draft(("'10001'",), ("NULL",), columns="zip5")

    result = result_of(
        rows,
        rule("foreign_key", "zip5", to_product="geography.zip_area", to_columns=["zip5"]),
        references={ZIPS: zips},
        key=("id",),
    )

    assert result.failed_rows == 1
    assert result.sample == ({"id": 2, "zip5": "99999"},)


def test_composite_keys_are_compared_together(result_of):
    rows = draft(("1", "2"), ("2", "1"), ("1", "NULL"), columns="a, b")
    target = draft(("1", "2"), columns="x, y")

    fk = rule("foreign_key", "a", "b", to_product="geography.zip_area", to_columns=["x", "y"])

    assert result_of(rows, fk, references={ZIPS: target}).failed_rows == 1


def test_a_reference_to_itself_looks_at_the_whole_product(result_of):
    rows = draft(("1", "NULL"), ("2", "1"), ("3", "9"), ("4", "7"), columns="id, parent")
    published = draft(("7", "NULL::INTEGER"), columns="id, parent")

    fk = rule("foreign_key", "parent", to_product=str(PRODUCT), to_columns=["id"])

    assert result_of(rows, fk, whole_sql=published).failed_rows == 1


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        ({}, "no version of geography.zip_area"),
        ({ZIPS: one_column("BIGINT", "1", name="zip5")}, "not comparable"),
        ({ZIPS: one_column("VARCHAR", "'1'", name="zip")}, "no column 'zip5'"),
        ({ZIPS: "nowhere"}, "nowhere"),
    ],
)
def test_a_reference_that_cannot_be_compared_is_an_error_of_its_rule_alone(verdict_on, references, reason):
    rows = one_column("VARCHAR", "'01'", name="zip5")
    fk = rule("foreign_key", "zip5", to_product="geography.zip_area", to_columns=["zip5"])

    verdict = verdict_on(rows, fk, rule("required", "zip5"), references=references)

    assert [result.outcome for result in verdict.results] == [Outcome.ERROR, Outcome.PASSED]
    assert reason in verdict.results[0].summary


# --- thresholds


@pytest.mark.parametrize(
    ("operator", "value", "held"),
    [
        ("mustBe", 2, "P"),
        ("mustBe", 3, "F"),
        ("mustNotBe", 2, "F"),
        ("mustNotBe", 3, "P"),
        ("mustBeGreaterThan", 2, "F"),
        ("mustBeGreaterThan", 1.5, "P"),
        ("mustBeGreaterOrEqualTo", 2, "P"),
        ("mustBeGreaterOrEqualTo", 2.5, "F"),
        ("mustBeLessThan", 2, "F"),
        ("mustBeLessThan", 3, "P"),
        ("mustBeLessOrEqualTo", 2, "P"),
        ("mustBeLessOrEqualTo", 1, "F"),
        ("mustBeBetween", [2, 3], "P"),
        ("mustBeBetween", [1, 2], "P"),
        ("mustBeBetween", [3, 4], "F"),
        ("mustNotBeBetween", [2, 3], "F"),
        ("mustNotBeBetween", [3, 4], "P"),
    ],
)
def test_each_operator_at_its_boundary(result_of, operator, value, held):
    relation = one_column("BIGINT", "NULL", "NULL", "1")

    result = result_of(relation, rule("null_values", "x", operator=operator, value=value))

    assert result.outcome is (Outcome.PASSED if held == "P" else Outcome.FAILED)


def test_percents_are_exact_fractions(result_of):
    relation = one_column("BIGINT", "NULL", "1", "2")

    result = result_of(
        relation, rule("null_values", "x", operator="mustBe", value=33.333333333333336, unit="percent")
    )

    assert result.outcome is Outcome.FAILED
    assert result.summary == "is 33.33333333%; must be 33.33333333%"


def test_rows_are_to_blame_only_when_there_are_too_many_of_them(result_of):
    relation = one_column("BIGINT", "NULL", "NULL", "1")

    few = result_of(relation, rule("null_values", "x", operator="mustBeGreaterThan", value=2))
    many = result_of(relation, rule("null_values", "x", operator="mustBeLessThan", value=2))

    assert (few.outcome, few.failed_rows, few.sample) == (Outcome.FAILED, None, ())
    assert (many.failed_rows, len(many.sample)) == (2, 2)
