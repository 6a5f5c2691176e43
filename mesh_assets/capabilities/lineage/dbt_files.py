"""dbt's properties files, from the contracts: one per domain that has dbt models."""

from __future__ import annotations

from pathlib import Path

from mesh_assets.capabilities.contracts.dbt import dbt_properties
from mesh_assets.capabilities.lineage.model import RecipeKind
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.settings import Settings


def dbt_property_files(settings: Settings) -> dict[Path, str]:
    """Path -> text of every generated file, whether it is there or not."""
    mesh = read_mesh(settings)
    files = {}
    for name, each in mesh.domains.items():
        models = [asset for asset in each.assets if asset.recipe.kind is RecipeKind.DBT]
        if not models:
            continue
        own = [asset.contract for asset in models if asset.contract]
        foreign = sorted({need for asset in models for need in asset.inputs if need.domain != name})
        contracts = [contract for need in foreign if (contract := mesh.assets[need].contract)]
        path = settings.dbt_project / "models" / name / f"_{name}.yml"
        files[path] = dbt_properties(each.domain, own, contracts)
    return files
