"""A small mesh folder on disk, and one rich contract to change a line of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts import Contract, Domain, read_contract, read_domain

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.orders
name: Orders
version: 1.2.0
status: active
domain: shop
dataProduct: shop
description:
  purpose: What was ordered.
  limitations: No returns.
  usage: Join on customer_id.
tags: [sales]
team:
  name: shop team
  members:
    - {username: owner@example.com, role: Owner}
    - {username: steward@example.com, role: steward}
    - {username: former@example.com, role: owner, dateOut: "2020-01-01"}
schema:
  - name: orders
    physicalName: orders
    logicalType: object
    physicalType: table
    description: One row per order line.
    tags: [lines]
    properties:
      - name: order_id
        logicalType: integer
        physicalType: bigint
        description: The order
        primaryKey: true
        primaryKeyPosition: 2
        required: true
      - name: week_start
        logicalType: date
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions: {minimum: 2023-01-02}
      - name: sku
        logicalType: string
        physicalType: VARCHAR
        unique: true
        classification: public
        tags: [code]
        logicalTypeOptions: {minLength: 3, maxLength: 12, pattern: '^[A-Z]+[0-9]+$'}
      - name: status
        logicalType: string
        quality:
          - name: Known status
            type: library
            metric: invalidValues
            arguments: {validValues: [open, shipped]}
            mustBe: 0
      - name: amount
        logicalType: number
        physicalType: numeric(12, 2)
        logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100000, multipleOf: 0.01}
      - name: zip5
        logicalType: string
        relationships:
          - {type: foreignKey, to: geography.zip_area.zip5}
        quality:
          - name: zip_mostly_known
            type: library
            metric: nullValues
            mustBeLessThan: 5
            unit: percent
            severity: warning
            dimension: coverage
            description: Few orders lack a ZIP
    quality:
      - name: amount_is_sane
        type: sql
        query: SELECT avg(amount) FROM {object}
        mustBeBetween: [1, 5000]
      - type: text
        description: Prices are those of the day.
slaProperties:
  - {property: frequency, value: 1, unit: w}
customProperties:
  - {property: partitions, value: {column: week_start, every: week, first: 2023-01-02, until: 2024-12-30}}
  - {property: automation, value: manual}
  - {property: costCenter, value: 42}
"""

DOMAIN = """\
apiVersion: v1.1.0
kind: DataProduct
id: shop
name: The shop
version: 2.0.0
status: active
domain: shop
description: {purpose: Sells., limitations: Not abroad., usage: Read orders.}
tags: [sales]
team:
  name: shop team
  members:
    - {username: owner@example.com, role: owner}
support:
  - {channel: shop, url: "mailto:shop@example.com"}
inputPorts:
  - {name: zip_area, version: 1.0.0, contractId: geography.zip_area}
outputPorts:
  - {name: orders, version: 1.0.0, contractId: shop.orders}
customProperties:
  - property: sources
    value:
      - name: till
        path: shop/till/{week}.csv
        encoding: windows-1252
        late: 2
        description: What the till wrote
        columns: [order_id, sku]
      - name: skus
        path: shop/skus.parquet
"""

Reader = Callable[[str], Contract]


@pytest.fixture
def contract_of(tmp_path: Path) -> Reader:
    """Reads a text as the contract of the product shop.orders."""
    folder = tmp_path / "shop" / "orders"
    folder.mkdir(parents=True)

    def read(text: str) -> Contract:
        (folder / "contract.yaml").write_text(text, encoding="utf-8")
        return read_contract(folder / "contract.yaml")

    return read


@pytest.fixture
def domain_of(tmp_path: Path) -> Callable[[str], Domain]:
    """Reads a text as the description of the domain shop."""
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)

    def read(text: str) -> Domain:
        (folder / "domain.yaml").write_text(text, encoding="utf-8")
        return read_domain(folder)

    return read


@pytest.fixture
def contract_text() -> str:
    return CONTRACT


@pytest.fixture
def domain_text() -> str:
    return DOMAIN


def _changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"{old!r} is not in the example"
    return text.replace(old, new, 1)


@pytest.fixture
def changed() -> Callable[[str, str, str], str]:
    """The text with its first `old` replaced; the example must hold it."""
    return _changed
