"""Where `onFailure` and `quarantineLimit` may stand, and what they mean there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.quarantine import about_rows, sets_aside
from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.rules import Rule

ON = {"property": "onFailure", "value": "quarantine"}
OFF = {"property": "onFailure", "value": "refuse"}
POSITIVE = {"name": "positive", "type": "library", "metric": "invalidValues", "mustBe": 0}
POSITIVE |= {"arguments": {"pattern": "^[0-9]+$"}}
FEW = {"name": "few_unknown", "type": "library", "metric": "nullValues", "mustBeLessThan": 5}
SUM = {"name": "sum_is_right", "type": "sql", "query": "select 1 from {object}", "mustBe": 1}


def read(
    tmp_path: Path,
    *,
    quality: list[dict[str, Any]] | None = None,
    custom: list[dict[str, Any]] | None = None,
    of_table: list[dict[str, Any]] | None = None,
    column: str = "amount",
) -> Contract:
    document: dict[str, Any] = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "shop.orders",
        "name": "Orders",
        "version": "1.0.0",
        "status": "active",
        "schema": [
            {
                "name": "orders",
                "properties": [
                    {
                        "name": "order_id",
                        "logicalType": "integer",
                        "physicalType": "BIGINT",
                        "primaryKey": True,
                        "primaryKeyPosition": 1,
                    },
                    {
                        "name": column,
                        "logicalType": "string",
                        "physicalType": "VARCHAR",
                        "quality": quality or [],
                    },
                ],
            }
        ],
    }
    if custom:
        document["customProperties"] = custom
    if of_table:
        document["schema"][0]["customProperties"] = of_table
    folder = tmp_path / "shop" / "orders"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return read_contract(folder / "contract.yaml")


def chosen(contract: Contract) -> set[str]:
    return {rule.id for rule in contract.rules if sets_aside(contract, rule)}


def test_without_a_word_nothing_is_set_aside(tmp_path: Path) -> None:
    contract = read(tmp_path, quality=[POSITIVE])

    assert contract.quarantine is None
    assert chosen(contract) == set()


def test_the_contract_sets_aside_for_every_rule_about_rows(tmp_path: Path) -> None:
    contract = read(tmp_path, quality=[POSITIVE, FEW], custom=[ON])

    assert chosen(contract) == {"primary_key", "positive"}
    assert contract.quarantine is not None
    assert contract.quarantine.limit == Decimal(5)
    assert contract.quarantine.expectations


def test_the_nearest_word_counts(tmp_path: Path) -> None:
    rule = {**POSITIVE, "customProperties": [OFF]}

    assert chosen(read(tmp_path, quality=[rule], custom=[ON])) == {"primary_key"}
    assert chosen(read(tmp_path, quality=[POSITIVE], custom=[ON], of_table=[OFF])) == set()
    assert chosen(read(tmp_path, quality=[POSITIVE], of_table=[ON])) == {"primary_key", "positive"}


def test_one_rule_alone_may_set_aside(tmp_path: Path) -> None:
    contract = read(tmp_path, quality=[{**POSITIVE, "customProperties": [ON]}])

    assert chosen(contract) == {"positive"}
    assert contract.quarantine is not None
    assert not contract.quarantine.expectations


@pytest.mark.parametrize("limit", [0, 2.5, 100])
def test_the_limit_is_a_percent(tmp_path: Path, limit: float) -> None:
    contract = read(tmp_path, custom=[ON, {"property": "quarantineLimit", "value": limit}])

    assert contract.quarantine is not None
    assert contract.quarantine.limit == Decimal(str(limit))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({**SUM, "customProperties": [ON]}, "sum_is_right is about the whole table"),
        ({**FEW, "customProperties": [ON]}, "few_unknown is about the whole table"),
        ({**POSITIVE, "severity": "warning", "customProperties": [ON]}, "positive is a warning"),
    ],
)
def test_a_rule_that_names_no_row_to_set_aside_is_refused(
    tmp_path: Path, rule: dict[str, Any], told: str
) -> None:
    with pytest.raises(RuleRefused, match=rf"contract\.yaml:\d+:\d+: {told}"):
        read(tmp_path, quality=[rule])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"custom": [{"property": "onFailure", "value": "quarantene"}]}, "quarantene"),
        ({"custom": [{"property": "onFailur", "value": "quarantine"}]}, "Did you mean onFailure"),
        ({"custom": [ON, {"property": "quarantineLimit", "value": 101}]}, "a percent from 0 to 100"),
        ({"custom": [ON, {"property": "quarantineLimit", "value": True}]}, "a percent from 0 to 100"),
        ({"custom": [{"property": "quarantineLimit", "value": 5}]}, "nothing is set aside"),
        (
            {"quality": [{**POSITIVE, "customProperties": [{"property": "quarantineLimit", "value": 5}]}]},
            "one limit for the contract or its table",
        ),
        ({"custom": [ON], "column": "mesh_rules"}, "the quarantine has a column 'mesh_rules'"),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, more: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentMalformed, match=told):
        read(tmp_path, **more)


@pytest.mark.parametrize(
    ("operator", "value", "unit", "expected"),
    [
        ("mustBe", 0, "rows", True),
        ("mustBe", 1, "rows", False),
        ("mustBeLessOrEqualTo", 0, "percent", True),
        ("mustBeLessThan", 1, "rows", True),
        ("mustBeLessThan", 1, "percent", False),
        ("mustBeLessThan", 2, "rows", False),
        ("mustBeBetween", [0, 0], "rows", True),
        ("mustBeBetween", [0, 3], "rows", False),
        ("mustNotBe", 1, "rows", False),
        ("mustBeGreaterThan", 0, "rows", False),
    ],
)
def test_a_threshold_names_rows_only_if_it_allows_none(
    operator: str, value: Any, unit: str, expected: bool
) -> None:
    arguments = {"operator": operator, "value": value, "unit": unit}

    assert about_rows(Rule("r", "null_values", ("x",), "", arguments=arguments)) is expected


def test_what_a_consumer_expects_sets_no_row_aside(tmp_path: Path) -> None:
    contract = read(tmp_path, custom=[ON])
    theirs = Rule("books__positive", "pandera", ("amount",), "", expected_by="books")

    assert not sets_aside(contract, theirs)


def test_personal_is_a_column_that_holds_something_personal(tmp_path: Path) -> None:
    contract = read(tmp_path)
    folder = tmp_path / "shop" / "orders"
    document = contract.raw
    document["schema"][0]["properties"][1] = {
        "name": "buyer",
        "logicalType": "object",
        "physicalType": "STRUCT(name VARCHAR)",
        "properties": [
            {
                "name": "name",
                "logicalType": "string",
                "physicalType": "VARCHAR",
                "classification": "Personal",
            }
        ],
    }
    (folder / "contract.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    assert read_contract(folder / "contract.yaml").personal == {"buyer"}
