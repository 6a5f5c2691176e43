"""Columns as they are stored: a wrong one is told by name, and takes nothing else down with it."""

from __future__ import annotations

from itertools import product

import pytest

from mesh_assets.capabilities.checks.columns import unreadable
from mesh_assets.words.rules import Outcome, Rule
from tests.unit.checks.conftest import draft, one_column, rule

#: One value of each type that a lake keeps.
VALUES = {
    "VARCHAR": "'a'",
    "BOOLEAN": "TRUE",
    "TINYINT": "1",
    "BIGINT": "1",
    "UBIGINT": "1",
    "DECIMAL(9,2)": "1.25",
    "DECIMAL(12,2)": "1.25",
    "FLOAT": "0.5",
    "DOUBLE": "0.1",
    "DATE": "'2024-01-01'",
    "TIME": "'10:00:00'",
    "TIMESTAMP": "'2024-01-01'",
    "TIMESTAMP WITH TIME ZONE": "'2024-01-01 00:00:00+00'",
    "BLOB": "'a'",
    "UUID": "'123e4567-e89b-12d3-a456-426614174000'",
    "BIGINT[]": "[1]",
    "STRUCT(a BIGINT)": "{'a': 1}",
    "STRUCT(a INTEGER)": "{'a': 1}",
    "MAP(VARCHAR, BIGINT)": "MAP {'a': 1}",
}
#: Rules that a contract could have of a column of any type; most make no sense on most types.
ON_ANYTHING = [
    rule("required", "x"),
    rule("unique", "x"),
    rule("min_length", "x", value=1),
    rule("pattern", "x", value="a"),
    rule("format", "x", value="email"),
    rule("number_format", "x", value="i8"),
    rule("moment_format", "x", value="yyyy-MM-dd HH:mm:ss"),
    rule("minimum", "x", value=0),
    rule("maximum", "x", value="2024-01-01", id="latest"),
    rule("multiple_of", "x", value=0.5),
    rule("invalid_values", "x", validValues=[1], operator="mustBe", value=0),
    rule("min_items", "x", value=1),
    rule("unique_items", "x"),
    rule("min_properties", "x", value=1),
    rule("required_properties", "x", value=["a"]),
    Rule("inside", "minimum", ("x",), "", arguments={"value": 0}, path=("a",)),
    Rule("items", "required", ("x",), "", path=("[]",)),
    Rule("values", "unique", ("x",), "", path=("{value}",)),
]


def as_promised(**types: str) -> Rule:
    return rule("physical_types", id="columns_as_promised", types=types)


@pytest.mark.parametrize(
    ("promised", "stored"), [pair for pair in product(VALUES, repeat=2) if pair[0] != pair[1]]
)
def test_a_type_that_is_not_the_promised_one_is_told_and_all_else_reports(verdict_on, promised, stored):
    verdict = verdict_on(
        draft(("1", f"({VALUES[stored]})::{stored}"), columns="id, x"),
        as_promised(id="INTEGER", x=promised),
        rule("required", "id"),
        *ON_ANYTHING,
    )

    columns, neighbour, *others = verdict.results
    assert columns.outcome is Outcome.FAILED
    assert f"x is stored as {stored}, the contract says {promised}" in columns.summary
    assert neighbour.outcome is Outcome.PASSED
    assert all(other.outcome is not Outcome.ERROR or "could not run: " in other.summary for other in others)
    assert verdict.stops_publication


def test_every_wrong_column_is_told_with_what_it_should_be(verdict_on):
    columns = verdict_on(
        draft(("1", "2", "3"), columns='id, amount, "vat"'),
        as_promised(id="INTEGER", amount="DECIMAL(9,2)", note="VARCHAR"),
    ).results[0]

    assert columns.summary == (
        "failed on 3 of the columns: amount is stored as INTEGER, the contract says DECIMAL(9,2); "
        "note is missing, the contract says VARCHAR; vat is not in the contract"
    )
    assert columns.sample == (
        {"column": "amount", "stored": "INTEGER", "promised": "DECIMAL(9,2)"},
        {"column": "note", "stored": None, "promised": "VARCHAR"},
        {"column": "vat", "stored": "INTEGER", "promised": None},
    )


