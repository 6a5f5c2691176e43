"""Rules about single rows: counted to the row, at the boundary, and with odd values."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import draft, one_column, rule

NONE_BAD = {"operator": "mustBe", "value": 0}
NAN, INF = "'nan'::DOUBLE", "'inf'::DOUBLE"

#: kind, arguments, stored type, values, failing rows.
CASES: list[tuple[str, dict[str, Any], str, list[str], int]] = [
    ("required", {}, "VARCHAR", ["NULL", "''", "'a'", "NULL"], 2),
    ("required", {}, "DOUBLE", ["NULL", NAN, "0"], 1),
    ("min_length", {"value": 3}, "VARCHAR", ["'ab'", "'abc'", "''", "NULL", "'äöü'", "'äö'"], 3),
    ("max_length", {"value": 3}, "VARCHAR", ["'abcd'", "'abc'", "NULL", "'äöü'"], 1),
    ("pattern", {"value": "^[0-9]{5}$"}, "VARCHAR", ["'12345'", "'1234'", "'123456'", "''", "NULL"], 3),
    ("pattern", {"value": "b"}, "VARCHAR", ["'abc'", "'ac'"], 1),
    ("pattern", {"value": "it's"}, "VARCHAR", ["'it''s'", "'its'"], 1),
    ("minimum", {"value": 0}, "BIGINT", ["-1", "0", "1", "NULL"], 1),
    ("minimum", {"value": 0.5}, "INTEGER", ["0", "1"], 1),
    ("minimum", {"value": -(10**40)}, "HUGEINT", ["-1", "NULL"], 0),
    ("minimum", {"value": 10**40}, "HUGEINT", ["1", "NULL"], 1),
    ("maximum", {"value": 100}, "DOUBLE", ["100.0004", "100", "NULL"], 1),
    ("maximum", {"value": 100}, "DECIMAL(9,4)", ["100.0004", "100.0000"], 1),
    ("maximum", {"value": 99.995}, "DECIMAL(9,2)", ["99.99", "100.00"], 1),
    ("maximum", {"value": 10**30}, "DECIMAL(9,2)", ["99.99", "NULL"], 0),
    ("maximum", {"value": 0.1}, "DOUBLE", ["0.1", "0.2"], 1),
    ("maximum", {"value": 0.1}, "FLOAT", ["0.1"], 1),
    ("minimum", {"value": 0}, "DOUBLE", [NAN, INF, "-1", f"-{INF}", "-0.0", "NULL"], 3),
    ("maximum", {"value": 0}, "DOUBLE", [NAN, INF, "1", f"-{INF}", "-0.0", "NULL"], 3),
    ("exclusive_minimum", {"value": 0}, "DOUBLE", [NAN, "0", "-0.0", "5e-324", "NULL"], 3),
    ("exclusive_maximum", {"value": 1}, "DOUBLE", [NAN, "1", "0.5"], 2),
    ("exclusive_minimum", {"value": 0.5}, "INTEGER", ["0", "1"], 1),
    ("exclusive_maximum", {"value": 0.5}, "INTEGER", ["0", "1"], 1),
    ("minimum", {"value": "2024-01-01"}, "DATE", ["'2023-12-31'", "'2024-01-01'", "NULL", "'-infinity'"], 2),
    ("maximum", {"value": "2024-01-01"}, "TIMESTAMP", ["'2024-01-01 00:00:00'", "'2024-01-01 00:00:01'"], 1),
    ("maximum", {"value": "2024-01-01T12:00:00"}, "DATE", ["'2024-01-01'", "'2024-01-02'"], 1),
    (
        "maximum",
        {"value": "2024-01-01T02:00:00+02:00"},
        "TIMESTAMPTZ",
        ["'2024-01-01 00:00:01+00'", "'2024-01-01'"],
        1,
    ),
    ("minimum", {"value": "08:30:00"}, "TIME", ["'08:29:59'", "'08:30:00'"], 1),
    ("multiple_of", {"value": 5}, "INTEGER", ["10", "11", "0", "-5", "NULL"], 1),
    ("multiple_of", {"value": 0.5}, "INTEGER", ["10", "11"], 0),
    ("multiple_of", {"value": 1.5}, "INTEGER", ["3", "4"], 1),
    ("multiple_of", {"value": 0.05}, "DECIMAL(12,2)", ["10.05", "10.06", "0.00", "NULL"], 1),
    ("multiple_of", {"value": 0.005}, "DECIMAL(12,2)", ["10.05", "10.06"], 0),
    ("multiple_of", {"value": 0.1}, "DOUBLE", ["0.3", "0.1 + 0.2::DOUBLE", "0.35", NAN, INF, "-0.0"], 4),
    ("invalid_values", {"validValues": ["a", "b"], **NONE_BAD}, "VARCHAR", ["'a'", "'c'", "''", "NULL"], 2),
    ("invalid_values", {"validValues": ["o'x"], **NONE_BAD}, "VARCHAR", ["'o''x'", "'ox'"], 1),
    ("invalid_values", {"validValues": [1, 2], **NONE_BAD}, "DOUBLE", ["1", NAN, "NULL"], 1),
    ("invalid_values", {"validValues": [0.1], **NONE_BAD}, "FLOAT", ["0.1", "0.2"], 1),
    ("invalid_values", {"validValues": [1.5], **NONE_BAD}, "DECIMAL(5,2)", ["1.50", "1.51"], 1),
    ("invalid_values", {"validValues": [True], **NONE_BAD}, "BOOLEAN", ["TRUE", "FALSE", "NULL"], 1),
    (
        "invalid_values",
        {"validValues": ["2024-01-01"], **NONE_BAD},
        "DATE",
        ["'2024-01-01'", "'2024-01-02'"],
        1,
    ),
    ("invalid_values", {"pattern": "^a", **NONE_BAD}, "VARCHAR", ["'a'", "'b'", "NULL"], 1),
    ("null_values", {"operator": "mustBe", "value": 0}, "DOUBLE", ["NULL", NAN, "1"], 1),
    (
        "missing_values",
        {"missingValues": [None, "", "N/A"], **NONE_BAD},
        "VARCHAR",
        ["NULL", "''", "'N/A'", "'n/a'"],
        3,
    ),
    ("missing_values", {"missingValues": ["", "N/A"], **NONE_BAD}, "VARCHAR", ["NULL", "''", "'N/A'"], 2),
]


@pytest.mark.parametrize(("kind", "arguments", "stored", "values", "failing"), CASES)
def test_planted_violations_are_counted_to_the_row(result_of, kind, arguments, stored, values, failing):
    result = result_of(one_column(stored, *values), rule(kind, "x", **arguments))

    assert (result.failed_rows, result.outcome) == (failing, Outcome.FAILED if failing else Outcome.PASSED), (
        result
    )
    assert len(result.sample) == failing
    assert result.checked_rows == len(values)


@pytest.mark.parametrize(
    ("kind", "arguments", "stored", "reason"),
    [
        ("minimum", {"value": 0}, "VARCHAR", "stored as VARCHAR"),
        ("multiple_of", {"value": 2}, "VARCHAR", "stored as VARCHAR"),
        ("min_length", {"value": 2}, "BIGINT", "stored as BIGINT"),
        ("pattern", {"value": "1"}, "BIGINT", "stored as BIGINT"),
        ("minimum", {"value": "2024-01-01"}, "BIGINT", "not a number"),
        ("minimum", {"value": "yesterday"}, "DATE", "not an ISO 8601"),
        ("minimum", {"value": "2024-01-01T00:00:00+02:00"}, "TIMESTAMP", "which has none"),
        ("minimum", {}, "BIGINT", "needs 'value'"),
        ("multiple_of", {"value": 0}, "BIGINT", "above zero"),
        (
            "invalid_values",
            {"validValues": ["1"], "operator": "mustBe", "value": 0},
            "BIGINT",
            "not a value of 'x'",
        ),
        (
            "invalid_values",
            {"validValues": [1], "operator": "mustBe", "value": 0},
            "VARCHAR",
            "not a value of 'x'",
        ),
        (
            "invalid_values",
            {"validValues": [1.5], "operator": "mustBe", "value": 0},
            "BIGINT",
            "not a value of 'x'",
        ),
        ("invalid_values", {"operator": "mustBe", "value": 0}, "BIGINT", "needs validValues"),
        ("missing_values", {"operator": "mustBe", "value": 0}, "BIGINT", "needs the list"),
        ("null_values", {"operator": "mustBee", "value": 0}, "BIGINT", "is not an operator"),
        ("null_values", {"operator": "mustBeBetween", "value": 0}, "BIGINT", "needs 2 number"),
        ("null_values", {"operator": "mustBe", "value": "0"}, "BIGINT", "not a number"),
        ("pattern", {"value": "("}, "VARCHAR", "missing )"),
        ("pattern", {"value": "(a{1000}){1000}"}, "VARCHAR", "repetition"),
        ("horoscope", {}, "VARCHAR", "no rule of kind"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_of_that_rule_alone(
    verdict_on, kind, arguments, stored, reason
):
    verdict = verdict_on(
        one_column(stored, "NULL"), rule(kind, "x", id="bad", **arguments), rule("required", "x")
    )

    bad, good = verdict.results
    assert bad.outcome is Outcome.ERROR
    assert reason in bad.summary
    assert bad.stops_publication
    assert (good.outcome, good.failed_rows) == (Outcome.FAILED, 1)


def test_a_missing_column_is_an_error_of_its_rule_alone(verdict_on):
    verdict = verdict_on(one_column("BIGINT", "1"), rule("required", "y"), rule("required", "x"))

    assert [result.outcome for result in verdict.results] == [Outcome.ERROR, Outcome.PASSED]
    assert verdict.results[0].summary == "could not run: the draft has no column 'y'; it has x"


def test_a_condition_that_fails_on_the_data_alone_leaves_the_others_their_counts(verdict_on, monkeypatch):
    from mesh_assets.capabilities.checks import conditions

    mine = {**conditions.CONDITIONS, "required": lambda rule, stored: "CAST(x AS INTEGER) > 0"}
    monkeypatch.setattr(conditions, "CONDITIONS", mine)

    verdict = verdict_on(
        one_column("VARCHAR", "'a'", "''"), rule("required", "x"), rule("min_length", "x", value=1)
    )

    assert [result.outcome for result in verdict.results] == [Outcome.ERROR, Outcome.FAILED]
    assert "Could not convert string" in verdict.results[0].summary


@pytest.mark.parametrize(
    "name", ['we"ird', "semi;colon", "drop table x; --", "select", "ünïcode", "a b", "'", "x.y", "draft"]
)
def test_hostile_column_names_are_names(result_of, name):
    quoted = '"' + name.replace('"', '""') + '"'

    for kind, arguments in (
        ("required", {}),
        ("min_length", {"value": 2}),
        ("unique", {}),
        ("primary_key", {}),
    ):
        relation = one_column("VARCHAR", "NULL", "'a'", "'a'", name=quoted)
        result = result_of(relation, rule(kind, name, **arguments), key=(name,))
        assert result.outcome is Outcome.FAILED, (kind, result)
        assert list(result.sample[0]) == [name]


@pytest.mark.parametrize("value", ["'; DROP TABLE x; --", "' OR 1=1 --", "\\", '"', "$$", "{}", "%s"])
def test_hostile_values_are_values(result_of, value):
    relation = one_column("VARCHAR", "'a'")

    result = result_of(relation, rule("invalid_values", "x", validValues=[value], operator="mustBe", value=0))

    assert result.failed_rows == 1


def test_an_empty_table_fails_the_implied_row_count_and_no_rule_about_rows(verdict_on):
    verdict = verdict_on(
        one_column("DOUBLE"),
        rule("row_count_positive", id="row_count_above_zero"),
        rule("minimum", "x", value=0),
        rule("primary_key", "x"),
        rule("null_values", "x", operator="mustBeLessThan", value=5, unit="percent"),
    )

    assert [result.outcome.value for result in verdict.results] == ["failed", "passed", "passed", "passed"]
    assert verdict.results[0].summary == "is 0; must be greater than 0"
    assert verdict.results[3].value == "0%"
    assert verdict.rows == 0


def test_results_are_told_in_the_words_of_a_person(result_of):
    relation = "(SELECT CASE WHEN i < 41 THEN -1 ELSE i END AS x FROM range(1204118) AS rows(i))"

    assert result_of(relation, rule("minimum", "x", value=0)).summary == "failed on 41 of 1,204,118 rows"
    count = result_of(relation, rule("row_count", operator="mustBeGreaterThan", value=5_000_000))
    assert count.summary == "is 1,204,118; must be greater than 5,000,000"
    assert count.failed_rows is None


def test_samples_are_bounded_and_show_key_and_offending_columns(result_of):
    relation = "(SELECT i AS id, 'n' || i AS name, -i AS x, 1 AS other FROM range(1, 100) AS rows(i))"

    result = result_of(relation, rule("minimum", "x", value=0), key=("id",))

    assert result.failed_rows == 99
    assert len(result.sample) == 20
    assert result.sample[0] == {"id": 1, "x": -1}


def test_personal_columns_are_masked_in_samples_even_in_a_key(result_of):
    relation = draft(("1", "'Ann'"), ("2", "NULL"), columns="id, name")

    result = result_of(relation, rule("max_length", "name", value=1), key=("id", "name"), personal=("name",))

    assert result.sample == ({"id": 1, "name": "***"},)


def test_samples_are_plain_json_values(result_of):
    relation = "(SELECT DATE '2024-01-01' AS id, 'nan'::DOUBLE AS x)"

    assert result_of(relation, rule("minimum", "x", value=0), key=("id",)).sample == (
        {"id": "2024-01-01", "x": "nan"},
    )
