"""The mesh's ledger: which version of a product is current, in which environment, and how it came to be.

Here: versions, certificates, heads, releases, pins, tags, expiries, builds and rule
results, in an ordinary SQL database.
Not here: the data itself (lake), running rules (checks), deciding what to release (publishing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.registry.certificates import as_json, certificate_from_json

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.open import Registry
    from mesh_assets.words.settings import Settings

__all__ = ["Registry", "as_json", "certificate_from_json", "open_registry"]


def open_registry(settings: Settings) -> Registry:
    """The registry of this mesh, made or migrated if need be."""
    # SQLAlchemy costs 0.5 CPU s to import; loading a domain's definitions does without, and so do commands
    # that get along without asking the registry.
    from mesh_assets.capabilities.registry import open as opened

    return opened.open_registry(settings)


def __getattr__(name: str) -> Any:
    if name == "Registry":
        from mesh_assets.capabilities.registry import open as opened

        return opened.Registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
