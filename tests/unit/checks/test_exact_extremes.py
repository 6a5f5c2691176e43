# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Rules at the ends of what a type can hold, on nothing but nulls, and on texts that look alike."""

from __future__ import annotations

import pytest

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import one_column, rule

LEAST, MOST = "-9223372036854775808", "9223372036854775807"
NAN, INF = "'nan'::DOUBLE", "'inf'::DOUBLE"
BANK = ProductName("bank", "transfers")
COMBINED = "'e' || chr(769)"  # e and a combining accent: two code points, one letter to the eye

#: kind, arguments, stored type, values, failing rows; a null is beside them.
ROWS = [
    ("minimum", {"value": int(LEAST)}, "BIGINT", [LEAST, MOST], 0),
    ("exclusive_minimum", {"value": int(LEAST)}, "BIGINT", [LEAST, MOST], 1),
    ("exclusive_maximum", {"value": int(MOST)}, "BIGINT", [LEAST, MOST], 1),
    ("maximum", {"value": 2**63}, "BIGINT", [LEAST, MOST], 0),
    ("maximum", {"value": 2**64 - 2}, "UBIGINT", ["18446744073709551615", "18446744073709551614"], 1),
    ("multiple_of", {"value": 2}, "BIGINT", [LEAST, MOST], 1),
    ("multiple_of", {"value": 2**63}, "BIGINT", [LEAST, MOST, "0"], 1),
    ("min_length", {"value": 2}, "VARCHAR", [COMBINED, "chr(233)", "chr(128512)"], 2),
    ("max_length", {"value": 1}, "VARCHAR", [COMBINED, "chr(233)", "chr(128512)", "chr(128105) || chr(8205) || chr(128300)"], 2),
    ("expression", {"expression": "x <= 0"}, "DOUBLE", ["-0.0", "0.0", NAN, INF], 2),
    ("expression", {"expression": "x > 0"}, "BIGINT", [LEAST, MOST], 1),
    ("when", {"when": "x >= 0", "then": "x < 1"}, "DOUBLE", ["-0.0", NAN, INF, "-1"], 2),
    ("check_digit", {"algorithm": "luhn"}, "BIGINT", [LEAST, MOST, "18"], 2),
    ("check_digit", {"algorithm": "luhn"}, "VARCHAR", ["'١٨'", "''", "'18'"], 2),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "stored", "values", "failing"), ROWS)
def test_violations_at_the_ends_of_a_type_are_counted_to_the_row(
    result_of, kind, arguments, stored, values, failing
):
    result = result_of(one_column(stored, *values, "NULL"), rule(kind, "x", **arguments))

    assert (result.failed_rows, len(result.sample)) == (failing, failing), result


def change(aggregate: str):
    limit = {"operator": "mustBe", "value": 0, "unit": "absolute", "against": "previous"}
    return rule("change", "x", aggregate=aggregate, **limit)


@pytest.mark.parametrize(
    ("aggregate", "before", "now", "moved"),
    [
        ("sum", [MOST, MOST], [MOST, MOST, "1"], "1"),
        ("sum", ["NULL"], ["0"], "0"),
        ("sum", [], [LEAST], "-9,223,372,036,854,775,808"),
        ("min", [MOST], [LEAST], "-18,446,744,073,709,551,615"),
        ("max", [LEAST], [MOST], "18,446,744,073,709,551,615"),
        ("count_distinct", [LEAST, LEAST, "NULL"], [LEAST, MOST, "NULL"], "1"),
    ],
)
def test_changes_of_the_largest_numbers_are_exact(result_of, aggregate, before, now, moved):
    result = result_of(
        one_column("BIGINT", *now),
        change(aggregate),
        baselines={"previous": one_column("BIGINT", *before)},
    )

    assert result.value == moved, result


@pytest.mark.parametrize(
    ("there", "value"), [([MOST, MOST], "0"), ([MOST, MOST, "1"], "1"), ([], "18,446,744,073,709,551,614")]
)
def test_balances_beyond_64_bits_are_exact(result_of, there, value):
    judged = rule(
        "balance", "x", aggregate="sum", measured=["x"], to_product=str(BANK), to_column="x",
        by=[], to_by=[], unit="absolute", operator="mustBe", value=0,
    )  # fmt: skip

    result = result_of(
        one_column("BIGINT", MOST, MOST, "NULL"), judged, references={BANK: one_column("BIGINT", *there)}
    )

    assert (result.value, result.outcome) == (value, Outcome.PASSED if value == "0" else Outcome.FAILED)
