"""Repairs: only what no reader can miss and what is known for certain. Everything else is said, not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import sweep
from mesh_assets.capabilities.lake.upkeep import clean_up, expire_snapshots, holdings
from mesh_assets.capabilities.publishing.stamp import leave_stamp
from mesh_assets.capabilities.upkeep.check import Finding, Kind
from mesh_assets.capabilities.upkeep.expiry import unreleased
from mesh_assets.capabilities.upkeep.orphans import remove_orphans
from mesh_assets.capabilities.upkeep.rebuild import rebuild

if TYPE_CHECKING:
    from datetime import datetime

    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings


def repair(
    settings: Settings, registry: Registry, findings: Iterable[Finding], *, who: str, now: datetime
) -> Iterator[str]:
    """Mend what is safe to mend, and say each action when it is done.

    The registry comes first: what it has lost holds what must not be cleaned up.
    """
    found = [finding for finding in findings if finding.safe]
    for domain in _domains(found, Kind.REGISTRY_INCOMPLETE, Kind.REGISTRY_DAMAGED):
        for version in rebuild(settings, registry, domain):
            yield f"put {version.product} version {version.number} back into the registry"
    for finding in found:
        if finding.product is not None and finding.number is not None:
            leave_stamp(settings, registry.version(finding.product, finding.number))
            yield f"wrote the manifest of {finding.product} version {finding.number}"
    for domain in _domains(found, Kind.NEVER_RELEASED):
        strays = unreleased(registry, domain, holdings(settings, domain), now)
        for number in expire_snapshots(settings, domain, strays, who=who):
            yield f"expired snapshot {number} of {domain}, which was never released"
    for domain in _domains(found, Kind.LEFTOVER):
        gone = clean_up(settings, domain, who=who, now=now)
        for file in gone + remove_orphans(settings, registry, domain, who=who, now=now):
            yield f"deleted {file.path} ({file.bytes:,} bytes): {file.why}"
    for folder in sweep(settings):
        yield f"deleted {folder}, which a dead run left"


def _domains(found: Iterable[Finding], *kinds: Kind) -> list[str]:
    return sorted({finding.domain for finding in found if finding.kind in kinds})
