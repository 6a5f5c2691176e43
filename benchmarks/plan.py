"""What the bare peer is to do, written down before the clock starts: reading contracts is not its work."""

from __future__ import annotations

from dataclasses import asdict
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, Mesh, RecipeKind
from mesh_assets.capabilities.lineage.order import in_order, needs_of
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.sources import expected_paths
from mesh_assets.words.settings import Settings


def bare_plan(settings: Settings) -> dict[str, Any]:
    """Steps in order: one per asset, except that the dbt models of a domain are one step."""
    mesh = read_mesh(settings)
    steps: list[dict[str, Any]] = []
    for domain in _domains_in_order(mesh):
        described = mesh.domains[domain]
        stored = [asset.name for asset in described.assets if asset.in_lake]
        assets = [mesh.assets[name] for name in in_order(mesh, stored)]
        models = [asset for asset in assets if asset.recipe.kind is RecipeKind.DBT]
        steps += [_step(settings, described, a) for a in assets if a.recipe.kind is not RecipeKind.DBT]
        if models:
            steps.append(_dbt_step(settings, mesh, described, models))
    return {"dbt_project": str(settings.dbt_project), "steps": steps}


def _domains_in_order(mesh: Mesh) -> list[str]:
    graph = {
        domain: {need.domain for asset in described.assets for need in needs_of(mesh, asset.name)} - {domain}
        for domain, described in mesh.domains.items()
    }
    return list(TopologicalSorter(graph).static_order())


def _step(settings: Settings, domain: DomainAssets, asset: Asset) -> dict[str, Any]:
    weeks = all_partitions(asset.partitioning) if asset.partitioning else ()
    return {
        "kind": str(asset.recipe.kind),
        "name": str(asset.name),
        "path": str(asset.recipe.path),
        "command": list(asset.recipe.command),
        "inputs": [str(name) for name in asset.inputs],
        "sources": [_source(settings, domain, name, weeks) for name in asset.recipe.sources],
        "weeks": list(weeks),
        "types": [(c.name, c.physical_type) for c in asset.contract.columns] if asset.contract else [],
    }


def _dbt_step(settings: Settings, mesh: Mesh, domain: DomainAssets, models: list[Asset]) -> dict[str, Any]:
    own = domain.domain.name
    every = [asset for asset in domain.assets if asset.recipe.kind is RecipeKind.DBT]
    here = {asset.name for asset in every}
    weeks = next((all_partitions(each.partitioning) for each in models if each.partitioning), ())
    sources = dict.fromkeys(name for asset in every for name in asset.recipe.sources)
    return {
        "kind": "dbt",
        "name": own,
        "models": [str(asset.name) for asset in models],
        "inputs": sorted({str(name) for asset in every for name in asset.inputs if name not in here}),
        "sources": [_source(settings, domain, name, weeks) for name in sources],
    }


def _source(settings: Settings, domain: DomainAssets, name: str, weeks: tuple[str, ...]) -> dict[str, Any]:
    source = domain.domain.source(name)
    assert source is not None  # reading the domain has refused unknown sources
    # Where a slip would be told, and how automation waits for files, are no business of a recipe.
    facts = {key: value for key, value in asdict(source).items() if key not in ("place", "delivery")}
    # Weeks to come are announced, and their files are not there yet.
    paths = [str(path) for _, path in expected_paths(source, Path(settings.sources), weeks) if path.exists()]
    return {"source": facts, "paths": paths}
