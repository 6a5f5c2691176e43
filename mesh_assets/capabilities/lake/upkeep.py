"""What a lake lets go of: snapshots by name, files that no snapshot sees, files that no commit ever named.

Here: doing it, under the lake's lock, with a line in its log before each deletion. The log stays when the
registry is lost.
Not here: which version may go (upkeep), what a build left in staging (sweep).
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect, has_lake
from mesh_assets.capabilities.lake.ledger import KnownFile, Ledger, Snapshot, open_ledger
from mesh_assets.capabilities.lake.lock import commit_lock
from mesh_assets.capabilities.lake.places import LakePlace, lake_of, literal
from mesh_assets.capabilities.lake.stores import Objects, store_at
from mesh_assets.capabilities.lake.told import told
from mesh_assets.words.errors import GraceTooShort, StrangePath

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: No run, and no reader that began before an expiry, lasts longer.
GRACE = timedelta(days=1)

#: Below this a file could be one that a commit is about to name, or that a reader has just been told.
SHORTEST_GRACE = timedelta(hours=1)

#: What cleans up in DuckLake, and why it may.
CLEANERS = {
    "ducklake_cleanup_old_files": "no version needs it any more",
    "ducklake_delete_orphaned_files": "no commit named it",
}


@dataclass(frozen=True)
class Holdings:
    """What a lake's catalog says that it has."""

    snapshots: tuple[Snapshot, ...]
    files: tuple[KnownFile, ...]

    @cached_property
    def tables(self) -> dict[str, list[KnownFile]]:
        found: dict[str, list[KnownFile]] = {}
        for file in self.files:
            found.setdefault(file.table, []).append(file)
        return found

    def at(self, table: object, snapshot: int) -> list[KnownFile]:
        """The files of a table at a snapshot."""
        return [file for file in self.tables.get(str(table), ()) if file.seen_at(snapshot)]


@dataclass(frozen=True)
class Leftover:
    """A file that may go."""

    path: str
    bytes: int
    why: str
    #: What the server calls an upload that nobody finished.
    upload: str = ""


def holdings(settings: Settings, domain: str) -> Holdings:
    """Everything that the catalog knows; nothing for a domain that has no lake yet."""
    if not _there(settings, domain):
        return Holdings((), ())
    with told(domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, domain)
        return Holdings(tuple(ledger.snapshots()), tuple(ledger.known_files()))


def expire_snapshots(settings: Settings, domain: str, numbers: Collection[int], *, who: str) -> list[int]:
    """Take these snapshots out of the catalog and return those that were there. The newest always stays.

    Files that no other snapshot sees are marked for `clean_up`; none is deleted here.
    """
    place = lake_of(settings, domain)
    with told(domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, domain, read_only=False)
        with commit_lock(settings, place):
            present = {snapshot.number for snapshot in ledger.snapshots()}
            gone = sorted(set(numbers) & (present - {max(present, default=0)}))
            if gone:
                log(place, {"snapshots": gone}, who=who, what="expired")
                listed = ", ".join(str(number) for number in gone)
                connection.execute(
                    f"CALL ducklake_expire_snapshots({literal(ledger.alias)}, versions => [{listed}])"
                )
    return gone


def leftovers(
    settings: Settings, domain: str, *, grace: timedelta = GRACE, now: datetime | None = None
) -> list[Leftover]:
    """Files that `clean_up` would delete now."""
    before = (now or datetime.now(UTC)) - grace
    if not _there(settings, domain):
        return []
    place = lake_of(settings, domain)
    with told(domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, domain, read_only=False)
        with commit_lock(settings, place):
            found = [file for cleaner in CLEANERS for file in _found(ledger, place, cleaner, before)]
        return found + _unfinished(place, before)


