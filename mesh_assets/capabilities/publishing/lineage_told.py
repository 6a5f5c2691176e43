"""Column lineage as a certificate keeps it: what was known when the version was made."""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.columns import column_lineage
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, Mesh, Recipe, RecipeKind
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


def lineage_facts(settings: Settings, domain: DomainAssets, asset: Asset) -> dict[str, Any]:
    """{how, columns: {own: [product.column]}, reads: {product: [column] or None for all}, unsafe}."""
    try:
        found = column_lineage(settings, _around(settings, domain), asset.name)
    except (MeshError, OSError):
        return {}  # a file of another domain that is being edited now: lineage stops no publication
    return {
        "how": str(found.how),
        "columns": {name: [str(each) for each in origins] for name, origins in found.columns.items()},
        "reads": {
            str(name): None if columns is None else sorted(columns) for name, columns in found.reads.items()
        },
        "unsafe": list(found.unsafe),
    }


def _around(settings: Settings, domain: DomainAssets) -> Mesh:
    """The domain's assets, and of other domains the contracts of what they read."""
    own = {each.name: each for each in domain.assets}
    needs = {name for each in domain.assets for name in (*each.needs, *lake_inputs(domain, each))} - set(own)
    foreign = {name: _promised(settings, name, domain.assets[0].recipe) for name in sorted(needs)}
    homes = {name.domain: DomainAssets(domain.domain, ()) for name in foreign}
    return Mesh({**homes, domain.domain.name: domain}, {**foreign, **own})


def _promised(settings: Settings, name: ProductName, like: Recipe) -> Asset:
    path = settings.domains / name.domain / name.product / "contract.yaml"
    contract = read_contract(path) if path.is_file() else None
    recipe = Recipe(RecipeKind.PYTHON, path, (), (), like.place, ())
    return Asset(name, contract, recipe)
