"""Column lineage as a certificate keeps it: what was known when the version was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.columns import ColumnLineage, How, column_lineage
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets, Mesh, Recipe, RecipeKind
from mesh_assets.capabilities.lineage.observed import Seen, observed_lineage, with_observation
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.publishing.keys import recipe_hash
from mesh_assets.capabilities.publishing.workshop import Work, Workshop
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Certificate, Version


def lineage_facts(workshop: Workshop, work: Work, seen: Seen | None) -> dict[str, Any]:
    """{how, columns: {own: [product.column]}, reads: {product: [column] or None for all}, unsafe}, and `own`,
    its columns, where no more than `reads` may be known of them.

    `seen` is what the recipe was seen to read, where that says more than its text.
    """
    settings, domain, asset = workshop.settings, workshop.domain, work.asset
    try:
        mesh = _around(settings, domain)
        found = column_lineage(settings, mesh, asset.name)
        if found.how is How.ALL and found.reads and seen is not None:
            found = _with_what_stays(work, domain, observed_lineage(settings, mesh, asset.name, seen))
    except (MeshError, OSError):
        return {}  # a file of another domain that is being edited now: lineage stops no publication
    return _facts(found, asset)


def lineage_known(domain: DomainAssets, known: ColumnLineage, version: Version | None) -> ColumnLineage:
    """The lineage with what was observed when the version was made, if by the recipe as it is now."""
    if version is None or known.how is not How.ALL:
        return known
    asset = next((each for each in domain.assets if each.name == known.product), None)
    if asset is None or version.certificate.recipe_hash != recipe_hash(domain, asset):
        return known
    return with_observation(known, asset, version.certificate.lineage)


def _with_what_stays(work: Work, domain: DomainAssets, found: ColumnLineage) -> ColumnLineage:
    """Partitions that stay were made by other runs: what these have read counts too."""
    if work.head is None or work.asset.partitioning is None:
        return found
    certificate: Certificate = work.head.certificate
    if set(certificate.partitions) <= set(work.partitions):
        return found
    before: Mapping[str, Any] = certificate.lineage
    if before.get("how") != How.OBSERVED or certificate.recipe_hash != recipe_hash(domain, work.asset):
        return replace(found, reads=dict.fromkeys(found.reads))
    return replace(found, reads={name: _both(before, name, found) for name in found.reads})


def _both(before: Mapping[str, Any], name: ProductName, found: ColumnLineage) -> frozenset[str] | None:
    old, new = before["reads"].get(str(name)), found.reads[name]
    return None if old is None or new is None else new | frozenset(old)


def _facts(found: ColumnLineage, asset: Asset) -> dict[str, Any]:
    own = [each.name for each in asset.contract.columns] if asset.contract else []
    return {
        "how": str(found.how),
        **({"own": own} if found.how in (How.DECLARED, How.OBSERVED) else {}),
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
