"""Pauses and holds, where something would be made: the last gate, whoever started the run.

A schedule, a sensor and a person's click all come by here; what is paused is refused before anything is made.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.controls import Paused


def refuse_paused(workshop: Workshop, asset: Asset) -> None:
    """Raise Paused if somebody decided that the product is not made now. No build is put on record."""
    controls = workshop.registry.controls()
    why = controls.why_not(asset.name, lake_inputs(workshop.domain, asset))
    if why is not None:
        raise Paused(product=asset.name, why=why)


def refuse_paused_models(workshop: Workshop, models: Iterable[Asset]) -> None:
    """The same for private models: only a pause of their domain stops them, holds stop single products."""
    controls = workshop.registry.controls()
    for model in models:
        why = controls.why_not(model.name)
        if why is not None:
            raise Paused(product=model.name, why=why)


def announced_to(workshop: Workshop, asset: Asset) -> tuple[str, ...]:
    """What is announced of the product's inputs, a sentence each: a note for whoever builds it."""
    inputs = set(lake_inputs(workshop.domain, asset))
    return tuple(each.told() for each in workshop.registry.announcements() if each.product in inputs)
