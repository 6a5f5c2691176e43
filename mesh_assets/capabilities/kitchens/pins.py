"""Pins of a kitchen in every mesh whose rows it reads, down to the mesh itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mesh_assets.capabilities.registry import kitchen_rows, open_registry
from mesh_assets.capabilities.registry.kitchen_rows import Instant
from mesh_assets.words.kitchens import Kitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


def pin_below(root: Settings, base: Settings, kitchen: Kitchen, instant: Instant) -> Kitchen:
    """What a kitchen reads through the kitchen that it was opened from is pinned where it lies; the row goes
    into the mesh's own registry.
    """
    with open_registry(base) as registry:
        stored = registry.stored_heads()
    for there in _below(base):
        numbers = {
            name: number
            for name, number in instant.numbers.items()
            if stored.get(name) == (number, there.environment)
        }
        if there.base is None:
            kitchen = _row(root, kitchen, numbers, instant.release)
        else:
            with open_registry(there) as registry, registry.writing() as connection:
                kitchen_rows.pin_all(connection, kitchen.holder, numbers, kitchen.expires)
    return kitchen


def extend(root: Settings, kitchen: Kitchen, expires: datetime, base: Settings) -> Kitchen:
    """Keep all that it reads until then; raises VersionExpired if some of it is gone."""
    for there in (base, *_below(base)):
        if there.base is not None:
            with open_registry(there) as registry:
                registry.extend_pins(kitchen.holder, expires)
    with open_registry(root) as registry:
        return registry.extend_kitchen(kitchen, expires)


def _row(root: Settings, kitchen: Kitchen, numbers: dict[ProductName, int], release: int) -> Kitchen:
    """`base_release` stays the base's own."""
    with open_registry(root) as registry:
        row, _ = registry.open_kitchen(kitchen, lambda _: Instant(numbers, release))
    return replace(row, base_release=release)


def _below(settings: Settings) -> Iterator[Settings]:
    here = settings.base
    while here is not None:
        yield here
        here = here.base
