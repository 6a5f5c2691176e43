"""Manifests: a small JSON file for each commit, from which the registry can be made again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.places import lake_of, safe_run_id
from mesh_assets.capabilities.lake.stage import sync

if TYPE_CHECKING:
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


def write_manifest(settings: Settings, product: ProductName, run_id: str, content: Mapping[str, Any]) -> Path:
    """Leave a version's certificate beside its files, before its release; all of it or nothing."""
    path = manifest_file(settings, product, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.half")
    half.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")
    sync(half)
    half.replace(path)
    sync(path.parent)
    return path


def manifest_file(settings: Settings, product: ProductName, run_id: str) -> Path:
    return lake_of(settings, product.domain).manifests / product.product / f"{safe_run_id(run_id)}.json"


def manifests(settings: Settings, domain: str) -> Iterator[dict[str, Any]]:
    """What all versions of a domain left, product by product."""
    for path in sorted(lake_of(settings, domain).manifests.glob("*/*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
