"""What belongs to the mesh and to no domain: what the location `journeys` has beside journeys."""

from __future__ import annotations

import dagster as dg

from mesh_assets.capabilities.orchestration.kitchen_job import kitchen_definitions
from mesh_assets.capabilities.orchestration.observed import observed_definitions
from mesh_assets.capabilities.orchestration.records import records_definitions
from mesh_assets.capabilities.orchestration.upkeep import upkeep_definitions
from mesh_assets.words.settings import Settings


def mesh_wide_definitions(settings: Settings) -> list[dg.Definitions]:
    """One entry per subject; names are unique in the whole mesh."""
    return [
        records_definitions(settings),
        observed_definitions(settings),
        upkeep_definitions(settings),
        kitchen_definitions(settings),
    ]
