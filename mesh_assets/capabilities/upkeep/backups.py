"""Backups: the registry, catalogs, data, manifests and artifacts of one moment, in a folder or a bucket.

    <place>/lakes/<domain>/{data,manifests,artifacts}/…     shared by all backups: files never change
    <place>/backups/<when>/{registry,<domain>}.sqlite       the registry and the catalogs of that moment
    <place>/backups/<when>/backup.json                      what belongs to it, sizes, SHA-256; written last

Here: making and checking them. Not here: the way back (restores).
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import LakePlace, commit_lock, lake_of
from mesh_assets.capabilities.lake.catalogs import CatalogCopy
from mesh_assets.capabilities.lake.connection import has_lake
from mesh_assets.capabilities.lake.ledger import KnownFile
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.transfers import NotWhole, transfer
from mesh_assets.capabilities.lake.upkeep import holdings
from mesh_assets.capabilities.publishing.stamp import stamped
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.copies import copy_all, is_empty, one_moment
from mesh_assets.words.moves import BackupMissing

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

LIST = "backup.json"


@dataclass(frozen=True)
class Kept:
    """A file of a backup: its size and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Domain:
    """One domain's part: paths are below `lakes/<domain>`."""

    snapshot: int
    files: dict[str, Kept]
    #: What the catalog names and the lake had lost: no backup can have it.
    missing: tuple[str, ...] = ()
    #: What it had expired and deleted, as it was in its log.
    log: str = ""


@dataclass(frozen=True)
class Backup:
    """What belongs to one backup."""

    name: str
    made: str
    who: str
    domains: dict[str, Domain]
    #: The registry and the catalogs, by file name, in the backup's own folder.
    databases: dict[str, Kept]
    #: Copied now, there before, and the bytes that were copied.
    copied: int = 0
    present: int = 0
    bytes: int = 0

    @property
    def missing(self) -> list[str]:
        return [f"{name}: {path}" for name, each in self.domains.items() for path in each.missing]


@dataclass
class _Copying:
    place: str
    known: dict[str, Kept]
    link: bool
    copied: int = 0
    present: int = 0
    bytes: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, source: str, target: str, bytes_: int | None = None) -> Kept:
        """Have a file in the backup; raises NotWhole."""
        size = store_at(source).size(source)
        if bytes_ is not None and size is not None and size != bytes_:
            raise NotWhole(f"has {size:,} bytes, and had {bytes_:,}")
        known = self.known.get(target)
        digest = known.sha256 if known and known.bytes == size else ""
        sha256, new = transfer(source, f"{self.place}/{target}", digest=digest, link=self.link)
        self.copied, self.present = self.copied + new, self.present + (not new)
        self.bytes += (size or 0) * new
        return Kept(size or 0, sha256)


def backup(
    settings: Settings,
    registry: Registry,
    domains: Sequence[str],
    place: str,
    *,
    who: str,
    link: bool = True,
) -> Backup:
    """Back these domains up, as they are at one moment; what earlier backups have is not copied again.

    Commits wait while the registry and the catalogs are copied. On one disk files are hard-linked, unless
    `link` is False. Killed anywhere, the next call finds what is there.
    """
    place, made = place_of(place), datetime.now(UTC)
    name = f"{made:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:4]}"
    earlier = backups(place)
    known = _files(read_backup(place, earlier[-1])) if earlier else {}
    copying = _Copying(place, known, link)
    present = [each for each in domains if has_lake(settings, lake_of(settings, each))]
    with _own_folder(settings) as folder:
        held = _moment(settings, registry, present, folder)
        copy = replace(settings, home=folder, registry=f"sqlite:///{folder / 'registry.sqlite'}")
        with open_registry(copy) as frozen:
            parts = {each: _domain(settings, frozen, each, held[each], copying) for each in present}
        databases = {
            path.name: copying.take(str(path), f"backups/{name}/{path.name}")
            for path in sorted(folder.glob("*.sqlite"))
        }
    done = Backup(
        name=name,
        made=made.isoformat(timespec="seconds"),
        who=who,
        domains=parts,
        databases=databases,
        copied=copying.copied,
        present=copying.present,
        bytes=copying.bytes,
    )
    target = f"{place}/backups/{name}/{LIST}"
    store_at(target).write(target, json.dumps(asdict(done), indent=1).encode())
    return done


def backups(place: str) -> list[str]:
    """The names of the backups that are whole, oldest first."""
    place = place_of(place)
    ends = f"/{LIST}"
    found = store_at(place).below(f"{place}/backups")
    return sorted(
        each.path.removesuffix(ends).rpartition("/")[2] for each in found if each.path.endswith(ends)
    )


def read_backup(place: str, name: str | None = None) -> Backup:
    """A backup by its name, the last one for None; raises BackupMissing."""
    place, known = place_of(place), backups(place)
    if not known or (name is not None and name not in known):
        wanted = "" if name is None else f" {name}"
        raise BackupMissing(wanted=wanted, place=place, known=", ".join(known) or "no backup at all")
    chosen = name or known[-1]
    document = json.loads(store_at(place).read(f"{place}/backups/{chosen}/{LIST}") or b"{}")
    domains = {
        domain: Domain(
            snapshot=part["snapshot"],
            files={path: Kept(**kept) for path, kept in part["files"].items()},
            missing=tuple(part["missing"]),
            log=part["log"],
        )
        for domain, part in document["domains"].items()
    }
    databases = {path: Kept(**kept) for path, kept in document["databases"].items()}
    return Backup(**{**document, "domains": domains, "databases": databases})


