"""Manifests: a small JSON file for each commit, from which the registry can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.places import lake_of, safe_run_id
from mesh_assets.capabilities.lake.stores import store_at

if TYPE_CHECKING:
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


def write_manifest(settings: Settings, product: ProductName, run_id: str, content: Mapping[str, Any]) -> str:
    """Leave a version's certificate beside its files, before its release; all of it or nothing."""
    path = manifest_file(settings, product, run_id)
    store_at(path).write(path, json.dumps(content, indent=1, default=str).encode())
    return path


def manifest_file(settings: Settings, product: ProductName, run_id: str) -> str:
    return f"{lake_of(settings, product.domain).manifests}/{product.product}/{safe_run_id(run_id)}.json"


def manifest_files(settings: Settings, domain: str) -> Iterator[tuple[str, bytes]]:
    """What all versions of a domain left, product by product, as it is there."""
    folder = lake_of(settings, domain).manifests
    store = store_at(folder)
    for each in sorted(store.below(folder), key=lambda file: file.path):
        content = store.read(each.path) if each.path.endswith(".json") else None
        if content is not None:
            yield each.path, content


def manifests(settings: Settings, domain: str) -> Iterator[dict[str, Any]]:
    """What all versions of a domain left, product by product."""
    for _, content in manifest_files(settings, domain):
        yield json.loads(content)


def after_all(settings: Settings, domain: str) -> int:
    """The number after every snapshot that a version of the domain was committed as; 0 if there was none."""
    highest = -1
    for _, content in manifest_files(settings, domain):
        with suppress(ValueError, TypeError, AttributeError):  # `mesh lake check` tells of a damaged one
            highest = max(highest, int(json.loads(content).get("snapshot", -1)))
    return highest + 1
