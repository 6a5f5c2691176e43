"""What the rules of an audit compare a product with: its inputs, and what consumers' rules name."""

from __future__ import annotations

from collections.abc import Mapping

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import products_of
from mesh_assets.words.versions import Version


def references(
    workshop: Workshop, asset: Asset, inputs: Mapping[ProductName, Version]
) -> dict[ProductName, str]:
    """SQL of every product that a rule names: inputs as pinned, what only consumers (or rules that are being
    tried) name as of now.

    The latter are no inputs: they make nothing stale, stop no build and close no circle. One that has no
    version, or cannot be read, is an error of the rules that name it and of nothing else.
    """
    settings = workshop.settings
    found = {name: rows_of_version(settings, version) for name, version in inputs.items()}
    rules = (*(asset.contract.rules if asset.contract else ()), *asset.expected)
    for name in {name for rule in rules for name in products_of(rule)} - {*found, asset.name}:
        sql = _as_readers_see_it(workshop, name)
        if sql is not None:
            found[name] = sql
    return found


def _as_readers_see_it(workshop: Workshop, name: ProductName) -> str | None:
    try:
        head = workshop.registry.head(name)
        return None if head is None else rows_of_version(workshop.settings, head)
    except Exception:  # another domain's lake may be damaged in any way; it is not this build's business
        return None
