"""Personal values stay out of what an audit says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import draft, one_column, rule

PEOPLE = draft(("1", "'Ann'"), ("2", "'Bob'"), columns="id, name")
CAST = rule(
    "sql",
    id="age_known",
    query="select count(*) from {object} where name::integer > 0",
    operator="mustBe",
    value=0,
)


def test_a_rule_that_stumbles_over_a_personal_value_does_not_quote_it(result_of):
    result = result_of(PEOPLE, CAST, personal=("name",), types={"id": "INTEGER"}.items())

    assert result.outcome is Outcome.ERROR
    assert "'***'" in result.summary
    assert "Ann" not in result.summary and "Bob" not in result.summary


def test_other_values_are_quoted_for_whoever_mends_them(result_of):
    assert "'Ann'" in result_of(PEOPLE, CAST, types={"id": "INTEGER", "name": "VARCHAR"}.items()).summary


def test_a_personal_key_is_masked_in_samples_too(result_of):
    found = result_of(
        PEOPLE,
        rule("max_length", "name", value=2),
        key=("id",),
        personal=("id",),
        types={"id": "INTEGER"}.items(),
    )

    assert [dict(row) for row in found.sample] == [{"id": "***", "name": "Ann"}, {"id": "***", "name": "Bob"}]


BANK = ProductName("bank", "people")
OLDEST = {"aggregate": "max", "unit": "absolute", "operator": "mustBe", "value": 0}
AGES = one_column("BIGINT", "31", "32", "33", "34", "987", name="x")


@pytest.mark.parametrize(
    ("data", "judged", "value"),
    [
        (
            one_column("DATE", "'1987-06-05'", name="x"),
            rule("freshness", "x", operator="mustBeLessThan", value=1, unit="days", clock="build"),
            "1987-06-05",
        ),
        (
            AGES,
            rule("outlier_share", "x", method="iqr", k=1.5, operator="mustBe", value=0, unit="rows"),
            "37",
        ),
        (
            AGES,
            rule(
                "balance", "x", measured=["x"], to_product=str(BANK), to_column="x", by=[], to_by=[], **OLDEST
            ),
            "987",
        ),
        (AGES, rule("change", "x", against="previous", **OLDEST), "987"),
    ],
)
def test_a_measure_of_a_personal_column_tells_nobodys_value(result_of, data, judged, value):
    about = {
        "references": {BANK: "SELECT 40 AS x"},
        "baselines": {"previous": "SELECT 40 AS x"},
        "clock": datetime(2024, 1, 1, tzinfo=UTC),
    }

    open_to_all = result_of(data, judged, **about)
    masked = result_of(data, judged, personal=("x",), **about)

    assert (open_to_all.outcome, masked.outcome) == (Outcome.FAILED, Outcome.FAILED)
    assert value in open_to_all.summary
    assert value not in masked.summary
