"""Announcements where people look in Dagster: on the product, and on what uses it, as of the last load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.orchestration.describe import asset_key
from mesh_assets.words.controls import Announcement
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


def with_announcements(
    settings: Settings, domain: DomainAssets, steps: Sequence[dg.AssetsDefinition]
) -> list[dg.AssetsDefinition]:
    """The steps, whose specs say what is announced of the product and of its inputs."""
    announced = _announced(settings)
    notes = {asset_key(asset.name): _note(domain, asset, announced) for asset in domain.assets}
    told = {key: note for key, note in notes.items() if note}
    if not told:
        return list(steps)

    def say(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.merge_attributes(metadata=told[spec.key]) if spec.key in told else spec

    return [step.map_asset_specs(say) for step in steps]


def _announced(settings: Settings) -> list[Announcement]:
    """What stands; nothing where no registry is yet, or none answers: a location loads without it."""
    if settings.registry.startswith("sqlite:///"):
        from pathlib import Path

        if not Path(settings.registry.removeprefix("sqlite:///")).is_file():
            return []
    from mesh_assets.capabilities.registry import open_registry

    try:
        with open_registry(settings) as registry:
            return registry.announcements()
    except Exception:  # whatever is wrong with the registry, doctor and the first run say it better
        return []


def _note(domain: DomainAssets, asset: Asset, announced: Sequence[Announcement]) -> dict[str, Any]:
    needs: set[ProductName] = set(lake_inputs(domain, asset))
    own = [each.told() for each in announced if each.product == asset.name]
    others = [each.told() for each in announced if each.product in needs]
    note = {"announced": own, "announced of its inputs": others}
    return {
        name: dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))
        for name, lines in note.items()
        if lines
    }
