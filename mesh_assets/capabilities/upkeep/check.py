"""Whether what was published is there and whole: catalogs against files, the registry against both.

Here: looking, and what each finding means. Not here: mending (repair).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lake.content import differing
from mesh_assets.capabilities.lake.manifest import manifest_file
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.upkeep import (
    CLEANERS,
    Holdings,
    expired_snapshots,
    holdings,
    leftovers,
)
from mesh_assets.capabilities.registry import as_json
from mesh_assets.capabilities.upkeep.expiry import unreleased
from mesh_assets.capabilities.upkeep.orphans import orphans
from mesh_assets.capabilities.upkeep.rebuild import Manifest, read_manifests, unregistered
from mesh_assets.words.stores import CatalogDamaged

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version


class Kind(StrEnum):
    """What can be wrong."""

    FILE_MISSING = "file missing"
    FILE_CHANGED = "file changed"
    CONTENT_DIFFERS = "content differs"
    LEFTOVER = "leftover"
    NEVER_RELEASED = "never released"
    VERSION_GONE = "version gone"
    CERTIFICATE_DIFFERS = "certificate differs"
    QUARANTINE_DIFFERS = "quarantine differs"
    MANIFEST_LOST = "manifest lost"
    MANIFEST_DIFFERS = "manifest differs"
    REGISTRY_INCOMPLETE = "registry incomplete"
    CATALOG_DAMAGED = "catalog damaged"
    REGISTRY_DAMAGED = "registry damaged"
    PIN_ON_NOTHING = "pin on nothing"


#: What `--repair` may do by itself: nothing that a reader could miss, and nothing that it cannot know.
SAFE = frozenset(
    {
        Kind.LEFTOVER,
        Kind.NEVER_RELEASED,
        Kind.MANIFEST_LOST,
        Kind.MANIFEST_DIFFERS,
        Kind.REGISTRY_INCOMPLETE,
        Kind.REGISTRY_DAMAGED,
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    domain: str
    told: str
    remedy: str
    product: ProductName | None = None
    number: int | None = None

    @property
    def safe(self) -> bool:
        """True if a repair mends it."""
        return self.kind in SAFE


@dataclass(frozen=True)
class Lookout:
    """One domain's lake beside what the registry says of it."""

    settings: Settings
    registry: Registry
    domain: str
    now: datetime

    @cached_property
    def holdings(self) -> Holdings:
        return holdings(self.settings, self.domain)

    @cached_property
    def versions(self) -> list[Version]:
        return self.registry.versions_of(self.domain)

    @cached_property
    def heads(self) -> dict[ProductName, int]:
        return self.registry.heads()

    @cached_property
    def manifests(self) -> list[Manifest]:
        return list(read_manifests(self.settings, self.domain))

    @cached_property
    def snapshots(self) -> set[int]:
        return {snapshot.number for snapshot in self.holdings.snapshots}

    @property
    def readable(self) -> Iterator[Version]:
        """Versions that ought to be readable, and have a snapshot."""
        return (each for each in self.versions if not each.expired and each.snapshot in self.snapshots)

    def finding(self, kind: Kind, told: str, remedy: str, of: Version | None = None) -> Finding:
        product, number = (of.product, of.number) if of else (None, None)
        return Finding(kind, self.domain, told, remedy, product, number)

    def again(self, version: Version) -> str:
        """What helps when a version's rows are not what they were."""
        if self.heads.get(version.product) == version.number:
            return f"Readers see this version. Make it again: `mesh build {version.product} --force`"
        return (
            "Readers see a later version. Put the files back from a backup, or leave it: "
            f"`mesh versions {version.product}` has others"
        )


def check(
    settings: Settings,
    registry: Registry,
    domains: Iterable[str],
    *,
    deep: bool = False,
    now: datetime | None = None,
) -> list[Finding]:
    """Every finding, domain by domain; nothing is changed.

    Sizes and row counts come from the file system and the catalog. With `deep` every row of every version is
    read and its fingerprint compared: counts and extremes are answered from statistics, even of lost files.
    """
    found: list[Finding] = []
    for domain in domains:
        lookout = Lookout(settings, registry, domain, now or datetime.now(UTC))
        looks = (*LOOKS, _content) if deep else LOOKS
        try:
            found += [finding for look in looks for finding in look(lookout)]
        except CatalogDamaged as error:
            told, _, remedy = str(error).partition(". ")
            found.append(lookout.finding(Kind.CATALOG_DAMAGED, told, remedy))
    return found


def _files(lookout: Lookout) -> Iterator[Finding]:
    """Each file once, however many versions see it."""
    place = lake_of(lookout.settings, lookout.domain)
    there = {each.path: each.bytes for each in store_at(place.data).below(place.data)}
    bad: dict[str, str] = {}
    for file in lookout.holdings.files:
        size = there.get(f"{place.data}/{file.path}")
        if size is None:
            bad[file.path] = "is missing"
        elif size != file.bytes:
            bad[file.path] = f"has {size:,} bytes, and had {file.bytes:,}"
    for version in lookout.readable if bad else ():
        files = lookout.holdings.at(version.product, version.snapshot)
        for file in files:
            if file.path in bad:
                kind = Kind.FILE_MISSING if bad[file.path] == "is missing" else Kind.FILE_CHANGED
                told = f"{version.product} version {version.number}: {file.path} {bad[file.path]}"
                yield lookout.finding(kind, told, lookout.again(version), version)


