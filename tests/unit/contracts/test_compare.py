"""Two versions of a contract: every change, whom it breaks, the version that it asks for."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.contracts.compare import Bump, bump, bumped, compare, enough
from mesh_assets.capabilities.contracts.compared import Effect
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.read import contract_from_text
from mesh_assets.words.names import product_name

TEXT = """apiVersion: v3.1.0
kind: DataContract
id: shop.orders
name: Orders
version: 1.0.0
status: active
domain: shop
dataProduct: shop
description:
  purpose: To count.
  limitations: None.
  usage: Any.
team:
  name: shop
  members:
    - username: shop@example.com
      role: owner
schema:
  - name: orders
    physicalName: orders
    logicalType: object
    physicalType: table
    description: Orders.
    properties:
      - name: order_id
        logicalType: integer
        physicalType: INTEGER
        description: Number.
        required: true
        primaryKey: true
        primaryKeyPosition: 1
      - name: state
        logicalType: string
        physicalType: VARCHAR
        description: Where it stands.
        quality:
          - name: state_known
            type: library
            metric: invalidValues
            mustBe: 0
            arguments:
              validValues: [open, paid]
      - name: amount
        logicalType: integer
        physicalType: INTEGER
        description: Cents.
        logicalTypeOptions:
          maximum: 100
"""


def contract(*edits: tuple[str, str]) -> Contract:
    text = TEXT
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return contract_from_text("contract.yaml", product_name("shop.orders"), text)


CASES = {
    "enum_wider": (("[open, paid]", "[open, paid, lost]"), Effect.BREAKING, Effect.COMPATIBLE),
    "enum_narrower": (("[open, paid]", "[open]"), Effect.COMPATIBLE, Effect.BREAKING),
    "bounds_wider": (("maximum: 100", "maximum: 200"), Effect.BREAKING, Effect.COMPATIBLE),
    "bounds_narrower": (("maximum: 100", "maximum: 50"), Effect.COMPATIBLE, Effect.BREAKING),
    "type_widened": (
        (
            "physicalType: INTEGER\n        description: Cents.",
            "physicalType: BIGINT\n        description: Cents.",
        ),
        Effect.BREAKING,
        Effect.COMPATIBLE,
    ),
    "column_renamed": (("name: amount", "name: cents"), Effect.BREAKING, Effect.BREAKING),
    "required_added": (
        ("description: Cents.", "description: Cents.\n        required: true"),
        Effect.COMPATIBLE,
        Effect.BREAKING,
    ),
    "classification": (
        ("description: Cents.", "description: Cents.\n        classification: confidential"),
        Effect.BREAKING,
        Effect.COMPATIBLE,
    ),
    "words": (("purpose: To count.", "purpose: To add up."), Effect.NONE, Effect.NONE),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_change_has_its_class(kind: str) -> None:
    edit, consumers, producers = CASES[kind]

    found = {change.kind: change for change in compare(contract(), contract(edit))}

    assert (found[kind].consumers, found[kind].producers) == (consumers, producers)


def test_the_same_promise_is_no_change() -> None:
    assert compare(contract(), contract(("version: 1.0.0", "version: 1.0.1"))) == ()


def test_a_breaking_change_asks_for_a_major_version() -> None:
    gone = "      - name: amount\n" + TEXT.split("      - name: amount\n")[1]
    changes = compare(contract(), contract((gone, "")))

    assert {change.kind for change in changes} == {"column_removed"}
    assert bump(changes) is Bump.MAJOR
    assert not enough(Bump.MAJOR, bumped("1.0.0", "1.1.0"))
    assert enough(Bump.MAJOR, bumped("1.0.0", "2.0.0"))
