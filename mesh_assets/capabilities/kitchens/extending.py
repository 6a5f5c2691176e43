"""Giving a kitchen more time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.kitchens.pins import extend
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.kitchens import Kitchen, KitchenNotOpen, KitchenState
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.versions import PROD


def extend_kitchen(settings: Settings, name: str, ttl: timedelta) -> Kitchen:
    """Keep what it reads for so long from now; raises VersionExpired if some of it is gone already."""
    root = settings.root
    with open_registry(root) as registry:
        kitchen = registry.kitchen(name)
    if kitchen.state is not KitchenState.OPEN:
        raise KitchenNotOpen(name=name, state=kitchen.state, why="it was interrupted")
    base = root if kitchen.base == PROD else in_kitchen(root, kitchen.base)
    return extend(root, kitchen, datetime.now(UTC) + ttl, base)
