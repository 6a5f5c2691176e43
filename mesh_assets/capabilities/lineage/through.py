"""What an asset needs of the lake, private dbt models seen through: they exist only while a run lasts."""

from __future__ import annotations

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.words.names import ProductName


def through_private_models(domain: DomainAssets, asset: Asset) -> tuple[Asset, ...]:
    """The asset and every private dbt model that it is made from, itself first."""
    by_name = {each.name: each for each in domain.assets}
    chain: dict[ProductName, Asset] = {}
    waiting = [asset]
    while waiting:
        each = waiting.pop(0)
        if each.name in chain:
            continue
        chain[each.name] = each
        waiting.extend(by_name[name] for name in each.inputs if name in by_name and not by_name[name].in_lake)
    return tuple(chain.values())


def lake_inputs(domain: DomainAssets, asset: Asset) -> tuple[ProductName, ...]:
    """Every product or stored private asset that the asset is made from, foreign keys' targets included."""
    scratch = {each.name for each in domain.assets if not each.in_lake}
    chain = through_private_models(domain, asset)
    names = [name for each in chain for name in each.needs if name not in scratch]
    return tuple(dict.fromkeys(names))


def source_names(domain: DomainAssets, asset: Asset) -> tuple[str, ...]:
    chain = through_private_models(domain, asset)
    return tuple(dict.fromkeys(name for each in chain for name in each.recipe.sources))