def _leftovers(lookout: Lookout) -> Iterator[Finding]:
    for file in leftovers(lookout.settings, lookout.domain, now=lookout.now):
        if file.why == CLEANERS["ducklake_delete_orphaned_files"]:
            told = f"{file.path} ({file.bytes:,} bytes) is in no commit: a run died before it"
            yield lookout.finding(Kind.LEFTOVER, told, "`--repair` removes it")
        elif file.upload:
            told = f"{file.path}: {file.why}, and its parts are still stored"
            yield lookout.finding(Kind.LEFTOVER, told, "`--repair` gives it up")
    for file in orphans(lookout.settings, lookout.registry, lookout.domain, now=lookout.now):
        told = f"{file.path} ({file.bytes:,} bytes): {file.why}"
        yield lookout.finding(Kind.LEFTOVER, told, "`--repair` removes it")


def _commits(lookout: Lookout) -> Iterator[Finding]:
    keys = {each.number: each.run_key for each in lookout.holdings.snapshots}
    for number in unreleased(lookout.registry, lookout.domain, lookout.holdings, lookout.now):
        told = f"snapshot {number} ({keys[number]}) was committed and never released; no reader was shown it"
        yield lookout.finding(Kind.NEVER_RELEASED, told, "`--repair` expires it")


def _versions(lookout: Lookout) -> Iterator[Finding]:
    log = expired_snapshots(lookout.settings, lookout.domain)
    for version in lookout.versions:
        if version.expired is None and version.snapshot not in lookout.snapshots:
            why = f", which {log[version.snapshot][1]} expired" if version.snapshot in log else ""
            told = f"{version.product} version {version.number}: its snapshot {version.snapshot} is gone{why}"
            yield lookout.finding(Kind.VERSION_GONE, told, lookout.again(version), version)
    yield from (
        lookout.finding(
            Kind.REGISTRY_INCOMPLETE,
            f"{each.certificate.product} version {each.certificate.number} was released, and the registry "
            "does not have it",
            "`--repair` puts it back from its manifest",
        )
        for each in unregistered(lookout.settings, lookout.registry, lookout.domain)
        if each.certificate
    )


def _certificates(lookout: Lookout) -> Iterator[Finding]:
    """Rows and files that the catalog has at a version's snapshot, and those that its certificate names."""
    place = lake_of(lookout.settings, lookout.domain)
    for version in lookout.readable:
        certificate, held = version.certificate, lookout.holdings.at(version.product, version.snapshot)
        rows, named = sum(file.rows for file in held), f"{version.product} version {version.number}"
        if rows != version.rows:
            told = f"{named}: {rows:,} rows, its certificate says {version.rows:,}"
            yield lookout.finding(Kind.CERTIFICATE_DIFFERS, told, lookout.again(version), version)
        files = {place.relative(f"{place.data}/{file.path}") for file in held}
        if files != set(certificate.files):
            told = f"{named}: other files than its certificate names"
            yield lookout.finding(Kind.CERTIFICATE_DIFFERS, told, lookout.again(version), version)
        beside = lookout.holdings.at(version.product.quarantine, version.snapshot)
        rows, said = sum(file.rows for file in beside), certificate.quarantine.get("rows", 0)
        if certificate.quarantine and rows != said:
            told = f"{named}: {rows:,} rows in quarantine, its certificate says {said:,}"
            yield lookout.finding(Kind.QUARANTINE_DIFFERS, told, lookout.again(version), version)


def _manifests(lookout: Lookout) -> Iterator[Finding]:
    left = {each.path: each for each in lookout.manifests}
    for version in lookout.versions:
        path = manifest_file(lookout.settings, version.product, version.run_id)
        manifest, named = left.pop(path, None), f"{version.product} version {version.number}"
        if manifest is None:
            told, kind = f"{named}: its manifest is lost", Kind.MANIFEST_LOST
        elif manifest.certificate is None or as_json(manifest.certificate) != as_json(version.certificate):
            told, kind = f"{named}: its manifest is not its certificate", Kind.MANIFEST_DIFFERS
        elif manifest.published is None:
            told, kind = f"{named}: its manifest does not say that it was released", Kind.MANIFEST_DIFFERS
        else:
            continue
        yield lookout.finding(kind, told, "`--repair` writes it from the registry", version)
    for path, manifest in left.items():
        if manifest.certificate is None:
            told = f"{path} cannot be read, and the registry does not know its run"
            yield Finding(
                Kind.MANIFEST_DIFFERS, lookout.domain, told, "Remove it, or put it back from a backup"
            )


def _pins(lookout: Lookout) -> Iterator[Finding]:
    gone = {(each.product, each.number) for each in lookout.versions} - {
        (each.product, each.number) for each in lookout.readable
    }
    for pin in lookout.registry.pins():
        if (pin.product, pin.number) in gone:
            told = f"{pin.holder} keeps {pin.product} version {pin.number}, which cannot be read"
            yield lookout.finding(
                Kind.PIN_ON_NOTHING,
                told,
                f"Tell them; then `mesh unpin {pin.product}@{pin.number} --holder {pin.holder!r}`",
            )


def _content(lookout: Lookout) -> Iterator[Finding]:
    for version, told in differing(lookout.settings, lookout.readable, lookout.holdings):
        yield lookout.finding(Kind.CONTENT_DIFFERS, told, lookout.again(version), version)


LOOKS = (_files, _versions, _certificates, _manifests, _pins, _commits, _leftovers)
