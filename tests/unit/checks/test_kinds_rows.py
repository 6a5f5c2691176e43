# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Kinds that judge rows: expressions, conditions, check digits; and what an expression may never do."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, draft, one_column, rule


def test_rows_on_which_an_expression_is_false_are_counted_and_shown(result_of):
    rows = draft(
        ("1", "1", "2"), ("2", "3", "2"), ("3", "NULL", "2"), ("4", "5", "2"), columns="id, paid, list"
    )

    result = result_of(rows, rule("expression", "paid", "list", expression="paid <= list"), key=("id",))

    assert (result.outcome, result.failed_rows) == (Outcome.FAILED, 2)
    assert [row["id"] for row in result.sample] == [2, 4]
    assert result.sample[0] == {"id": 2, "paid": 3, "list": 2}


def test_a_condition_says_something_only_where_its_premise_is_true(result_of):
    rows = draft(
        ("TRUE", "NULL"),
        ("TRUE", "1"),
        ("FALSE", "NULL"),
        ("NULL", "NULL"),
        ("TRUE", "-1"),
        columns="closed, amount",
    )

    result = result_of(
        rows, rule("when", "closed", "amount", when="closed", then="amount IS NOT NULL AND amount > 0")
    )

    assert (result.outcome, result.failed_rows) == (Outcome.FAILED, 2)


def test_a_consequence_that_is_null_says_nothing_against_a_row(result_of):
    rows = draft(("TRUE", "NULL"), columns="closed, amount")

    assert result_of(rows, rule("when", "closed", when="closed", then="amount > 0")).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("limit", "outcome"), [(1, Outcome.FAILED), (2, Outcome.PASSED), (3, Outcome.PASSED)]
)
def test_a_threshold_counts_rows_up_to_its_edge(result_of, limit, outcome):
    bad = rule(
        "expression", "x", expression="x > 0", operator="mustBeLessOrEqualTo", value=limit, unit="rows"
    )

    result = result_of(one_column("INTEGER", "1", "-1", "-2", "5"), bad)

    assert (result.outcome, result.value) == (outcome, "2")
    assert result.failed_rows == (2 if outcome is Outcome.FAILED else 0)


def test_a_threshold_in_percent_is_a_share_of_the_whole_product(result_of):
    bad = rule("expression", "x", expression="x > 0", operator="mustBeLessThan", value=25, unit="percent")

    result = result_of(one_column("INTEGER", "1", "-1"), bad, whole_sql=one_column("INTEGER", "1", "1", "1"))

    assert (result.outcome, result.value) == (Outcome.PASSED, "20%")


@pytest.mark.parametrize("relation", [one_column("INTEGER"), one_column("INTEGER", "NULL")])
def test_an_empty_table_and_nulls_break_no_expression(result_of, relation):
    assert result_of(relation, rule("expression", "x", expression="x > 0")).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "expression",
    [
        "x IN (SELECT 1)", "EXISTS (SELECT 1)", "x = ANY([1])", "row_number() OVER () > 0", "sum(x) > 0", "* = 1",
        "COLUMNS('x') = 1", "x = $1", "x = ?", "#1 = 1", "getenv('HOME') = 'x'", "read_text('/etc/passwd') = ''",
        "current_setting('threads') = '1'", "x < random()", "now() > x", "current_date > x", "nextval('s') > 0",
        "repeat('x', 1000000000) = ''", "x::my_type = 1", "list_filter([x], y -> y > 0) = []", "unnest([x]) = 1",
        "x > 0) FROM range(9) AS t(x); DROP TABLE draft; SELECT (1", "1); SELECT (2", "x > 0) UNION SELECT (TRUE",
        "main.abs(x) > 0", "y > 0", "draft > 0", "x > ", "x > 0 FILTER (WHERE TRUE)", "sqrt(DISTINCT x) > 0", "x > '\0'",
        "DEFAULT", "query('SELECT 1') = 1", "TRY(1/x) > 0", "x COLLATE nocase = 'a'", "pg_sleep(1) IS NULL",
    ],
)  # fmt: skip
def test_an_expression_that_says_more_is_an_error_of_its_rule_alone(verdict_on, expression):
    bad = rule("expression", "x", id="bad", expression=expression)
    good = rule("expression", "x", id="good", expression="x > 1")

    found = {each.rule.id: each for each in verdict_on(one_column("INTEGER", "1", "2"), bad, good).results}

    assert found["bad"].outcome is Outcome.ERROR
    assert (found["good"].outcome, found["good"].failed_rows) == (Outcome.FAILED, 1)


