"""How every product stands now."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.registry import Registry


def product_rows(mesh: Mesh, registry: Registry) -> list[dict[str, Any]]:
    """One row per product: product, version, rows, published, rules, last_build; plain values, None where
    unknown.
    """
    heads, builds, controls = registry.heads(), registry.last_builds(), registry.controls()
    rows = []
    for asset in sorted(mesh.products, key=lambda asset: asset.name):
        number = heads.get(asset.name)
        version = registry.version(asset.name, number) if number else None
        last = builds.get(asset.name)
        rows.append(
            {
                "product": str(asset.name),
                "version": number,
                "rows": version.rows if version else None,
                "quarantined": version.certificate.quarantine.get("rows") if version else None,
                "published": f"{version.published:%Y-%m-%d %H:%M}" if version else None,
                "rules": len(asset.rules),
                "last_build": str(last.outcome) if last else None,
                "paused": controls.why_not(asset.name, asset.needs),
            }
        )
    return rows


def quarantine_rows(mesh: Mesh, registry: Registry) -> list[dict[str, Any]]:
    """One row per product with rows in quarantine: product, version, rows, quarantined, rules, table."""
    found = []
    for asset in sorted(mesh.products, key=lambda asset: asset.name):
        version = registry.head(asset.name)
        held = version.certificate.quarantine if version else {}
        if version and held.get("rows"):
            facts = {"product": str(asset.name), "version": version.number, "rows": version.rows}
            found.append(
                {**facts, "quarantined": held["rows"], "rules": held["rules"], "table": held["table"]}
            )
    return found
