"""What: the promise of a product or a domain, columns, rules, a few rows, how the contract changed."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.contracts.model import Column, Contract
from mesh_assets.capabilities.observability.rules import expectations_of, rule_rows
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.looks import RULES, clock
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.capabilities.portal.reading import Sample
from mesh_assets.capabilities.portal.view import View

#: Versions whose contracts are compared for the list of changes.
VERSIONS = 200


def product(view: View) -> dict[str, Any]:
    contract, version = view.contract, view.version
    facts: dict[str, Any] = {
        "product": str(view.name),
        "version": version.number if version else None,
        "contract": _promise(contract) if contract else None,
        "columns": [_column(column, contract) for column in contract.columns] if contract else [],
        "rules": _rules(view),
        "service_levels": [
            {
                "name": each.name,
                "description": each.description,
                "watched": bool(each.within or each.deadline),
            }
            for each in (contract.service_levels if contract else ())
        ],
        "expectations": _expectations(view),
        "contract_versions": contract_versions(view),
    }
    return {
        "facts": facts,
        "contract": contract,
        "sample": sample(view),
        "rule_looks": RULES,
        "check": {row["rule"]: view.dagster.check(view.name, row["rule"]) for row in facts["rules"]},
    }


def sample(view: View) -> Sample:
    """Rows with what is personal masked: what was so then, and what is so now."""
    if view.version is None:
        return Sample(problem="Nothing was published yet.")
    contract = view.contract
    if contract is None:
        return Sample(problem="Its contract cannot be read, so nobody knows what is personal.")
    now = view.asset.contract if view.asset else None
    return view.setting.reading.sample(
        view.version, contract.personal | (now.personal if now else frozenset())
    )


def _promise(contract: Contract) -> dict[str, Any]:
    return {
        "version": contract.version,
        "status": contract.status,
        "standard": f"ODCS {contract.api_version}",
        "title": contract.title,
        "description": contract.description,
        "purpose": contract.purpose,
        "limitations": contract.limitations,
        "usage": contract.usage,
        "owners": [{"name": each.name, "role": each.role} for each in contract.owners],
        "tags": list(contract.tags),
        "key": list(contract.key),
        "partitions": _partitions(contract),
        "said": list(contract.said),
    }


def _partitions(contract: Contract) -> str:
    cut = contract.partitioning
    if cut is None:
        return ""
    return f"by {cut.every}, on {cut.column}" + (f", from {cut.first}" if cut.every != "file" else "")


def _column(column: Column, contract: Contract) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.physical_type,
        "logical_type": column.logical_type,
        "description": column.description,
        "required": column.required or bool(column.key_position),
        "unique": column.unique or contract.key == (column.name,),
        "key": column.key_position,
        "classification": column.classification,
        "personal": column.name in contract.personal,
        "tags": list(column.tags),
    }


def _rules(view: View) -> list[dict[str, Any]]:
    """As they stand now; of a pinned version as its certificate has them."""
    if view.asset is None or view.address.wanted is not None:
        return _certified(view)
    return rule_rows(view.asset, view.registry.standings(view.name))


def _certified(view: View) -> list[dict[str, Any]]:
    written = {rule.id: rule for rule in (view.contract.rules if view.contract else ())}
    found = []
    for result in view.version.certificate.rule_results if view.version else ():
        rule = written.get(result["id"])
        warned = result["outcome"] == "failed" and result["severity"] == "warning"
        found.append(
            {
                "rule": result["id"],
                "kind": rule.kind if rule else "",
                "columns": list(rule.columns) if rule else [],
                "severity": result["severity"],
                "dimension": result.get("dimension"),
                "expected_by": result.get("expected_by"),
                "description": rule.description if rule else result.get("summary", ""),
                "outcome": "warned" if warned else result["outcome"],
                "failed_rows": result.get("failed_rows"),
                "checked_rows": result.get("checked_rows"),
                "value": result.get("value"),
                "summary": result.get("summary", ""),
            }
        )
    return found


def _expectations(view: View) -> list[dict[str, Any]]:
    if view.asset is None or view.domain is None:
        return []
    return expectations_of(view.domain, view.asset)


def contract_versions(view: View) -> list[dict[str, Any]]:
    """Each version of the contract that something was published under, newest first."""
    found: dict[str, dict[str, Any]] = {}
    for version in view.registry.versions(view.name, limit=VERSIONS):
        row = found.setdefault(
            version.contract_version,
            {"contract": version.contract_version, "first": version, "last": version},
        )
        row["first"] = version
    return [
        {
            "contract": row["contract"],
            "first": row["first"].number,
            "last": row["last"].number,
            "since": row["first"].published,
            "path": of_product(view.name, "what", row["last"].number).path,
        }
        for row in found.values()
    ]


def domain(view: View) -> dict[str, Any]:
    described = view.domain.domain if view.domain else None
    facts = {
        "domain": view.address.domain,
        "release": view.address.wanted,
        "title": described.title if described else view.address.domain,
        "version": described.version if described else "",
        "status": described.status if described else "",
        "purpose": described.purpose if described else "",
        "limitations": described.limitations if described else "",
        "usage": described.usage if described else "",
        "owners": [{"name": each.name, "role": each.role} for each in described.owners] if described else [],
        "support": [dict(each) for each in described.support] if described else [],
        "tags": list(described.tags) if described else [],
        "reads": [str(name) for name in described.input_ports] if described else [],
        "products": products(view),
    }
    return {"facts": facts}


def products(view: View) -> list[dict[str, Any]]:
    """A row per product of the domain."""
    found = []
    for name in view.catalog.products_of(view.address.domain):
        asset, version, look = (
            view.catalog.asset(name),
            view.released.get(name),
            look_of(view.catalog.facts[name]),
        )
        contract = asset.contract if asset else None
        found.append(
            {
                "product": str(name),
                "name": name.product,
                "path": of_product(
                    name, wanted=version.number if version and view.address.wanted else None
                ).path,
                "title": contract.title if contract else name.product,
                "description": (contract.description or contract.purpose) if contract else "",
                "state": look.word,
                "tone": look.tone,
                "symbol": look.symbol,
                "version": version.number if version else None,
                "rows": version.rows if version else None,
                "published": version.published if version else None,
                "columns": len(contract.columns) if contract else None,
                "rules": view.catalog.facts[name].rules,
                "told": clock(version.published) if version else "never",
            }
        )
    return found