def test_an_expression_that_fails_on_the_data_is_an_error_of_its_rule_alone(verdict_on):
    bad = rule("expression", "x", id="bad", expression="x::DATE > DATE '2020-01-01'")
    good = rule("expression", "x", id="good", expression="x = '2024-01-01'")

    found = verdict_on(one_column("VARCHAR", "'2024-01-01'", "'soon'"), bad, good).results

    assert [each.outcome for each in found] == [Outcome.ERROR, Outcome.FAILED]


@pytest.fixture(scope="module")
def shared_con():
    with duckdb.connect() as con:
        yield con


def _luhn_holds(digits: str) -> bool:
    """As ISO/IEC 7812-1 tells it, digit by digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _gs1_holds(digits: str) -> bool:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _dea_holds(code: str) -> bool:
    d = [int(digit) for digit in code[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


@pytest.mark.parametrize(
    ("algorithm", "good", "bad"),
    [
        ("luhn", ["4539578763621486", "79927398713", "18", "0000000000000000000"], ["4539578763621487", "79927398710", "5", "1 8", "", "18x"]),
        ("npi", ["1234567893", "1245319599", "2000028771"], ["1234567890", "12345678931", "123456789", "123456789X"]),
        ("gs1", ["4006381333931", "73513537", "036000291452", "00012345600012"], ["4006381333932", "73513536", "4006381"]),
        ("dea", ["AB1234563", "F91234563"], ["AB1234560", "1B1234563", "AB123456", "A81234563"]),
    ],
)  # fmt: skip
def test_known_numbers_have_the_right_digit_and_others_have_not(result_of, algorithm, good, bad):
    values = [f"'{value}'" for value in (*good, *bad)]

    result = result_of(one_column("VARCHAR", *values, "NULL"), rule("check_digit", "x", algorithm=algorithm))

    assert result.failed_rows == len(bad)
    assert {row["x"] for row in result.sample} == set(bad)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.from_regex(r"[0-9]{1,20}", fullmatch=True), min_size=1, max_size=30))
def test_luhn_agrees_with_the_definition(shared_con, texts):
    expected = sum(not (2 <= len(text) <= 19 and _luhn_holds(text)) for text in texts)

    assert _failed(shared_con, texts, "luhn") == expected


@settings(deadline=None, max_examples=15)
@given(st.lists(st.from_regex(r"[0-9]{10}", fullmatch=True), min_size=1, max_size=30))
def test_npi_is_luhn_behind_its_prefix(shared_con, texts):
    assert _failed(shared_con, texts, "npi") == sum(not _luhn_holds("80840" + text) for text in texts)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.from_regex(r"[0-9]{8}|[0-9]{12,14}|[0-9]{17,18}", fullmatch=True), min_size=1, max_size=30)
)
def test_gs1_agrees_with_the_definition(shared_con, texts):
    assert _failed(shared_con, texts, "gs1") == sum(not _gs1_holds(text) for text in texts)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.from_regex(r"[A-Z][A-Z9][0-9]{7}", fullmatch=True), min_size=1, max_size=30))
def test_dea_agrees_with_the_definition(shared_con, texts):
    assert _failed(shared_con, texts, "dea") == sum(not _dea_holds(text) for text in texts)


def test_more_digits_than_an_integer_holds_are_a_wrong_form(result_of):
    values = [f"'{'9' * 19}'", f"'{'9' * 20}'", f"'1{'8' * 19}'", f"'{'9' * 400}'"]

    assert (
        result_of(one_column("VARCHAR", *values), rule("check_digit", "x", algorithm="luhn")).failed_rows == 4
    )


def test_an_integer_has_a_check_digit_too(result_of):
    result = result_of(
        one_column("BIGINT", "1234567893", "1234567890", "-1234567893", "NULL"),
        rule("check_digit", "x", algorithm="npi"),
    )

    assert result.failed_rows == 2


def _failed(con, texts: list[str], algorithm: str) -> int | None:
    relation = one_column("VARCHAR", *(f"'{text}'" for text in texts))
    return (
        audit(con, relation, contract_of(rule("check_digit", "x", algorithm=algorithm)))
        .results[0]
        .failed_rows
    )
