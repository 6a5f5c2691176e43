"""Personal values stay out of what an audit says."""

from __future__ import annotations

from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import draft, rule

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