def clean_up(
    settings: Settings, domain: str, *, who: str, grace: timedelta = GRACE, now: datetime | None = None
) -> list[Leftover]:
    """Delete files that have been marked, or unknown, for as long as `grace`; each is in the log first.

    Under the lake's lock: between the renaming of a draft and its COMMIT its files are unknown, and a file
    that was linked for a commit has the age of the one that it was linked from.
    """
    if grace < SHORTEST_GRACE:
        raise GraceTooShort(asked=grace, least=SHORTEST_GRACE)
    if not _there(settings, domain):
        return []
    place = lake_of(settings, domain)
    before = (now or datetime.now(UTC)) - grace
    deleted = []
    with told(domain), closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        ledger = open_ledger(connection, settings, domain, read_only=False)
        with commit_lock(settings, place):
            for cleaner in CLEANERS:
                found = _found(ledger, place, cleaner, before)
                log_deleted(place, who, found)
                if found:
                    connection.execute(_call(ledger, cleaner, before, dry=False))
                deleted += found
    halves = _unfinished(place, before)
    log_deleted(place, who, halves)
    for each in halves:
        Objects().abandon(each.path, each.upload)
    return deleted + halves


def log_deleted(place: LakePlace, who: str, files: Sequence[Leftover]) -> None:
    """A line for each file that is deleted next; one that is not in the lake has its whole path."""
    names = [file.path.removeprefix(f"{place.root}/") for file in files]
    facts = [
        {"file": name, "bytes": file.bytes, "why": file.why} for name, file in zip(names, files, strict=True)
    ]
    log(place, *facts, who=who, what="deleted")


def log(place: LakePlace, *facts: Mapping[str, Any], who: str, what: str) -> None:
    """Lines in the lake's log, stored before what they tell of happens."""
    now = datetime.now(UTC)
    head = {"at": now.isoformat(timespec="seconds"), "who": who, "what": what}
    text = "".join(json.dumps({**head, **each}) + "\n" for each in facts)
    if not text:
        return
    if place.objects:
        path = f"{place.log}/{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.jsonl"
        store_at(path).write(path, text.encode())
        return
    with Path(place.log).open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def expired_snapshots(settings: Settings, domain: str) -> dict[int, tuple[datetime, str]]:
    """Snapshots that were expired: when, and by whom."""
    return {
        number: (datetime.fromisoformat(line["at"]), line["who"])
        for line in logged(settings, domain)
        if line["what"] == "expired"
        for number in line["snapshots"]
    }


def logged(settings: Settings, domain: str) -> Iterator[dict[str, Any]]:
    """What was expired and deleted, oldest first; a line that a power cut left half is passed over."""
    place = lake_of(settings, domain)
    store = store_at(place.root)
    paths = sorted(each.path for each in store.below(place.log)) if place.objects else [place.log]
    for path in paths:
        for line in (store.read(path) or b"").decode().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _there(settings: Settings, domain: str) -> bool:
    return has_lake(settings, lake_of(settings, domain))


def _found(ledger: Ledger, place: LakePlace, cleaner: str, before: datetime) -> list[Leftover]:
    rows = ledger.connection.execute(_call(ledger, cleaner, before, dry=True)).fetchall()
    paths = [str(path) for (path,) in rows]
    for path in paths:
        if not _within(place, path):
            raise StrangePath(path=path, folder=place.data)
    store = store_at(place.root)
    return [Leftover(path, store.size(path) or 0, CLEANERS[cleaner]) for path in paths]


def _within(place: LakePlace, path: str) -> bool:
    if place.objects:
        return path.startswith(f"{place.data}/")
    return Path(path).resolve().is_relative_to(Path(place.data).resolve())


def _unfinished(place: LakePlace, before: datetime) -> list[Leftover]:
    """Parts of files that never became files; they cost what files cost."""
    if not place.objects:
        return []
    why = "its upload was never finished"
    return [
        Leftover(each.path, each.bytes, why, upload)
        for each, upload in Objects().unfinished(place.data)
        if each.modified < before
    ]


def _call(ledger: Ledger, cleaner: str, before: datetime, *, dry: bool) -> str:
    # Never cleanup_all: it deletes a writer's file before its COMMIT, and the COMMIT succeeds.
    return (
        f"CALL {cleaner}({literal(ledger.alias)}, dry_run => {str(dry).lower()}, "
        f"older_than => TIMESTAMPTZ {literal(before.isoformat())})"
    )