def test_a_rule_of_a_missing_column_is_an_error_of_that_rule_alone(verdict_on):
    verdict = verdict_on(
        draft(("1",), columns="id"),
        as_promised(id="INTEGER", gone="DATE"),
        rule("required", "gone"),
        rule("required", "id"),
    )

    assert [result.outcome for result in verdict.results] == [Outcome.FAILED, Outcome.ERROR, Outcome.PASSED]
    assert "the draft has no column 'gone'" in verdict.results[1].summary


def test_types_are_compared_as_types_however_they_are_spelled(result_of):
    nested = one_column('STRUCT("end" INTEGER, b VARCHAR[])', "{'end': 1, 'b': ['a']}")

    assert result_of(nested, as_promised(x="STRUCT(end INTEGER, b VARCHAR[])")).outcome is Outcome.PASSED


def test_text_that_is_no_value_of_the_promised_type_is_counted_and_shown(result_of):
    columns = result_of(one_column("VARCHAR", "'1'", "'many'", "'1.5'", "NULL"), as_promised(x="BIGINT"))

    assert "(2 rows hold no BIGINT, such as '1.5')" in columns.summary
    assert columns.sample[0]["unreadable_rows"] == 2


def test_a_personal_text_is_not_shown(result_of):
    columns = result_of(one_column("VARCHAR", "'secret'"), as_promised(x="BIGINT"), personal=("x",))

    assert "(1 row holds no BIGINT, such as '***')" in columns.summary


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("BIGINT", ["1", "-1", " 12 ", "1.0", "+3"], ["1.5", "1e3", "", "9223372036854775808", "many"]),
        ("UTINYINT", ["255"], ["-1", "256"]),
        ("DECIMAL(9,2)", ["1.25", "1.250", ".5", "1"], ["1.255", "1e3", "12345678.9", "."]),
        ("DOUBLE", ["1e3", "0.1", "inf"], ["", "x"]),
        ("DATE", ["2024-01-01"], ["2024-01-01 10:00:00", "2024-02-30", "01/02/2024"]),
        ("TIMESTAMP", ["2024-01-01 10:00:00"], ["2024-01-01 10:00:00+02", "2024-01-01 1:00-05:30"]),
        ("BOOLEAN", ["true", "false"], ["maybe"]),
        ("UUID", ["123e4567-e89b-12d3-a456-426614174000"], ["123"]),
    ],
)  # fmt: skip
def test_text_is_a_value_of_a_type_only_if_nothing_is_rounded_or_dropped(con, kind, good, bad):
    query = f"SELECT {unreadable('x', kind)} FROM (SELECT ?::VARCHAR AS x)"
    judged = {text: con.execute(query, [text]).fetchone()[0] for text in (*good, *bad)}

    assert judged == {**dict.fromkeys(good, False), **dict.fromkeys(bad, True)}


def test_published_partitions_of_another_type_are_an_error_of_the_rules_about_the_whole(verdict_on):
    def names(value: str) -> Rule:
        return rule("invalid_values", "x", validValues=[value], operator="mustBe", value=0)

    verdict = verdict_on(
        "SELECT DATE '2024-01-01' AS week, 'a' AS x, 'a' AS y",
        as_promised(week="DATE", x="BIGINT", y="VARCHAR"),
        names("a"),
        rule("null_values", "y", operator="mustBe", value=0),
        rule("required", "y"),
        partition_column="week",
        whole_sql="SELECT DATE '2024-01-08' AS week, 5::BIGINT AS x, NULL::VARCHAR AS y",
    )

    wrong_type, names_a, nulls, required = verdict.results
    assert wrong_type.outcome is Outcome.FAILED
    assert names_a.outcome is Outcome.ERROR
    assert (nulls.outcome, nulls.value) == (Outcome.FAILED, "1")
    assert (required.outcome, required.failed_rows) == (Outcome.PASSED, 0)
