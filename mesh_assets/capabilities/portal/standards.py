"""The answers for programs: ODCS and ODPS as YAML, OpenLineage and plain facts as JSON.

Here: which document stands behind an address. Not here: JSON-LD (linked_data), HTML (the pages).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any

import yaml

from mesh_assets.capabilities.observability.lineage_out import NAMESPACE, names_of
from mesh_assets.capabilities.observability.openlineage import run_events
from mesh_assets.capabilities.portal.address import QUESTIONS, Address
from mesh_assets.capabilities.registry import events
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.model import Domain
    from mesh_assets.capabilities.portal.catalog import Catalog
    from mesh_assets.capabilities.registry import Registry

#: What ODPS calls what a management port shows.
CONTENT = {
    "what": ("discoverability", "What it promises: products, columns, rules, owners"),
    "where": ("discoverability", "How to read it, and where it lies"),
    "when": ("observability", "Versions, freshness, checks and runs"),
    "with": ("observability", "Exactly what it was made from"),
    "how": ("discoverability", "How it is made, and how to make it again"),
}
#: Builds whose events one document has.
BUILDS = 25


def odps(domain: Domain, base: str) -> str:
    """domain.yaml with a management port for each of the five questions; all else as its owner wrote it."""
    document = dict(domain.raw)
    ours = [
        {
            "name": question,
            "content": CONTENT[question][0],
            "type": "rest",
            "url": base + Address(domain.name, question=question).path,
            "description": CONTENT[question][1],
        }
        for question in QUESTIONS
    ]
    written = [each for each in document.get("managementPorts", ()) if each.get("name") not in QUESTIONS]
    document["managementPorts"] = [*written, *ours]
    return as_yaml(document)


def as_yaml(document: Any) -> str:
    return yaml.safe_dump(plain(document), sort_keys=False, allow_unicode=True, width=110)


def as_json(document: Any) -> str:
    return json.dumps(plain(document), ensure_ascii=False, indent=1) + "\n"


def plain(value: Any) -> Any:
    """As JSON can say it; a moment as ISO text, a length of time in seconds."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str | bool | int | type(None)):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(each) for each in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def lineage_events(
    registry: Registry, catalog: Catalog, products: Iterable[ProductName], run_id: str = ""
) -> list[dict[str, Any]]:
    """OpenLineage events of the last builds, newest first."""
    names = names_of(catalog.mesh, NAMESPACE)
    with registry.reading() as connection:
        logged = events.builds_of(connection, [str(name) for name in products], BUILDS, run_id)
    found = []
    for each in logged:
        version = _version(registry, each.build.product, each.build.version)
        found += list(run_events(each, version, names))[::-1]
    return found


def _version(registry: Registry, product: ProductName, number: int | None) -> Version | None:
    if number is None:
        return None
    try:
        return registry.version(product, number)
    except NoVersion:
        return None
