"""What a kitchen may not write: products of domains that it was not opened for."""

from __future__ import annotations

from mesh_assets.words.kitchens import OutsideKitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


def refuse_outside(settings: Settings, name: ProductName) -> None:
    """Before a recipe runs; the mesh itself may write everything that its lakes let it."""
    if settings.writable and name.domain not in settings.writable:
        raise OutsideKitchen(
            product=name,
            kitchen=settings.kitchen,
            domains=", ".join(settings.writable),
            domain=",".join(sorted({*settings.writable, name.domain})),
        )
