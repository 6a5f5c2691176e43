"""With: what exactly a version was made from, back to files from outside, and by which software."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.graphs import domain_graph, product_graph
from mesh_assets.capabilities.portal.lineage_query import LineageQuery
from mesh_assets.capabilities.portal.made_graph import made_graph
from mesh_assets.capabilities.portal.view import View
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version

#: Versions of the way back that are followed, and files of sources that are shown.
MOST, FILES = 300, 60


def product(view: View) -> dict[str, Any]:
    version = view.version
    way, cut = _way_back(view, version) if version else ([], False)
    facts = {
        "product": str(view.name),
        "version": version.number if version else None,
        "fingerprint": version.fingerprint if version else None,
        "inputs": [_input(view, each.product, each.number, each.fingerprint) for each in _inputs(version)],
        "way_back": [_back(view, each) for each in way],
        "sources": _sources([*([version] if version else []), *way]),
        "packages": dict(version.certificate.packages) if version else {},
        "set_aside": dict(version.certificate.set_aside) if version else {},
        "cut": cut,
    }
    if version is None:
        picture = product_graph(view.catalog, view.name, view.link)
    else:
        now = view.address.wanted is None
        picture = made_graph(view.catalog, version, way, view.link, users=now)
    users = sorted(view.catalog.users.get(view.name, ()))
    return {
        "facts": facts,
        "picture": picture,
        "users": [(name, of_product(name).path) for name in users if view.catalog.knows(name)],
        "files": FILES,
    }


def _inputs(version: Version | None) -> Any:
    return version.certificate.inputs if version else ()


def _input(view: View, name: ProductName, number: int, fingerprint: str) -> dict[str, Any]:
    head = view.catalog.heads.get(name)
    return {
        "product": str(name),
        "version": number,
        "fingerprint": fingerprint,
        "path": of_product(name, "with", number).path if view.catalog.knows(name) else None,
        "current": head.number if head else None,
        "changed": head is not None and head.fingerprint != fingerprint,
    }


def _way_back(view: View, version: Version) -> tuple[list[Version], bool]:
    """Every version that this one was made from, directly or not, nearest first."""
    found: dict[tuple[ProductName, int], Version] = {}
    waiting = [(each.product, each.number) for each in version.certificate.inputs]
    while waiting and len(found) < MOST:
        name, number = waiting.pop(0)
        if (name, number) in found:
            continue
        head = view.catalog.heads.get(name)
        try:
            each = head if head and head.number == number else view.registry.version(name, number)
        except NoVersion:
            continue
        found[(name, number)] = each
        waiting += [(one.product, one.number) for one in each.certificate.inputs]
    return list(found.values()), bool(waiting)


def _back(view: View, version: Version) -> dict[str, Any]:
    name = version.product
    return {
        "product": str(name),
        "version": version.number,
        "fingerprint": version.fingerprint,
        "rows": version.rows,
        "published": version.published,
        "path": of_product(name, "with", version.number).path if view.catalog.knows(name) else None,
        "inputs": [f"{each.product}@{each.number}" for each in version.certificate.inputs],
        "sources": len(version.certificate.sources),
    }


def _sources(versions: list[Version]) -> list[dict[str, Any]]:
    """Files from outside, each once, with what read them."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for version in versions:
        for each in version.certificate.sources:
            key = (f"{version.product.domain}.{each.name}", each.path, each.sha256)
            row = found.setdefault(
                key,
                {
                    "source": key[0],
                    "file": each.path,
                    "bytes": each.bytes,
                    "sha256": each.sha256,
                    "read_by": [],
                },
            )
            row["read_by"].append(f"{version.product}@{version.number}")
    return list(found.values())


def domain(view: View) -> dict[str, Any]:
    described = view.domain.domain if view.domain else None
    foreign: dict[ProductName, set[int]] = {}
    for version in view.released.values():
        for each in version.certificate.inputs:
            if each.product.domain != view.address.domain:
                foreign.setdefault(each.product, set()).add(each.number)
    facts = {
        "domain": view.address.domain,
        "inputs": [
            {
                "product": str(name),
                "versions": sorted(numbers),
                "current": view.catalog.facts[name].version if name in view.catalog.facts else None,
                "path": of_product(name, "with").path,
            }
            for name, numbers in sorted(foreign.items())
        ],
        "sources": [
            {
                "source": each.name,
                "format": each.format,
                "path": each.path,
                "description": each.description,
                "columns": list(each.columns),
            }
            for each in (described.sources if described else ())
        ],
    }
    alone = LineageQuery(tuple(view.catalog.health), frozenset((view.address.domain,)))
    return {
        "facts": facts,
        "picture": domain_graph(view.catalog, view.link, alone, near=True),
        "further": f"/-/lineage{alone.text}",
    }
