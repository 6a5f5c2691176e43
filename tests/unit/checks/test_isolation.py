# ruff: noqa: E501  one rule a line reads better than one wrapped over five
"""A rule that cannot run is an error of that rule alone; the others report as they do without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.compile import OTHER_PASSES
from mesh_assets.capabilities.checks.conditions import CONDITIONS
from mesh_assets.capabilities.checks.kinds import MEASURES, ROW_KINDS
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, Place, Rule
from tests.unit.checks.conftest import contract_of, rule

#: Every kind that the code knows, from the code's own tables: a new one without a line below fails here.
KINDS = {*CONDITIONS, *OTHER_PASSES, *MEASURES, *ROW_KINDS, "pandera_check"}

ZIPS = ProductName("geography", "zip_area")
ZERO = {"operator": "mustBe", "value": 0}
#: One row keeps every rule, the second breaks every one, the third says nothing.
ROWS = """(
    SELECT * FROM (VALUES
        (1, 'a', 1.5::DOUBLE, DATE '2024-01-01', [1], {'a': 1, 'b': 1}),
        (1, '',  'nan',       DATE '1999-01-01', [1, 1, 1], {'a': NULL, 'b': NULL}),
        (NULL, NULL, NULL, NULL, NULL, NULL)
    ) AS rows(id, name, size, day, list, object)
)"""
TYPES = {
    "id": "INTEGER",
    "name": "VARCHAR",
    "size": "DOUBLE",
    "day": "DATE",
    "list": "INTEGER[]",
    "object": "STRUCT(a INTEGER, b INTEGER)",
}

#: By kind, a rule that runs on these rows.
GOOD: dict[str, Rule] = {
    "required": rule("required", "name"),
    "min_length": rule("min_length", "name", value=1),
    "max_length": rule("max_length", "name", value=0),
    "pattern": rule("pattern", "name", value="^a$"),
    "minimum": rule("minimum", "size", value=1),
    "maximum": rule("maximum", "day", value="2000-01-01"),
    "exclusive_minimum": rule("exclusive_minimum", "id", value=0.5),
    "exclusive_maximum": rule("exclusive_maximum", "size", value=1.5),
    "multiple_of": rule("multiple_of", "size", value=0.5),
    "format": rule("format", "name", value="email"),
    "number_format": rule("number_format", "size", value="f32"),
    "moment_format": rule("moment_format", "day", value="yyyy-MM-dd"),
    "min_items": rule("min_items", "list", value=2),
    "max_items": rule("max_items", "list", value=2),
    "unique_items": rule("unique_items", "list"),
    "dimensions": rule("dimensions", "list", value=1),
    "min_properties": rule("min_properties", "object", value=1),
    "max_properties": rule("max_properties", "object", value=1),
    "required_properties": rule("required_properties", "object", value=["a"]),
    "null_values": rule("null_values", "name", **ZERO),
    "missing_values": rule("missing_values", "name", missingValues=[None, ""], **ZERO),
    "invalid_values": rule("invalid_values", "name", validValues=["a"], **ZERO),
    "row_count": rule("row_count", operator="mustBe", value=3),
    "row_count_positive": rule("row_count_positive"),
    "physical_types": rule("physical_types", types=TYPES),
    "unique": rule("unique", "id"),
    "primary_key": rule("primary_key", "id", "name"),
    "duplicate_values": rule("duplicate_values", "id", **ZERO),
    "foreign_key": rule("foreign_key", "name", to_product=str(ZIPS), to_columns=["zip5"]),
    "sql": rule("sql", query="SELECT count(*) FROM {object}", operator="mustBe", value=3),
    "freshness": rule("freshness", "day", clock="instant", instant="2024-01-02", unit="days", operator="mustBeLessThan", value=2),
    "outlier_share": rule("outlier_share", "size", method="iqr", k=1.5, unit="rows", **ZERO),
    "change": rule("change", aggregate="count", against="previous", unit="percent", **ZERO),
    "balance": rule("balance", aggregate="count", measured=[], to_product=str(ZIPS), to_column=None, by=[], to_by=[], unit="absolute", operator="mustBe", value=2),
    "distribution": rule("distribution", "name", measure="psi", against="previous", bins="values", operator="mustBeLessThan", value=9),
    "schema_unchanged": rule("schema_unchanged", against="previous", additions="refused", **ZERO),
    "match_rate": rule("match_rate", "name", to_product=str(ZIPS), to_columns=["zip5"], unit="percent", operator="mustBe", value=50),
    "expression": rule("expression", "id", expression="id > 1"),
    "when": rule("when", "id", "name", when="id = 1", then="name <> ''"),
    "check_digit": rule("check_digit", "name", algorithm="luhn"),
    "pandera": rule("pandera", "name", id="named", form="rows"),
    "pandera_check": rule("pandera_check", "name", check="equal_to", arguments={"value": "a"}, batches=True),
}  # fmt: skip


def gone(kind: str) -> Rule:
    """The rule of this kind about a column that the draft does not have, or about nothing that there is."""
    good = GOOD[kind]
    if good.columns:
        return replace(good, id=f"broken_{kind}", columns=("gone", *good.columns[1:]))
    return replace(good, id=f"broken_{kind}", arguments=BROKEN_ARGUMENTS[kind])


#: What breaks the kinds that are about no column.
BROKEN_ARGUMENTS: dict[str, dict[str, Any]] = {
    "row_count": {"operator": "mustBeAlmost", "value": 0},
    "row_count_positive": {"operator": "mustBeAlmost", "value": 0},
    "physical_types": {"types": {"id": 'NO TYPE AT "ALL'}},
    "sql": {"query": "SELEKT", **ZERO},
    "change": {**GOOD["change"].arguments, "where": "nonsense("},
    "balance": {**GOOD["balance"].arguments, "to_product": "no.where"},
    "schema_unchanged": {"against": "previous", "operator": "mustBeAlmost", "value": 0},
}

#: More that can be wrong with a rule than its column: by kind, arguments that make no sense on these rows.
TWISTED = [
    replace(GOOD["pattern"], arguments={"value": "(("}),
    replace(GOOD["pattern"], arguments={"value": "a{1001}"}),
    replace(GOOD["pattern"], columns=("id",)),
    replace(GOOD["min_length"], arguments={"value": "many"}),
    replace(GOOD["minimum"], columns=("name",)),
    replace(GOOD["minimum"], arguments={"value": "0; DROP TABLE draft"}),
    replace(GOOD["minimum"], arguments={}),
    replace(GOOD["multiple_of"], arguments={"value": 0}),
    replace(GOOD["multiple_of"], arguments={"value": float("nan")}),
    replace(GOOD["invalid_values"], arguments={"validValues": [1], **ZERO}),
    replace(GOOD["null_values"], arguments={"operator": "mustBe", "value": "few"}),
    replace(GOOD["unique"], columns=()),
    replace(GOOD["foreign_key"], arguments={"to_product": "no.where", "to_columns": ["zip5"]}),
    replace(GOOD["foreign_key"], arguments={"to_product": "..", "to_columns": ["zip5"]}),
    replace(GOOD["foreign_key"], columns=("id",)),
    replace(GOOD["sql"], arguments={"query": "SELECT 1 / (SELECT 0) || 'x'", **ZERO}),
    replace(GOOD["freshness"], columns=("name",)),
    replace(GOOD["outlier_share"], columns=("name",)),
    replace(GOOD["balance"], arguments={**GOOD["balance"].arguments, "to_where": "gone = 1"}),
    replace(GOOD["match_rate"], columns=("id",)),
    replace(GOOD["expression"], arguments={"expression": "name + 1 > CAST('x' AS INTEGER)"}),
    replace(GOOD["when"], arguments={"when": "gone = 1", "then": "TRUE"}),
    replace(GOOD["check_digit"], columns=("size",)),
    replace(GOOD["pandera"], id="raises"),
    replace(GOOD["pandera"], id="ends_the_process"),
    replace(GOOD["pandera"], id="is_not_there"),
    replace(GOOD["pandera_check"], arguments={"check": "no_such_check", "arguments": {}, "batches": True}),
    replace(GOOD["pandera_check"], arguments={"check": "str_matches", "arguments": {"pattern": "(("}, "batches": True}),
    replace(GOOD["pandera_check"], arguments={"check": "in_range", "arguments": {"odd": 1}, "batches": True}),
    replace(GOOD["required"], kind="no_such_kind"),
]  # fmt: skip

EXPECTATIONS = """
def named(frame):
    return frame["name"] == "a"

