"""What a lake is told of a version: its files by paths that stay true, its columns in words."""

from __future__ import annotations

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.workshop import Workshop


def within_the_lake(workshop: Workshop, asset: Asset, files: tuple[str, ...]) -> tuple[str, ...]:
    """Paths that stay true when the home moves."""
    place = lake_of(workshop.settings, asset.name.domain)
    return tuple(place.relative(file) for file in files)


def comments_of(asset: Asset) -> dict[str, str]:
    """What the lake's own catalog says of the table and its columns, for readers who come without us."""
    if asset.contract is None:
        return {}
    return {
        "": asset.contract.description,
        **{each.name: each.description for each in asset.contract.columns},
    }
