"""Holds: what a rollback put in the place of a bad build stays until code, contract or inputs change.

The keys of the moment of the rollback are in its certificate, so a hold begins with the release itself. A
partition whose key is still the same is not stale. `registry.end_hold` ends a hold before that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry


def held_keys(registry: Registry, version: Version | None) -> Mapping[str, str]:
    """Partition -> key that makes nothing stale; nothing if nothing is held."""
    hold = version.certificate.hold if version else {}
    if not hold or (version and registry.hold_ended(version.product, hold["run"])):
        return {}
    return dict(hold["keys"])


def hold_after(registry: Registry, version: Version | None, made: Collection[str]) -> dict[str, Any]:
    """What a new version still holds: partitions that it did not make stay held."""
    keys = {part: key for part, key in held_keys(registry, version).items() if part not in made}
    return {**version.certificate.hold, "keys": keys} if version and keys else {}


def told_of_hold(registry: Registry, version: Version) -> str:
    """For whoever asks why nothing is built; empty if nothing is held."""
    if not held_keys(registry, version):
        return ""
    hold = version.certificate.hold
    if hold.get("kitchen"):
        return (
            f"{version.product} is held as {hold['who']} repaired it in kitchen {hold['kitchen']} on "
            f"{hold['since'][:10]}. It is built again when its code, contract or inputs change, or after "
            f"`mesh rollback {version.product} --release`"
        )
    return (
        f"{version.product} is held as it was in version {hold['to']}: {hold['who']} rolled version "
        f"{hold['from']} back on {hold['since'][:10]}. It is built again when its code, contract or inputs "
        f"change, or after `mesh rollback {version.product} --release`"
    )
