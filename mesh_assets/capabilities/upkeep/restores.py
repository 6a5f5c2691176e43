"""The way back from a backup: into an empty home, a damaged one, or one that is to be as it was then.

Data comes first, beside what is there; catalogs are put in their places under the lakes' locks, and what they
replace is renamed; the registry is last. Killed anywhere, the same call goes on.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from mesh_assets.capabilities.lake import commit_lock, lake_of
from mesh_assets.capabilities.lake.catalogs import copy_catalog, set_catalog_aside
from mesh_assets.capabilities.lake.places import LakePlace, keep_record
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.transfers import NotWhole, transfer
from mesh_assets.capabilities.lake.upkeep import holdings
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.copies import copy_all, heads_back, is_empty, one_moment
from mesh_assets.capabilities.registry.restore import Remembered
from mesh_assets.capabilities.upkeep.backups import Backup, place_of, read_backup
from mesh_assets.capabilities.upkeep.rebuild import set_aside_if_damaged
from mesh_assets.words.moves import BackupMissing, FilesLost, WouldGoBack
from mesh_assets.words.stores import CatalogDamaged

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    backup: Backup
    domains: tuple[str, ...]
    copied: int
    present: int
    #: True if the registry is that of the backup; False if only versions that it had lost came back.
    registry: bool


def restore(
    settings: Settings, place: str, domains: Sequence[str] = (), *, at: str | None = None, yes: bool = False
) -> Restored:
    """Put domains (all of the backup if none) back as they were; raises WouldGoBack if that loses something.

    With every domain of the backup named, or none, an empty registry becomes the backup's, with `yes` any.
    Otherwise the registry stays, gets back the versions that it lost, and shows the backup's heads of these.
    """
    place = place_of(place)
    backup = read_backup(place, at)
    unknown = [each for each in domains if each not in backup.domains]
    if unknown:
        known = ", ".join(backup.domains)
        raise BackupMissing(wanted=f" of {unknown[0]}", place=f"{place}, {backup.name}", known=known)
    wanted = tuple(domains or backup.domains)
    whole = set(wanted) == set(backup.domains)
    set_aside_if_damaged(settings)
    with open_registry(settings) as registry, _databases(settings, place, backup) as folder:
        frozen_at = replace(settings, registry=f"sqlite:///{folder / 'registry.sqlite'}")
        with open_registry(frozen_at) as frozen:
            for each in wanted if not yes else ():
                _refuse_going_back(settings, registry, frozen, backup, each)
            counts = [_bring_files(settings, place, backup, each) for each in wanted]
            for each in wanted:
                _bring_catalog(settings, backup, each, folder)
            empty = _is_empty(registry)
            if whole and yes and not empty:
                _keep_registry(settings, registry)
            replaced = _bring_registry(registry, frozen, wanted, whole=whole and (yes or empty))
    return Restored(backup, wanted, sum(new for new, _ in counts), sum(old for _, old in counts), replaced)


@contextmanager
def _databases(settings: Settings, place: str, backup: Backup) -> Iterator[Path]:
    """The backup's registry and catalogs, near, and proved to be what they were."""
    folder = settings.scratch / f"restore-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    try:
        for name, kept in backup.databases.items():
            source = f"{place}/backups/{backup.name}/{name}"
            _take(source, str(folder / name), kept.sha256, "the backup")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(source: str, target: str, sha256: str, domain: str) -> bool:
    """Have a file of the backup there; True if it was not."""
    try:
        there = store_at(target).size(target) is not None and store_at(target).digest(target) == sha256
        if there:
            return False
        digest, _ = transfer(source, target, link=False)
        if digest != sha256:
            raise NotWhole("is not what was backed up")
    except NotWhole as problem:
        remedy = "Look for another backup: `mesh lake restore PLACE --list`"
        raise FilesLost(domain=domain, count=1, file=source, problem=str(problem), remedy=remedy) from None
    return True


