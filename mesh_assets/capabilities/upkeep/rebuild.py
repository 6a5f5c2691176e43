"""A registry that is lost or damaged, made again from the manifests that versions left beside their files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.manifest import manifest_files
from mesh_assets.capabilities.lake.upkeep import expired_snapshots, holdings
from mesh_assets.capabilities.publishing.stamp import STAMP
from mesh_assets.capabilities.registry.certificates import certificate_from_json
from mesh_assets.words.versions import Certificate

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.capabilities.registry.restore import Remembered
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Manifest:
    """One manifest file; `certificate` is None if it cannot be read."""

    path: str
    certificate: Certificate | None
    #: None: no release followed its commit, as far as the manifest knows.
    published: datetime | None = None


def read_manifests(settings: Settings, domain: str) -> Iterator[Manifest]:
    """Every manifest of the domain, and those that are no manifests any more."""
    for path, content in manifest_files(settings, domain):
        yield manifest_from(path, content)


def manifest_from(path: str, content: bytes) -> Manifest:
    """What stands in a manifest's file."""
    try:
        document = json.loads(content)
        return Manifest(path, certificate_from_json(document), _published(document))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Manifest(path, None)


def unregistered(settings: Settings, registry: Registry, domain: str) -> list[Manifest]:
    """Manifests of versions that were released, and that the registry does not have."""
    known = {(version.product, version.run_id) for version in registry.versions_of(domain)}
    return [
        each
        for each in read_manifests(settings, domain)
        if each.certificate and each.published
        if (each.certificate.product, each.certificate.run_id) not in known
    ]


def rebuild(settings: Settings, registry: Registry, domain: str) -> list[Version]:
    """Put back what the domain's manifests know and the registry does not; returns those versions.

    Versions, certificates, numbers, when and by whom they were released, and the heads of `prod` come back as
    they were. Pins, tags, builds and results of rechecks are nowhere else, and are lost.
    """
    from mesh_assets.capabilities.registry.restore import Remembered

    lost = unregistered(settings, registry, domain)
    if not lost:
        return []
    there = {snapshot.number for snapshot in holdings(settings, domain).snapshots}
    log, now = expired_snapshots(settings, domain), datetime.now(UTC)
    remembered: list[Remembered] = []
    for each in lost:
        assert each.certificate is not None and each.published is not None
        snapshot = each.certificate.snapshot
        gone, who = (None, "") if snapshot in there else log.get(snapshot, (now, "nobody known"))
        remembered.append(
            Remembered(
                certificate=each.certificate,
                published=each.published,
                expired=gone,
                expired_by=who,
            )
        )
    return registry.restore(remembered)


def set_aside_if_damaged(settings: Settings) -> Path | None:
    """Rename a SQLite registry that cannot be read, so that a new one is made; None if nothing is wrong."""
    path = sqlite_file(settings)
    if path is None or not path.exists() or not damaged(path):
        return None
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def damaged(path: Path) -> bool:
    """True if SQLite cannot read the file from its first page to its last."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as session:
            return bool(session.execute("PRAGMA quick_check").fetchone()[0] != "ok")
    except sqlite3.DatabaseError:
        return True


def sqlite_file(settings: Settings) -> Path | None:
    """The registry's file, None if it is no SQLite."""
    prefix = "sqlite:///"
    return Path(settings.registry.removeprefix(prefix)) if settings.registry.startswith(prefix) else None


def _published(document: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(document[STAMP]) if document.get(STAMP) else None
