# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Numbers of a contract with more digits than a double holds: every digit decides, or the rule says why not."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.capabilities.publishing.settled import _said
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, RuleResult

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: shop.orders\nversion: 1.0.0\nstatus: active\n"
TABLE = HEAD + "schema:\n  - name: orders\n    properties:\n"
COLUMN = TABLE + "      - {name: x, logicalType: number, physicalType: '%s', %s}\n"
MONEY = "DECIMAL(38,10)"
#: The largest that a DECIMAL(38,10) holds, and the one before it.
MOST, BEFORE = "9999999999999999999999999999.9999999999", "9999999999999999999999999999.9999999998"


def contract(text: str):
    return contract_from_text("contract.yaml", ProductName("shop", "orders"), text)


def judged(stored: str, says: str, *values: str, number: int = 1) -> RuleResult:
    """What the rule (behind the two that every table has) says of these values and a null."""
    rows = ", ".join(f"('{value}'::{stored})" for value in values)
    with duckdb.connect() as con:
        # No lake keeps a HUGEINT, so no contract promises one; a draft may well have one.
        promised = "DECIMAL(38,0)" if "HUGEINT" in stored else stored
        read = contract(COLUMN % (promised, says))
        found = audit(con, f"(SELECT * FROM (VALUES {rows}, (NULL)) AS rows(x))", read).results
    (result,) = [each for each in found if each.rule.kind not in ("row_count_positive", "physical_types")]
    return result


#: Stored as, what the contract says, the stored values, how many of them break it.
CASES = [
    (MONEY, f"logicalTypeOptions: {{maximum: {BEFORE}}}", [BEFORE, MOST], 1),
    (MONEY, f"logicalTypeOptions: {{exclusiveMaximum: {MOST}}}", [BEFORE, MOST], 1),
    (MONEY, f"logicalTypeOptions: {{minimum: {MOST}}}", [BEFORE, MOST], 1),
    (MONEY, f"logicalTypeOptions: {{minimum: -{BEFORE}}}", [f"-{BEFORE}", f"-{MOST}"], 1),
    (MONEY, "logicalTypeOptions: {maximum: 0.12345678905000000000000000001}", ["0.1234567890", "0.1234567891"], 1),
    (MONEY, "logicalTypeOptions: {multipleOf: 1000000000000000000.0000000001}", ["1000000000000000000.0000000001", "1000000000000000000.0000000002"], 1),
    (MONEY, f"quality: [{{metric: invalidValues, mustBe: 0, arguments: {{validValues: [{MOST}, 0.5]}}}}]", [MOST, BEFORE, "0.5"], 1),
    ("BIGINT", "logicalTypeOptions: {maximum: 9223372036854775806}", ["9223372036854775806", "9223372036854775807"], 1),
    ("BIGINT", "logicalTypeOptions: {maximum: 9223372036854775806.5000000000000000001}", ["9223372036854775806", "9223372036854775807"], 1),
    ("BIGINT", "logicalTypeOptions: {minimum: -9223372036854775807.00000000000000000001}", ["-9223372036854775807", "-9223372036854775808"], 1),
    ("HUGEINT", "logicalTypeOptions: {maximum: 170141183460469231731687303715884105726}", ["170141183460469231731687303715884105726", "170141183460469231731687303715884105727"], 1),
    ("HUGEINT", "logicalTypeOptions: {minimum: -170141183460469231731687303715884105727}", ["-170141183460469231731687303715884105727", "-170141183460469231731687303715884105728"], 1),
    ("HUGEINT", "logicalTypeOptions: {maximum: 123456789012345678901234567890.4}", ["123456789012345678901234567890", "123456789012345678901234567891"], 1),
    ("UHUGEINT", "logicalTypeOptions: {maximum: 340282366920938463463374607431768211454}", ["340282366920938463463374607431768211454", "340282366920938463463374607431768211455"], 1),
    ("DOUBLE", "logicalTypeOptions: {maximum: 0.10000000000000000001}", ["0.1", "0.10000000000000002"], 1),
    ("DOUBLE", "logicalTypeOptions: {exclusiveMaximum: 0.10000000000000000001}", ["0.1", "0.10000000000000002"], 1),
    ("DOUBLE", "logicalTypeOptions: {exclusiveMinimum: 0.09999999999999999999}", ["0.1", "0.09999999999999999"], 1),
    ("DOUBLE", "logicalTypeOptions: {minimum: 9007199254740993}", ["9007199254740992", "9007199254740994"], 1),
    ("DOUBLE", "logicalTypeOptions: {exclusiveMaximum: 9007199254740993}", ["9007199254740992", "9007199254740994"], 1),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "says", "values", "failing"), CASES)
