"""dbt's properties files, from the contracts: one per domain that has models, one for what they read of
others.
"""

from __future__ import annotations

from pathlib import Path

from mesh_assets.capabilities.contracts.dbt import dbt_properties, dbt_sources
from mesh_assets.capabilities.lineage.model import RecipeKind
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


def dbt_property_files(settings: Settings) -> dict[Path, str]:
    """Path -> text of every generated file, whether it is there or not."""
    mesh = read_mesh(settings)
    folder = settings.dbt_project / "models"
    files = {}
    foreign: set[ProductName] = set()
    for name, each in mesh.domains.items():
        models = [asset for asset in each.assets if asset.recipe.kind is RecipeKind.DBT]
        if models:
            own = [asset.contract for asset in models if asset.contract]
            files[folder / name / f"_{name}.yml"] = dbt_properties(each.domain, own)
            foreign |= {need for asset in models for need in asset.inputs if need.domain != name}
    # dbt refuses one source table in two files, and two domains may read the same product.
    contracts = [contract for need in sorted(foreign) if (contract := mesh.assets[need].contract)]
    files[folder / "_sources.yml"] = dbt_sources(contracts)
    return files