def wrong_files(place: str, backup: Backup, *, deep: bool = False) -> list[str]:
    """What of a backup is not there in its size, or with `deep` is not what it was."""
    place, wrong = place_of(place), []
    there = {each.path: each.bytes for each in store_at(place).below(f"{place}/lakes")}
    there |= {each.path: each.bytes for each in store_at(place).below(f"{place}/backups/{backup.name}")}
    for path, kept in _files(backup).items():
        full = f"{place}/{path}"
        if full not in there:
            wrong.append(f"{path} is missing")
        elif there[full] != kept.bytes:
            wrong.append(f"{path} has {there[full]:,} bytes, and had {kept.bytes:,}")
        elif deep and _sum(full) != kept.sha256:
            wrong.append(f"{path} is not what it was: its content changed")
    return wrong


def place_of(place: str) -> str:
    """A folder's whole path; object storage as it is."""
    return place.rstrip("/") if place.startswith("s3://") else str(Path(place).expanduser().resolve())


def _sum(path: str) -> str:
    return store_at(path).digest(path)


@contextmanager
def _own_folder(settings: Settings) -> Iterator[Path]:
    folder = settings.scratch / f"backup-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files(backup: Backup) -> dict[str, Kept]:
    """Every file, below the backups' place."""
    found = {f"backups/{backup.name}/{name}": kept for name, kept in backup.databases.items()}
    for domain, part in backup.domains.items():
        found |= {f"lakes/{domain}/{path}": kept for path, kept in part.files.items()}
    return found


@dataclass(frozen=True)
class _Held:
    """A lake as it was at the moment."""

    place: LakePlace
    snapshot: int
    files: tuple[KnownFile, ...]
    log: str


def _moment(settings: Settings, registry: Registry, domains: Sequence[str], folder: Path) -> dict[str, _Held]:
    """The registry and the catalogs as files in a folder, as they were while all locks were held.

    Whatever the registry names was committed before, and nothing is expired under the locks.
    """
    near = replace(
        settings, home=folder, registry=f"sqlite:///{folder / 'registry.sqlite'}", catalog="sqlite", data=""
    )
    near, held = replace(near, data_of=()), {}
    with ExitStack() as opened:
        places = {each: lake_of(settings, each) for each in sorted(domains)}
        copies = {
            each: opened.enter_context(closing(CatalogCopy(settings, place)))
            for each, place in places.items()
        }
        with ExitStack() as locks:
            for place in places.values():
                locks.enter_context(commit_lock(settings, place, what="backup"))
            # Its first look fixes the moment; the rows are read when the locks are free again.
            source = opened.enter_context(one_moment(registry))
            is_empty(source)
            for copy in copies.values():
                copy.read()
            logs = {each: _log(place) for each, place in places.items()}
        with open_registry(near) as target, target.writing() as connection:
            copy_all(source, connection)
        for domain, copy in copies.items():
            aside = lake_of(near, domain)
            Path(aside.data).mkdir(parents=True)
            copy.write(aside)
            known = holdings(near, domain)
            newest = max((each.number for each in known.snapshots), default=0)
            held[domain] = _Held(places[domain], newest, known.files, logs[domain])
            aside.catalog.rename(folder / f"{domain}.sqlite")
    return held


def _log(place: LakePlace) -> str:
    store = store_at(place.root)
    paths = sorted(each.path for each in store.below(place.log)) if place.objects else [place.log]
    return "".join((store.read(path) or b"").decode() for path in paths)


def _domain(settings: Settings, frozen: Registry, domain: str, held: _Held, copying: _Copying) -> Domain:
    files: dict[str, Kept] = {}
    missing = []
    for file in held.files:
        path = f"data/{file.path}"
        try:
            files[path] = copying.take(f"{held.place.root}/{path}", f"lakes/{domain}/{path}", file.bytes)
        except NotWhole as problem:
            missing.append(f"{path} {problem}")
    for each in list(store_at(held.place.root).below(f"{held.place.root}/artifacts")):
        path = held.place.relative(each.path)
        files[path] = copying.take(each.path, f"lakes/{domain}/{path}")
    for path, content in _manifests(frozen, domain):
        files[path] = _write(copying, f"lakes/{domain}/{path}", content)
    return Domain(held.snapshot, files, tuple(missing), held.log)


def _manifests(frozen: Registry, domain: str) -> Iterator[tuple[str, bytes]]:
    """As the registry of the moment has them: those beside the data may tell of later releases."""
    for version in frozen.versions_of(domain):
        content = json.dumps(stamped(version), indent=1, default=str).encode()
        yield f"manifests/{version.product.product}/{version.run_id}.json", content


def _write(copying: _Copying, target: str, content: bytes) -> Kept:
    import hashlib

    kept, path = Kept(len(content), hashlib.sha256(content).hexdigest()), f"{copying.place}/{target}"
    if copying.known.get(target) == kept and store_at(path).size(path) == kept.bytes:
        copying.present += 1
        return kept
    store_at(path).write(path, content)
    copying.copied, copying.bytes = copying.copied + 1, copying.bytes + kept.bytes
    return kept
