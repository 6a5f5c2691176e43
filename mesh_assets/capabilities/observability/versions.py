"""What versions a product has: how each came to be, what it is called, who keeps it."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version


def version_rows(registry: Registry, product: ProductName, limit: int | None) -> list[dict[str, Any]]:
    """One row per version, newest first: version, head, published, expired, rows, rules, who, run, tags,
    pins, rolled_back_to; plain values.
    """
    head = registry.heads().get(product)
    named: dict[int, list[str]] = {}
    for tag in registry.tags(product):
        named.setdefault(tag.number, []).append(tag.name)
    kept: dict[int, list[str]] = {}
    for pin in registry.pins():
        if pin.product == product:
            kept.setdefault(pin.number, []).append(pin.holder)
    return [
        {
            "version": version.number,
            "head": version.number == head,
            "published": version.published,
            "expired": version.expired,
            "rows": version.rows,
            "contract": version.contract_version,
            "rules": _rules(version),
            "who": version.certificate.who,
            "run": version.run_id,
            "fingerprint": version.fingerprint,
            "tags": named.get(version.number, []),
            "pins": kept.get(version.number, []),
            "rolled_back_to": version.certificate.rolled_back.get("to"),
        }
        for version in registry.versions(product, limit=limit)
    ]


def pin_rows(registry: Registry, product: ProductName | None = None) -> list[dict[str, Any]]:
    """One row per pin that holds: holder, product, version, pinned, expires; plain values."""
    return [
        {
            "holder": pin.holder,
            "product": str(pin.product),
            "version": pin.number,
            "pinned": pin.pinned,
            "expires": pin.expires,
        }
        for pin in registry.pins()
        if product in (None, pin.product)
    ]


def _rules(version: Version) -> dict[str, int]:
    """How many rules the version kept, and how many warned."""
    outcomes = [result["outcome"] for result in version.certificate.rule_results]
    passed = sum(outcome == "passed" for outcome in outcomes)
    return {"passed": passed, "warned": len(outcomes) - passed}
