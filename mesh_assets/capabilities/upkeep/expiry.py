"""Expiry: versions whose retention is over, by name, minus whatever somebody has a right to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Retention
from mesh_assets.capabilities.contracts.retention import LONGEST_RUN
from mesh_assets.capabilities.lake.moves import drop
from mesh_assets.capabilities.lake.upkeep import (
    GRACE,
    Holdings,
    Leftover,
    clean_up,
    expire_snapshots,
    holdings,
    leftovers,
)
from mesh_assets.capabilities.upkeep.orphans import orphans, remove_orphans
from mesh_assets.capabilities.upkeep.rebuild import unregistered
from mesh_assets.words.errors import RegistryIncomplete

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Expendable:
    """A version that nobody has a right to any more."""

    version: Version
    superseded: datetime
    #: Bytes that no other version of the product has.
    bytes: int


@dataclass(frozen=True)
class Expiry:
    """What an expiry did, or would do."""

    versions: tuple[Expendable, ...] = ()
    #: Of commits that were never released, by domain.
    strays: dict[str, list[int]] = field(default_factory=dict)
    #: Files that went, or may go now. Those of versions expired just now go after the grace.
    files: tuple[Leftover, ...] = ()

    @property
    def bytes_reclaimed(self) -> int:
        return sum(file.bytes for file in self.files)


def plan(
    settings: Settings,
    registry: Registry,
    assets: Iterable[Asset],
    *,
    now: datetime | None = None,
    grace: timedelta = GRACE,
) -> Expiry:
    """What `expire` would do now."""
    assets, moment = [asset for asset in assets if asset.in_lake], now or datetime.now(UTC)
    found: list[Expendable] = []
    strays: dict[str, list[int]] = {}
    files: list[Leftover] = []
    held = registry.held()
    for domain in sorted({asset.name.domain for asset in assets}):
        holds = holdings(settings, domain)
        _refuse_incomplete(settings, registry, domain)
        for asset in assets:
            if asset.name.domain == domain:
                policy = asset.contract.retention if asset.contract else Retention()
                versions = registry.versions(asset.name)
                found += _over(versions, policy, held.get(asset.name, set()), holds, moment)
        strays[domain] = unreleased(registry, domain, holds, moment)
        files += leftovers(settings, domain, grace=grace, now=moment)
        files += orphans(settings, registry, domain, now=moment)
    return Expiry(tuple(found), {name: each for name, each in strays.items() if each}, tuple(files))


def expire(
    settings: Settings,
    registry: Registry,
    assets: Iterable[Asset],
    *,
    who: str,
    now: datetime | None = None,
    grace: timedelta = GRACE,
) -> Expiry:
    """Let go of what `plan` names: first in the registry, where pins are, then in the lake, then on disk.

    Killed in between, the next call goes on: what the registry has let go of, the lake lets go of.
    """
    assets = list(assets)
    planned = plan(settings, registry, assets, now=now, grace=grace)
    wanted: dict[ProductName, list[int]] = {}
    for each in planned.versions:
        wanted.setdefault(each.version.product, []).append(each.version.number)
    marked = {(version.product, version.number) for version in registry.expire(wanted, who=who)}
    files: list[Leftover] = []
    for domain in sorted({asset.name.domain for asset in assets}):
        kept, gone = _snapshots(registry, domain)
        numbers = (gone | set(planned.strays.get(domain, ()))) - kept
        present = {snapshot.number for snapshot in holdings(settings, domain).snapshots}
        if numbers & present:
            expire_snapshots(settings, domain, numbers & present, who=who)
        files += clean_up(settings, domain, who=who, grace=grace, now=now)
        files += remove_orphans(settings, registry, domain, who=who, now=now or datetime.now(UTC))
        left = drop(settings, domain, who=who, older=(now or datetime.now(UTC)) - grace)
        files += [Leftover(path, size, "the lake has moved") for path, size in left]
    done = [each for each in planned.versions if (each.version.product, each.version.number) in marked]
    return Expiry(tuple(done), planned.strays, tuple(files))


def unreleased(registry: Registry, domain: str, holds: Holdings, now: datetime) -> list[int]:
    """Snapshots of commits that no release followed, and that no run can release any more.

    Only of products that released a later one: a registry that knows none has lost it, rather.
    """
    released: dict[str, int] = {}
    for version in registry.versions_of(domain):
        product = str(version.product)
        released[product] = max(version.snapshot, released.get(product, 0))
    kept, gone = _snapshots(registry, domain)
    return [
        snapshot.number
        for snapshot in holds.snapshots
        if snapshot.number not in kept | gone
        and snapshot.number < released.get(snapshot.run_key.partition(" by ")[0], 0)
        and now - snapshot.made > LONGEST_RUN
    ]


def _over(
    versions: list[Version], policy: Retention, held: Collection[int], holds: Holdings, now: datetime
) -> list[Expendable]:
    """Versions of one product, newest first, that are past their retention and that nobody holds."""
    found = []
    keeps = max(policy.days, LONGEST_RUN)
    for place, version in enumerate(versions):
        if place < policy.versions or version.expired is not None or version.number in held or version.stored:
            continue
        superseded = versions[place - 1].published
        if now - superseded > keeps:
            found.append(Expendable(version, superseded, _own_bytes(version, versions, holds)))
    return found


def _own_bytes(version: Version, versions: list[Version], holds: Holdings) -> int:
    others = [each.snapshot for each in versions if each.number != version.number and not each.expired]
    return sum(
        file.bytes
        for file in holds.at(version.product, version.snapshot)
        if not any(file.seen_at(snapshot) for snapshot in others)
    )


def _snapshots(registry: Registry, domain: str) -> tuple[set[int], set[int]]:
    """Snapshots of the domain that versions are read at, and those of expired versions alone."""
    kept: set[int] = set()
    gone: set[int] = set()
    for version in registry.versions_of(domain):
        (gone if version.expired else kept).add(version.snapshot)
    return kept, gone - kept


def _refuse_incomplete(settings: Settings, registry: Registry, domain: str) -> None:
    """A registry that lost versions holds nothing of theirs: all would look expendable."""
    lost = unregistered(settings, registry, domain)
    if lost:
        raise RegistryIncomplete(domain=domain, lost=len(lost))