def raises(frame):
    raise ValueError("on purpose")

def ends_the_process(frame):
    raise SystemExit(1)
"""


@pytest.fixture
def found(con, tmp_path):
    """Outcome, counts, value and sample by rule id, with the kinds' good rules around a broken one."""
    file = tmp_path / "expectations.py"
    file.write_text(EXPECTATIONS)
    con.execute("CREATE TABLE zips AS SELECT 'a' AS zip5")

    def answers(*rules: Rule) -> dict[str, tuple[Any, ...]]:
        placed = [replace(each, place=Place(str(tmp_path / "contract.yaml"), 1)) for each in rules]
        before = {"references": {ZIPS: "zips"}, "baselines": {"previous": ROWS}}
        verdict = audit(con, ROWS, contract_of(*placed), **before, expectations=file)
        return {
            each.rule.id: (each.outcome, each.failed_rows, each.value, each.summary, each.sample)
            for each in verdict.results
        }

    return answers


def test_every_kind_has_a_good_rule_here():
    assert set(GOOD) == KINDS


def test_every_good_rule_runs(found):
    errors = {name: told[3] for name, told in found(*GOOD.values()).items() if told[0] is Outcome.ERROR}

    assert errors == {}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_rule_about_what_is_not_there_is_its_own_error_and_nobody_elses(found, kind):
    alone = found(*GOOD.values())

    beside = found(*list(GOOD.values())[:20], gone(kind), *list(GOOD.values())[20:])

    outcome, failed, _, told, sample = beside.pop(f"broken_{kind}")
    assert (outcome, failed, sample) == (Outcome.ERROR, None, ()) or kind == "physical_types", told
    assert beside == alone


def test_rules_with_arguments_beyond_sense_are_errors_all_at_once_and_nobody_elses(found):
    alone = found(*GOOD.values())
    twisted = [
        replace(each, id=each.id if each.kind == "pandera" else f"twisted_{at}")
        for at, each in enumerate(TWISTED)
    ]

    beside = found(*twisted, *GOOD.values())

    told = {each.id: beside.pop(each.id) for each in twisted}
    assert {name: each[0] for name, each in told.items() if each[0] is not Outcome.ERROR} == {}
    assert all(each[3].startswith("could not run: ") and "\n" not in each[3] for each in told.values()), told
    assert beside == alone