def _refuse_going_back(
    settings: Settings, registry: Registry, frozen: Registry, backup: Backup, domain: str
) -> None:
    """Whatever is here and not in the backup would be lost."""
    known = {(each.product, each.number): each.run_id for each in frozen.versions_of(domain)}
    for version in registry.versions_of(domain):
        if known.get((version.product, version.number)) != version.run_id:
            newer = f"{version.product} has version {version.number}, of {version.published:%Y-%m-%d %H:%M}"
            raise WouldGoBack(domain=domain, made=backup.made, newer=newer)
    newest = 0
    with suppress(duckdb.Error, CatalogDamaged):  # a catalog that cannot be read has nothing to lose
        newest = max((each.number for each in holdings(settings, domain).snapshots), default=0)
    if newest > backup.domains[domain].snapshot:
        newer = f"its lake is at snapshot {newest}, the backup at {backup.domains[domain].snapshot}"
        raise WouldGoBack(domain=domain, made=backup.made, newer=newer)


def _bring_files(settings: Settings, place: str, backup: Backup, domain: str) -> tuple[int, int]:
    """Every file of the domain that is not there as it was; returns how many were copied, and were there."""
    root, part, copied = lake_of(settings, domain).root, backup.domains[domain], 0
    for path, kept in part.files.items():
        copied += _take(f"{place}/lakes/{domain}/{path}", f"{root}/{path}", kept.sha256, domain)
    if part.log:
        lake = lake_of(settings, domain)
        target = f"{lake.log}/restored.jsonl" if lake.objects else lake.log
        if store_at(target).size(target) is None:
            store_at(target).write(target, part.log.encode())
    return copied, len(part.files) - copied


def _bring_catalog(settings: Settings, backup: Backup, domain: str, folder: Path) -> None:
    place = lake_of(settings, domain)
    place.folder.mkdir(parents=True, exist_ok=True)
    if place.objects and not place.record.exists():
        keep_record(place)
    near = LakePlace(domain, folder / domain)
    near.folder.mkdir(exist_ok=True)
    source = folder / f"{domain}.sqlite"
    shutil.copyfile(source, near.catalog)
    stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    with commit_lock(settings, place, what=f"restore of {backup.name}"):
        set_catalog_aside(place, stamp)
        copy_catalog(settings, near, place)


def _is_empty(registry: Registry) -> bool:
    with registry.reading() as connection:
        return is_empty(connection)


def _keep_registry(settings: Settings, registry: Registry) -> None:
    """What is about to be replaced, in a file beside it."""
    path = settings.home / f"registry.before-{datetime.now(UTC):%Y%m%d%H%M%S}.sqlite"
    with (
        open_registry(replace(settings, registry=f"sqlite:///{path}")) as target,
        one_moment(registry) as source,
        target.writing() as connection,
    ):
        copy_all(source, connection)


def _bring_registry(registry: Registry, frozen: Registry, domains: Sequence[str], *, whole: bool) -> bool:
    if whole:
        with one_moment(frozen) as source, registry.writing() as target:
            copy_all(source, target)
        return True
    heads = {str(product): number for product, number in frozen.heads().items()}
    for domain in domains:
        kept = frozen.versions_of(domain)
        registry.restore([_remembered(frozen, version) for version in kept])
        known = {(each.product, each.number) for each in kept}
        later = [each for each in registry.versions_of(domain) if (each.product, each.number) not in known]
        products = {str(each.product) for each in (*kept, *later)}
        mine = {name: number for name, number in heads.items() if name in products}
        with registry.writing() as connection:
            heads_back(connection, mine, products)
        lost: dict[ProductName, list[int]] = {}
        for each in later:
            lost.setdefault(each.product, []).append(each.number)
        registry.expire(lost, who="a restore")
    return False


def _remembered(frozen: Registry, version: Version) -> Remembered:
    return Remembered(
        certificate=version.certificate,
        published=version.published,
        expired=version.expired,
        expired_by="as the backup has it",
    )
