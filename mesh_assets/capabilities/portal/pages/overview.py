"""The page that sums a product or a domain up: may it be trusted, and how is it read."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.observability.where import Engine, snippet
from mesh_assets.capabilities.portal.graphs import domain_graph, product_graph
from mesh_assets.capabilities.portal.lineage_query import LineageQuery
from mesh_assets.capabilities.portal.looks import of_domain, of_product, why
from mesh_assets.capabilities.portal.pages import what
from mesh_assets.capabilities.portal.view import View
from mesh_assets.words.errors import MeshError


def product(view: View) -> dict[str, Any]:
    known, version, contract = view.facts, view.version, view.contract
    facts: dict[str, Any] = {
        "product": str(view.name),
        "title": contract.title if contract else str(view.name),
        "description": (contract.description or contract.purpose) if contract else "",
        "purpose": contract.purpose if contract else "",
        "owners": [{"name": each.name, "role": each.role} for each in contract.owners] if contract else [],
        "state": of_product(known).word,
        "good": known.good,
        "why": why(known),
        "version": version.number if version else None,
        "current": known.version,
        "rows": version.rows if version else None,
        "published": version.published if version else None,
        "fingerprint": version.fingerprint if version else None,
        "contract_version": version.certificate.contract_version if version else None,
        "promise": known.promise,
        "looked": known.looked,
        "late_since": known.late_since,
        "rules": {"all": known.rules, "passed": known.passed, "warned": known.warned, "failed": known.broke},
        "last_build": {
            "outcome": str(known.outcome) if known.outcome else None,
            "run": known.run_id,
            "message": known.message,
        },
        "announcements": [each.told() for each in known.announcements],
        "columns": [column.name for column in contract.columns] if contract else [],
        "questions": {
            question: view.base + view.address.ask(question).path
            for question in ("what", "where", "when", "with", "how")
        },
    }
    return {
        "facts": facts,
        "snippet": _snippet(view),
        "picture": product_graph(view.catalog, view.name, view.link, near=True),
        "contract": contract,
    }


def _snippet(view: View) -> str:
    if view.version is None or view.version.expired is not None:
        return ""
    try:
        return snippet(view.setting.reading.whereabouts(view.version), Engine.DUCKDB)
    except MeshError:
        return ""


def domain(view: View) -> dict[str, Any]:
    health = view.catalog.health[view.address.domain]
    described = view.domain.domain if view.domain else None
    facts = {
        "domain": view.address.domain,
        "release": view.address.wanted,
        "title": described.title if described else view.address.domain,
        "purpose": described.purpose if described else "",
        "owners": [{"name": each.name, "role": each.role} for each in described.owners] if described else [],
        "state": of_domain(health).word,
        "good": health.good,
        "broken": health.broken.problem if health.broken else "",
        "paused": health.pause.told() if health.pause else "",
        "counts": {
            "products": health.products,
            "fresh": health.fresh,
            "tested": health.tested,
            "served": health.served,
        },
        "rules": {"all": health.rules, "passed": health.passed, "warned": health.warned},
        "products": what.products(view),
        "questions": {
            question: view.base + view.address.ask(question).path
            for question in ("what", "where", "when", "with", "how")
        },
    }
    alone = LineageQuery(tuple(view.catalog.health), frozenset((view.address.domain,)))
    return {
        "facts": facts,
        "picture": domain_graph(view.catalog, view.link, alone, near=True),
        "further": f"/-/lineage{alone.text}",
    }
