"""What people decided about a product, for whoever looks at it: paused, held, announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.through import lake_inputs

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry


def controls_told(mesh: Mesh, registry: Registry, asset: Asset) -> list[str]:
    """A sentence each: why it is not made now, what it holds, what is announced of it and of its inputs."""
    controls = registry.controls()
    needs = set(lake_inputs(mesh.domains[asset.name.domain], asset))
    why = controls.why_not(asset.name, needs)
    told = [why] if why else []
    if (hold := controls.holds.get(str(asset.name))) is not None:
        told.append(f"what uses {asset.name} is held {hold.told()}")
    announced = [each for each in registry.announcements() if each.product in {asset.name, *needs}]
    return [*told, *(f"announced: {each.told()}" for each in announced)]
