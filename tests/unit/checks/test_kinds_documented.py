# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""The examples of docs/kinds.md are read from there, run on data that keeps them and on data that does not."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.capabilities.contracts.kinds import KINDS
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome

PAGE = Path(__file__).parents[3] / "docs" / "kinds.md"
EXAMPLES = {
    yaml.safe_load(text)["implementation"]["kind"]: text
    for text in re.findall(r"```yaml\n(name:.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
}
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: prescriptions.rx_fill
version: 1.0.0
status: active
schema:
  - name: rx_fill
    properties:
      - {name: fill_id, logicalType: integer, primaryKey: true}
      - {name: npi, logicalType: string}
      - {name: brand_id, logicalType: string}
      - {name: week_start, logicalType: date}
      - {name: fill_date, logicalType: date}
      - {name: is_reversed, logicalType: boolean}
      - {name: reversed_week, logicalType: date}
      - {name: paid_amount, logicalType: number}
      - {name: copay_amount, logicalType: number}
    quality:
RULE
customProperties:
  - {property: partitions, value: {column: week_start, every: week, first: 2023-01-02}}
"""
#: 100 fills of one week, on each of its seven days.
FILLS = (
    "SELECT i AS fill_id, '2000028771' AS npi, CASE WHEN i % 2 = 0 THEN 'eliquis' ELSE 'xarelto' END AS brand_id, "
    "DATE '2024-01-01' AS week_start, DATE '2024-01-01' + (i % 7)::INTEGER AS fill_date, FALSE AS is_reversed, "
    "NULL::DATE AS reversed_week, 10.0 + i AS paid_amount, 5.0 AS copay_amount FROM range({rows}) AS t(i)"
)
GOOD = FILLS.format(rows=100)
#: kind: (column, what it is in the bad data)
PLANTED = {
    "expression": ("copay_amount", "CASE WHEN fill_id < 3 THEN 1000.0 ELSE copay_amount END"),
    "when": ("is_reversed", "fill_id < 3"),
    "check_digit": ("npi", "CASE WHEN fill_id < 3 THEN '2000028772' ELSE npi END"),
    "freshness": ("fill_date", "DATE '2024-01-02'"),
    "outlier_share": ("paid_amount", "CASE WHEN fill_id < 3 THEN 100000.0 ELSE paid_amount END"),
    "distribution": ("brand_id", "'eliquis'"),
    "balance": ("is_reversed", "fill_id < 3"),
    "match_rate": ("npi", "CASE WHEN fill_id < 3 THEN 'nobody' ELSE npi END"),
}
REFERENCES = {
    ProductName("prescriptions", "rx_daily"): "SELECT DATE '2024-01-01' AS week, 1 AS fills FROM range(100)",
    ProductName("hcp", "hcp_master"): "SELECT '2000028771' AS npi",
}


def _bad(kind: str) -> str:
    if kind == "change":
        return FILLS.format(rows=79)
    if kind == "schema_unchanged":
        return f"SELECT * EXCLUDE (copay_amount) FROM ({GOOD})"
    column, planted = PLANTED[kind]
    return f"SELECT * REPLACE ({planted} AS {column}) FROM ({GOOD})"


@pytest.fixture
def outcome_of(tmp_path, con):
    def outcomes(kind: str, relation: str):
        path = tmp_path / "prescriptions" / "rx_fill" / "contract.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        rule = textwrap.indent(EXAMPLES[kind], "        ").replace("        name", "      - name", 1)
        path.write_text(CONTRACT.replace("RULE\n", rule), encoding="utf-8")
        verdict = audit(
            con, relation, read_contract(path), references=REFERENCES, baselines={"previous": GOOD}
        )
        return [result for result in verdict.results if result.rule.kind == kind]

    return outcomes


def test_every_kind_has_an_example():
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_passes_on_data_that_keeps_it(outcome_of, kind):
    assert [each.outcome for each in outcome_of(kind, GOOD)] == [Outcome.PASSED] * (
        1 + ("warn:" in EXAMPLES[kind])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_fails_on_data_that_does_not(outcome_of, kind):
    results = outcome_of(kind, _bad(kind))

    assert [each.outcome for each in results] == [Outcome.FAILED] * len(results)
    if kind in ("expression", "when", "check_digit", "match_rate", "outlier_share"):
        assert {each.failed_rows for each in results} == {3}
