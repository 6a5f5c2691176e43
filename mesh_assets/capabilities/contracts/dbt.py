"""dbt properties made from contracts, so that dbt's documentation and tests say what the contracts say.

Here: the text of `models/<domain>/_<domain>.yml` and of the file of foreign products.
Not here: running dbt (publishing), the models themselves.

dbt's own model contracts stay off: the mesh holds every draft to the contract's columns and rules anyway, and
dbt would say it a second time in other words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from mesh_assets.capabilities.contracts.model import Column, Contract, Domain
from mesh_assets.capabilities.contracts.types import dbt_type
from mesh_assets.words.rules import Rule

#: First lines of every generated file.
HEADER = (
    "# Generated from the contracts by `mesh dbt-properties`; do not edit. Make it again with that command.\n"
)


def dbt_properties(domain: Domain, contracts: Sequence[Contract], foreign: Sequence[Contract] = ()) -> str:
    """The properties of one domain's models and of its source drops; the same contracts give the same text.

    `contracts` are the domain's own products that dbt makes; `foreign` adds products of other domains.
    In a project of several domains `dbt_sources` names those instead, each once, because dbt refuses the same
    source table in two files.
    """
    document: dict[str, Any] = {"version": 2}
    sources = [*_drops(domain), *_products(foreign)]
    if sources:
        document["sources"] = sources
    document["models"] = [_model(contract) for contract in _sorted(contracts)]
    return HEADER + _dumped(document)


def dbt_sources(foreign: Iterable[Contract]) -> str:
    """Products that models read from other domains, each once: source `<domain>`, schema `mesh_<domain>`."""
    return HEADER + _dumped({"version": 2, "sources": _products(foreign)})


def _model(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.product.product,
        "description": _about(contract),
        "config": {"meta": {"contract": str(contract.product), "contract_version": contract.version}},
        "columns": [_column(column, _tests(contract, column)) for column in contract.columns],
    }


def _column(column: Column, tests: list[Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": column.name}
    if column.description:
        facts["description"] = column.description.strip()
    facts["data_type"] = dbt_type(column.physical_type)
    if tests:
        facts["data_tests"] = tests
    return facts


def _tests(contract: Contract, column: Column) -> list[Any]:
    """The rules of one column that dbt's generic tests say exactly: no more, no less."""
    tests: list[Any] = []
    if column.required or column.key_position:
        tests.append("not_null")
    if column.unique or contract.key == (column.name,):
        tests.append("unique")
    for rule in contract.rules:
        if rule.columns == (column.name,):
            tests += _accepted(rule)
    return tests


def _accepted(rule: Rule) -> list[Any]:
    facts = rule.arguments
    none = facts.get("operator") == "mustBe" and facts.get("value") == 0
    if rule.kind != "invalid_values" or not none or "validValues" not in facts:
        return []
    return [
        {
            "accepted_values": {
                "arguments": {
                    "values": list(facts["validValues"]),
                    "quote": all(isinstance(value, str) for value in facts["validValues"]),
                },
                "config": {"severity": "error" if rule.blocking else "warn"},
            }
        }
    ]


def _drops(domain: Domain) -> list[dict[str, Any]]:
    if not domain.sources:
        return []
    name = f"{domain.name}_sources"
    tables = [
        {"name": source.name, **({"description": source.description.strip()} if source.description else {})}
        for source in sorted(domain.sources, key=lambda source: source.name)
    ]
    return [
        {
            "name": name,
            "schema": name,
            "description": f"What the domain {domain.name} receives from operational systems",
            "tables": tables,
        }
    ]


def _products(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    by_domain: dict[str, list[Contract]] = {}
    for contract in _sorted(contracts):
        by_domain.setdefault(contract.product.domain, []).append(contract)
    return [
        {
            "name": domain,
            "schema": f"mesh_{domain}",
            "description": f"Products of the domain {domain}, each at the version that the run has pinned",
            "tables": [
                {
                    "name": contract.product.product,
                    "description": _about(contract),
                    "columns": [_column(column, []) for column in contract.columns],
                }
                for contract in products
            ],
        }
        for domain, products in by_domain.items()
    ]


def _sorted(contracts: Iterable[Contract]) -> list[Contract]:
    return sorted(
        {contract.product: contract for contract in contracts}.values(), key=lambda one: one.product
    )


def _about(contract: Contract) -> str:
    return (contract.description or contract.purpose or contract.title).strip()


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as dbt projects are written, and never writes aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(document: dict[str, Any]) -> str:
    # PyYAML's writer quotes what YAML 1.1 reads as something else (no, 012).
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )
    return text
