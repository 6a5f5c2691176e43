"""One writer per lake at a time, whoever and wherever it is, in the order in which they came.

SQLite alone loses most concurrent DuckLake commits to "database is locked"; PostgreSQL retries, and can
starve one writer for a minute. Neither happens behind a lock. Both kinds let go when their process dies, and
both are fair: PostgreSQL queues by itself, flock behind tickets (`turns`).
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.places import lake_of
from mesh_assets.capabilities.lake.turns import (
    TOLD_AFTER,
    TOLD_AGAIN,
    NotInTime,
    Patience,
    Turn,
    in_turn,
    turn_of,
    turns,
)
from mesh_assets.words.errors import LakeBusy
from mesh_assets.words.moves import LakeMoved

if TYPE_CHECKING:
    from psycopg import Connection

    from mesh_assets.capabilities.lake.places import LakePlace
    from mesh_assets.words.settings import Settings

LOG = logging.getLogger(__name__)

#: How long to wait for the lock, in seconds. A commit holds it for a fraction of one.
PATIENCE = 300.0

#: Who holds and who waits for a lake's lock, in order, from PostgreSQL. Its words come from the comment in
#: the statement that asked for it; whoever may not see that gets the process alone.
ADVISORY = """
    SELECT a.pid, coalesce(a.query, ''), l.granted, coalesce(a.state_change, a.query_start, now()),
           coalesce(a.query_start, a.backend_start, now())
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(%s, 0)
    ORDER BY l.granted DESC, l.waitstart, a.query_start
"""


@contextmanager
def commit_lock(
    settings: Settings,
    place: LakePlace,
    *,
    patience: float = PATIENCE,
    what: str = "upkeep",
    run_id: str = "",
) -> Iterator[None]:
    """Hold the lake's lock; raises LakeBusy, naming the holder, when it is not to be had in time, and
    LakeMoved when the lake is in another place by then.

    `what` and `run_id` are for others who wait, and for `mesh lake waiting`.
    """
    hold = _advisory_lock if place.postgres else _in_turn
    with hold(place, turn_of(place.domain, what, run_id), patience):
        now = lake_of(settings, place.domain)
        if (now.root, now.postgres) != (place.root, place.postgres):
            raise LakeMoved(domain=place.domain, here=now.root)
        yield


def waiting(_: Settings, place: LakePlace) -> list[Turn]:
    """Who holds the lake's lock and who waits for it, in order."""
    return _turns_of(place)


def _turns_of(place: LakePlace) -> list[Turn]:
    if not place.postgres:
        return turns(place.turns)
    with _session(place) as session:
        return _advisory_turns(session, place)


@contextmanager
def _in_turn(place: LakePlace, turn: Turn, patience: float) -> Iterator[None]:
    deadline = time.monotonic() + patience
    try:
        with in_turn(place.turns, turn, patience), place.lock.open("a") as file:
            # Tickets make it fair; this is what makes it safe, should somebody clear their folder away.
            Patience(place.domain, deadline, lambda: None).for_lock(file, fcntl.LOCK_EX)
            yield
    except NotInTime as late:
        raise _busy(place, late.ahead, patience) from None


@contextmanager
def _advisory_lock(place: LakePlace, turn: Turn, patience: float) -> Iterator[None]:
    # A session of its own: DuckDB pools its connections, so a lock taken through it may outlive the commit.
    with _session(place) as session:
        deadline = time.monotonic() + patience
        name = f"mesh {os.getpid()} {turn.what}"[:63]
        session.execute("SELECT set_config('application_name', %s, false)", [name])
        if not _asked(session, place, turn, "pg_try_advisory_lock"):
            _wait(session, place, turn, deadline, patience)
        yield


def _wait(session: Any, place: LakePlace, turn: Turn, deadline: float, patience: float) -> None:
    """Queue, in this one place of the queue; a second session looks who is ahead, if it takes long."""
    import threading

    told = threading.Event()

    def tell() -> None:
        pause = TOLD_AFTER
        while not told.wait(pause):
            ahead = next(iter(_turns_of(place)), None)
            LOG.warning(
                "waiting to commit to the lake of %s behind %s; see `mesh lake waiting`", place.domain, ahead
            )
            pause = TOLD_AGAIN

    import psycopg

    milliseconds = max(1, int((deadline - time.monotonic()) * 1000))
    session.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        _asked(session, place, turn, "pg_advisory_lock")
    except psycopg.errors.LockNotAvailable:
        raise _busy(place, next(iter(_advisory_turns(session, place)), None), patience) from None
    finally:
        told.set()


def _asked(session: Connection[Any], place: LakePlace, turn: Turn, function: str) -> bool:
    """Ask for the lock in words that others can read in pg_stat_activity while this session holds it."""
    note = json.dumps(asdict(turn), default=str).replace("*/", "* /").replace("%", "%%")
    row = session.execute(
        f"SELECT {function}(hashtextextended(%s, 0)) /* {note} */",
        [place.metadata_schema],
    ).fetchone()
    return bool(row and row[0] is not False)


def _advisory_turns(session: Connection[Any], place: LakePlace) -> list[Turn]:
    found = []
    for pid, query, granted, changed, asked in session.execute(ADVISORY, [place.metadata_schema]).fetchall():
        since = changed if granted else asked
        _, _, note = query.partition("/* ")
        try:
            facts = {**json.loads(note.removesuffix(" */")), "since": since, "holds": granted}
            found.append(Turn(**facts))
        except (ValueError, TypeError):
            found.append(Turn(place.domain, "something", "", pid, "the database's list", since, granted))
    return found


def _session(place: LakePlace) -> Connection[Any]:
    import psycopg

    return psycopg.connect(place.postgres, autocommit=True)


def _busy(place: LakePlace, ahead: Turn | None, patience: float) -> LakeBusy:
    holder = "another process" if ahead is None else str(ahead)
    return LakeBusy(domain=place.domain, holder=holder, seconds=patience)
