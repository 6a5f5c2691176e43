"""Names of kitchens, and the mesh that they belong to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings


def root_settings() -> Settings:
    """Of the mesh itself, also where MESH_KITCHEN names a kitchen, or one that is gone."""
    from mesh_assets.words.settings import read_settings

    return read_settings({name: value for name, value in os.environ.items() if name != "MESH_KITCHEN"})


def complete_kitchen(incomplete: str) -> list[str]:
    """Names of kitchens, from their folders."""
    from mesh_assets.words.errors import MeshError

    try:
        folders = root_settings().kitchen_home("x").parent.glob("*/kitchen.json")
    except MeshError:  # a setting is wrong: the command itself says which
        return []
    return sorted(path.parent.name for path in folders if path.parent.name.startswith(incomplete))
