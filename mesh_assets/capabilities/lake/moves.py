"""A lake taken to another place: its data, its catalog, or both, while everybody reads on and others commit.

Files never change, so they are copied without the lock. Under it follow the few that came meanwhile, the
catalog, and one small file, the lake's record, which is the switch. The old place stays for those who read in
it, until it is dropped. Killed anywhere, the same call goes on: what is there whole is not copied again.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.catalogs import copy_catalog, set_data_path
from mesh_assets.capabilities.lake.connection import has_lake, refuse_secret
from mesh_assets.capabilities.lake.lock import commit_lock
from mesh_assets.capabilities.lake.places import LakePlace, keep_record, lake_of, placed
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.transfers import NotWhole, make_folder, transfer
from mesh_assets.capabilities.lake.upkeep import holdings, log
from mesh_assets.words.moves import FilesLost, MoveUnderWay, NoLake, PlaceTaken, StillRead

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: In the lake's folder: where it is being moved to, and where it was.
UNDER_WAY, BEFORE = "moving.json", "moved.json"

#: What a lake has beside its data.
ASIDE = ("manifests", "artifacts")

#: How long the removal of a schema waits for those who read in it, in seconds.
PATIENCE = 10


@dataclass(frozen=True)
class Moved:
    """What a move did."""

    domain: str
    before: LakePlace
    now: LakePlace
    #: Files that were copied, and those that were there.
    copied: int = 0
    present: int = 0
    bytes: int = 0


@dataclass
class _Count:
    copied: int = 0
    present: int = 0
    bytes: int = 0
    #: Files of data that are in the new place, and their sizes.
    done: dict[str, int] = field(default_factory=dict)


def move(settings: Settings, domain: str, *, to: str | None = None, catalog: str | None = None) -> Moved:
    """Take a lake to `to` (`s3://bucket/prefix`, a folder, or `local`), its catalog to `catalog`, or both.

    Raises PlaceTaken if something else is there, FilesLost if the lake is not whole.
    """
    before = lake_of(settings, domain)
    if not has_lake(settings, before):
        raise NoLake(domain=domain)
    goal = _goal(settings, before, to, catalog)
    count = _Count()
    if _same(goal, before):
        return _finished(settings, before, count)
    _claim(before, goal)
    _copy_data(settings, before, goal, count)
    _copy_aside(before, goal, count)
    with commit_lock(settings, before, what=f"move to {goal.root}"):
        _copy_data(settings, before, goal, count)
        _copy_aside(before, goal, count)
        _copy_log(before, goal)
        refuse_missing(settings, before, goal)
        _switch(settings, before, goal)
        _finish(goal, before)
    _copy_aside(before, goal, count)  # what was written by those who had looked before the switch
    return Moved(domain, before, goal, count.copied, count.present, count.bytes)


def _finished(settings: Settings, now: LakePlace, count: _Count) -> Moved:
    """What is left to do for a move that died after its switch."""
    state = _read(now.folder / UNDER_WAY)
    if not state or state["root"] != now.root or state["catalog"] != now.catalog_setting:
        return Moved(now.domain, now, now)
    old = placed(settings, now.domain, state["from"]["root"], state["from"]["catalog"])
    with commit_lock(settings, now, what="end of a move"):
        set_data_path(settings, now, now.data)
        _finish(now, old)
    _copy_aside(old, now, count)
    return Moved(now.domain, old, now, count.copied)


def places_before(settings: Settings, domain: str) -> list[dict[str, Any]]:
    """Where a lake was, and since when it is not: what `drop` would remove."""
    return _read(lake_of(settings, domain).folder / BEFORE) or []


def drop(
    settings: Settings, domain: str, *, who: str, older: datetime | None = None
) -> list[tuple[str, int]]:
    """Remove the places that the lake left (before a moment); returns what went: (path, bytes).

    The place where it is now is looked at first: nothing goes while a file is missing there, or while a
    move is under way, which may go back.
    """
    place = lake_of(settings, domain)
    gone: list[tuple[str, int]] = []
    entries = places_before(settings, domain)
    if not [each for each in entries if _due(each, older)]:
        return gone
    with commit_lock(settings, place, what="removing places that the lake left"):
        entries = places_before(settings, domain)
        due = [each for each in entries if _due(each, older)]
        for each in due if not (place.folder / UNDER_WAY).exists() else ():
            old = placed(settings, domain, each["root"], each["catalog"])
            log(place, {"place": old.root, "catalog": old.catalog_setting}, who=who, what="left")
            if old.root != place.root:
                _copy_aside(old, place, _Count())
                refuse_missing(settings, place, place)
                gone += _drop_data(old)
            if old.postgres != place.postgres:
                gone += _drop_catalog(old)
            entries = [other for other in entries if other != each]
            _write(place.folder / BEFORE, entries)
    return gone


def refuse_missing(settings: Settings, place: LakePlace, goal: LakePlace) -> None:
    """Raise FilesLost unless every file that the catalog at `place` knows is in `goal` in its size."""
    there = {each.path: each.bytes for each in store_at(goal.data).below(goal.data)}
    known = {file.path: file.bytes for file in holdings(settings, place.domain).files}
    wrong = [path for path, size in known.items() if there.get(f"{goal.data}/{path}") != size]
    if wrong:
        raise _lost(place.domain, len(wrong), wrong[0], "is not there in its size")


def _goal(settings: Settings, before: LakePlace, to: str | None, catalog: str | None) -> LakePlace:
    if catalog is not None:
        refuse_secret(catalog)
    root = before.root
    if to == "local":
        root = str(before.folder)
    elif to is not None:
        base = to.rstrip("/") if to.startswith("s3://") else str(Path(to).expanduser().resolve())
        root = f"{base}/{before.domain}"
    return placed(settings, before.domain, root, catalog or before.catalog_setting)


def _same(a: LakePlace, b: LakePlace) -> bool:
    return (a.root, a.postgres) == (b.root, b.postgres)


def _claim(before: LakePlace, goal: LakePlace) -> None:
    """From now on what is in the new place is of this move."""
    path = before.folder / UNDER_WAY
    wanted = {"root": goal.root, "catalog": goal.catalog_setting}
    found = _read(path)
    if found and all(found[name] == value for name, value in wanted.items()):
        return
    if found:
        command = f"`mesh lake move {before.domain} --to {shlex.quote(str(Path(found['root']).parent))}`"
        if found["root"].startswith("s3://"):
            command = f"`mesh lake move {before.domain} --to {found['root'].rpartition('/')[0]}`"
        raise MoveUnderWay(domain=before.domain, place=found["root"], command=command)
    entries = _read(before.folder / BEFORE) or []
    ours = {each["root"] for each in entries}
    if goal.root not in {before.root, *ours} and any(True for _ in store_at(goal.data).below(goal.data)):
        raise PlaceTaken(place=goal.data, domain=before.domain)
    servers = {each["catalog"] for each in entries}
    if goal.postgres and goal.postgres != before.postgres and goal.catalog_setting not in servers:
        _refuse_schema(goal)
    if not goal.objects:
        make_folder(Path(goal.root))  # before anybody is told that a move is under way, which has to end
    _write(path, {**wanted, "from": {"root": before.root, "catalog": before.catalog_setting}})


def _refuse_schema(goal: LakePlace) -> None:
    import psycopg

    with psycopg.connect(goal.postgres) as session:
        query = "SELECT to_regclass(%s) IS NOT NULL"
        row = session.execute(query, [f"{goal.metadata_schema}.ducklake_snapshot"]).fetchone()
    if row and row[0]:
        place = f"Schema {goal.metadata_schema} of {goal.postgres}"
        raise PlaceTaken(place=place, domain=goal.domain)


def _copy_data(settings: Settings, before: LakePlace, goal: LakePlace, count: _Count) -> None:
    """Every file of every snapshot that can still be read."""
    if goal.root == before.root:
        return
    for file in holdings(settings, before.domain).files:
        if file.path in count.done:
            continue
        try:
            _, new = transfer(f"{before.data}/{file.path}", f"{goal.data}/{file.path}")
        except NotWhole as problem:
            raise _lost(before.domain, 1, file.path, str(problem)) from None
        if store_at(goal.data).size(f"{goal.data}/{file.path}") != file.bytes:
            raise _lost(before.domain, 1, file.path, f"has not the {file.bytes:,} bytes that it had")
        count.done[file.path] = file.bytes
        count.copied, count.present = count.copied + new, count.present + (not new)
        count.bytes += file.bytes * new


def _copy_aside(before: LakePlace, goal: LakePlace, count: _Count) -> None:
    """Manifests change once, by their stamp; artifacts never."""
    if goal.root == before.root:
        return
    there = {
        each.path: each.bytes for part in ASIDE for each in store_at(goal.root).below(f"{goal.root}/{part}")
    }
    for file in _aside(before):
        target = f"{goal.root}/{before.relative(file[0])}"
        # A manifest that is there is this one, or has its stamp since.
        if there.get(target, -1) < file[1]:
            with suppress(NotWhole):  # taken away meanwhile
                transfer(file[0], target, link=False)
                count.copied += 1


def _aside(place: LakePlace) -> Iterator[tuple[str, int]]:
    for part in ASIDE:
        for each in store_at(place.root).below(f"{place.root}/{part}"):
            if not each.path.endswith(".half"):
                yield each.path, each.bytes


def _copy_log(before: LakePlace, goal: LakePlace) -> None:
    if goal.root == before.root:
        return
    store = store_at(before.root)
    if before.objects:
        parts = [store.read(each.path) or b"" for each in store.below(before.log)]
    else:
        parts = [store.read(before.log) or b""]
    text = b"".join(parts)
    if text:
        name = f"{goal.log}/{datetime.now(UTC):%Y%m%dT%H%M%S%f}-moved.jsonl" if goal.objects else goal.log
        if goal.objects:
            for each in list(store_at(goal.root).below(goal.log)):
                store_at(goal.root).remove(each.path)
        store_at(goal.root).write(name, text)


def _switch(settings: Settings, before: LakePlace, goal: LakePlace) -> None:
    """One file says where the lake is: until it is replaced, everything is as it was."""
    if goal.postgres != before.postgres:
        copy_catalog(settings, before, goal)
        keep_record(goal, catalog=True)
        return
    # The catalog stays, and names the place of its data: for a moment both places are right.
    keep_record(replace(before, also=goal.root), catalog=True)
    set_data_path(settings, before, goal.data)
    keep_record(replace(goal, also=before.root), catalog=True)


def _finish(now: LakePlace, before: LakePlace) -> None:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    old = {"root": before.root, "catalog": before.catalog_setting}
    here = {"root": now.root, "catalog": now.catalog_setting}
    entries = [
        each
        for each in _read(now.folder / BEFORE) or []
        if {**each, "left": ""} not in ({**old, "left": ""}, {**here, "left": ""})
    ]
    entries.append({**old, "left": moment})
    _write(now.folder / BEFORE, entries)
    keep_record(replace(now, also=""), catalog=True)
    (now.folder / UNDER_WAY).unlink(missing_ok=True)


def _due(entry: dict[str, Any], older: datetime | None) -> bool:
    return older is None or datetime.fromisoformat(entry["left"]) < older


def _drop_data(old: LakePlace) -> list[tuple[str, int]]:
    """What a lake keeps in its root, and nothing else that may be there."""
    store, gone = store_at(old.root), []
    for part in ("data", *ASIDE, "upkeep"):
        for each in list(store.below(f"{old.root}/{part}")):
            store.remove(each.path)
            gone.append((each.path, each.bytes))
    if not old.objects:
        Path(old.log).unlink(missing_ok=True)
        for folder in sorted(Path(old.root).rglob("*"), reverse=True):
            with suppress(OSError):  # not empty: not ours
                folder.rmdir() if folder.is_dir() and folder.name != "turns" else None
    return gone


def _drop_catalog(old: LakePlace) -> list[tuple[str, int]]:
    if old.postgres:
        import psycopg

        try:
            with psycopg.connect(old.postgres) as session:
                # Who waits for this lock makes every later reader wait behind it.
                session.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'".encode())
                session.execute(f'DROP SCHEMA IF EXISTS "{old.metadata_schema}" CASCADE'.encode())
        except psycopg.errors.LockNotAvailable:
            raise StillRead(
                domain=old.domain, place=f"Schema {old.metadata_schema}", seconds=PATIENCE
            ) from None
        return [(f"schema {old.metadata_schema}", 0)]
    gone = []
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{old.catalog}{suffix}")
        if part.exists():
            gone.append((str(part), part.stat().st_size))
            part.unlink()
    return gone


def _lost(domain: str, count: int, file: str, problem: str) -> FilesLost:
    remedy = f"See what is wrong: `mesh lake check {domain} --deep`"
    return FilesLost(domain=domain, count=count, file=file, problem=problem, remedy=remedy)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _write(path: Path, content: dict[str, Any] | Collection[dict[str, Any]]) -> None:
    half = path.with_suffix(f".{os.getpid()}.half")
    half.write_text(json.dumps(content, indent=1), encoding="utf-8")
    half.replace(path)