def test_every_digit_of_a_bound_decides(stored, says, values, failing):
    result = judged(stored, says, *values)

    assert (result.outcome, result.failed_rows, len(result.sample)) == (Outcome.FAILED, failing, failing), (
        result
    )


@pytest.mark.parametrize(
    ("operator", "outcome"),
    [
        ("mustBeLessThan: 12345678901234567890.1234567891", Outcome.PASSED),
        ("mustBeLessThan: 12345678901234567890.1234567890", Outcome.FAILED),
        ("mustBe: 12345678901234567890.123456789", Outcome.PASSED),
        ("mustNotBe: 12345678901234567890.123456789", Outcome.FAILED),
        ("mustBeBetween: [12345678901234567890.1234567889, 12345678901234567890.123456789]", Outcome.PASSED),
    ],
)
def test_a_measure_is_held_against_every_digit_of_its_threshold(operator, outcome):
    rule = f"quality: [{{type: sql, query: 'select sum(x) from {{object}}', {operator}}}]"

    result = judged(MONEY, rule, "12345678901234567890.1234567890")

    assert result.outcome is outcome, result
    assert "12,345,678,901,234,567,890.123456789" in result.summary


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [0.30000000000000000001]}}]", "a DOUBLE holds 17 digits"),
        ("logicalTypeOptions: {multipleOf: 0.01000000000000000000001}", "more digits than DOUBLE"),
    ],
)  # fmt: skip
def test_what_no_double_is_cannot_be_listed_or_counted_in_steps(says, told):
    result = judged("DOUBLE", says, "0.3")

    assert result.outcome is Outcome.ERROR
    assert told in result.summary


def test_two_bounds_that_are_one_double_are_two_promises():
    said = [
        _said(contract(COLUMN % (MONEY, f"logicalTypeOptions: {{maximum: {bound}}}")).rules[-1], Path("none"))
        for bound in (BEFORE, MOST)
    ]

    assert said[0] != said[1]


@pytest.mark.parametrize(
    ("written", "value"),
    [("0.1", 0.1), ("100.10", 100.1), ("0.30000000000000004", 0.30000000000000004), ("-0.0", 0.0)],
)
def test_a_number_that_a_double_says_is_a_float_as_ever(written, value):
    (rule,) = [
        each
        for each in contract(COLUMN % (MONEY, f"logicalTypeOptions: {{maximum: {written}}}")).rules
        if each.kind == "maximum"
    ]

    assert type(rule.arguments["value"]) is float
    assert rule.arguments["value"] == value
    assert json.dumps(dict(rule.arguments))


def test_a_number_keeps_its_digits_in_what_the_contract_says():
    read = contract(COLUMN % (MONEY, f"logicalTypeOptions: {{maximum: {MOST}}}"))

    assert read.raw["schema"][0]["properties"][0]["logicalTypeOptions"]["maximum"] == Decimal(MOST)


@pytest.mark.parametrize("number", ["1.0e-99999999", "0.5e-1000", "1." + "0" * 400])
def test_a_number_beyond_every_type_is_refused_with_its_line(number):
    with pytest.raises(DocumentMalformed, match=r"contract.yaml:9:.*beyond every value"):
        contract(COLUMN % (MONEY, f"logicalTypeOptions: {{maximum: {number}}}"))
