"""One writer per lake at a time, whoever and wherever it is.

SQLite alone loses most concurrent DuckLake commits to "database is locked"; PostgreSQL retries, and can
starve one writer for a minute. Neither happens behind a lock. Both kinds let go when their process dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from mesh_assets.words.errors import LakeBusy

if TYPE_CHECKING:
    from mesh_assets.capabilities.lake.places import LakePlace
    from mesh_assets.words.settings import Settings

#: How long to wait for the lock, in seconds. A commit holds it for a fraction of one.
PATIENCE = 300.0


@contextmanager
def commit_lock(settings: Settings, place: LakePlace, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lake's lock; raises LakeBusy, naming the holder, when it is not to be had in time."""
    hold = _flock if settings.catalog == "sqlite" else _advisory_lock
    with hold(settings, place, patience):
        yield


@contextmanager
def _flock(_: Settings, place: LakePlace, patience: float) -> Iterator[None]:
    place.folder.mkdir(parents=True, exist_ok=True)
    with place.lock.open("a+") as file:
        _wait(file, place, patience)
        try:
            _sign(file)
            yield
        finally:
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _wait(file: IO[str], place: LakePlace, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LakeBusy(domain=place.domain, holder=_holder(file), seconds=patience) from None
            # flock queues nobody: uneven steps keep one waiter from losing every time.
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311 - a pause is no secret


def _sign(file: IO[str]) -> None:
    """Who holds the lock since when, for people: the lock itself is the kernel's."""
    file.truncate(0)
    file.write(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        signed = json.loads(file.read())
        return f"process {signed['pid']} since {signed['since']}"
    except (ValueError, KeyError):
        return "another process"


@contextmanager
def _advisory_lock(settings: Settings, place: LakePlace, patience: float) -> Iterator[None]:
    import psycopg

    # A session of its own: DuckDB pools its connections, so a lock taken through it may outlive the commit.
    with psycopg.connect(settings.catalog.removeprefix("postgres:"), autocommit=True) as session:
        session.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(patience * 1000)}ms"])
        try:
            session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [place.metadata_schema])
        except psycopg.errors.LockNotAvailable:
            raise LakeBusy(domain=place.domain, holder="another session", seconds=patience) from None
        yield
