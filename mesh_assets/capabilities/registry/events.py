"""Events on record: taken in once, read in the order of their arrival, moved to the lake in batches.

Here: the rows, the cursors of those who follow the ordered tables. Not here: what an event says
(observability), files in the lake.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, true, update

from mesh_assets.capabilities.registry.builds import build_of, result_of
from mesh_assets.capabilities.registry.orders import report_job
from mesh_assets.capabilities.registry.tables import (
    BUILD,
    EVENT,
    EVENT_BATCH,
    LOG_CURSOR,
    RELEASE,
    RELEASE_ITEM,
    RULE_RESULT,
    RUN_ITEM,
    RUN_ORDER,
)
from mesh_assets.words.events import Event, EventKind
from mesh_assets.words.orders import JobReport
from mesh_assets.words.rules import RuleResult
from mesh_assets.words.versions import BuildRecord

#: Keys that one question names.
ASKED = 500


@dataclass(frozen=True)
class Logged:
    """A build, or a recheck, as the log has it."""

    id: int
    build: BuildRecord
    results: tuple[RuleResult, ...]


@dataclass(frozen=True)
class Moved:
    """A head that a release moved."""

    release: int
    environment: str
    run_id: str
    who: str
    released: datetime
    product: str
    number: int
    previous: int | None


@dataclass(frozen=True)
class Batch:
    number: int
    rows: int


def accept(connection: Connection, events: Sequence[Event], *, now: datetime | None = None) -> int:
    """Put events on record; those whose key is there already are not taken twice. How many were new."""
    moment = now or datetime.now(UTC)
    new = unknown(connection, list({event.key: event for event in events}.values()))
    if new:
        connection.execute(insert(EVENT), [_row(event, moment) for event in new])
    return len(new)


def report(connection: Connection, reports: Iterable[JobReport]) -> None:
    """Ends of other tools' runs, for the journeys that wait for them."""
    for each in reports:
        report_job(connection, each)


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + ASKED] for start in range(0, len(keys), ASKED))


def _row(event: Event, moment: datetime) -> dict[str, Any]:
    facts = {**vars(event), "kind": event.kind.value, "body": dict(event.body), "received": moment}
    return {**facts, "batch": None}


def event_of(row: Row[Any]) -> Event:
    facts = {name: value for name, value in row._mapping.items() if name not in ("id", "batch")}
    return Event(**{**facts, "kind": EventKind(row.kind), "body": row.body or {}})


# cursors


def position(connection: Connection, name: str) -> int:
    """How far a reader has come; 0 for one that has not begun."""
    found = connection.scalar(select(LOG_CURSOR.c.position).where(LOG_CURSOR.c.name == name))
    return int(found or 0)


def advance(connection: Connection, name: str, to: int) -> None:
    connection.execute(delete(LOG_CURSOR).where(LOG_CURSOR.c.name == name))
    connection.execute(insert(LOG_CURSOR).values(name=name, position=to))


def builds_after(connection: Connection, after: int, limit: int) -> list[Logged]:
    """The next builds and rechecks in the order in which they were recorded, with what their rules said."""
    query = select(BUILD).where(BUILD.c.id > after).order_by(BUILD.c.id).limit(limit)
    rows = connection.execute(query).all()
    said = _said(connection, [row.id for row in rows])
    return [Logged(row.id, build_of(row), tuple(said[row.id])) for row in rows]


def builds_of(connection: Connection, products: Sequence[str], limit: int, run_id: str = "") -> list[Logged]:
    """The last builds and rechecks of products (those of one run), newest first, with what rules said."""
    mine = BUILD.c.product.in_(list(products)) & ((BUILD.c.run_id == run_id) if run_id else true())
    rows = connection.execute(select(BUILD).where(mine).order_by(BUILD.c.id.desc()).limit(limit)).all()
    said = _said(connection, [row.id for row in rows])
    return [Logged(row.id, build_of(row), tuple(said[row.id])) for row in rows]


def _said(connection: Connection, builds: Sequence[int]) -> dict[int, list[RuleResult]]:
    said: dict[int, list[RuleResult]] = {number: [] for number in builds}
    results = select(RULE_RESULT).where(RULE_RESULT.c.build_id.in_(list(said)))
    for row in connection.execute(results.order_by(RULE_RESULT.c.build_id, RULE_RESULT.c.position)):
        said[row.build_id].append(result_of(row))
    return said


def is_behind(connection: Connection, builds: str, releases: str = "") -> bool:
    """Whether a reader of builds, and of releases, has something to read."""
    for name, column in ((builds, BUILD.c.id), (releases, RELEASE.c.id)):
        if name and int(connection.scalar(select(func.max(column))) or 0) > position(connection, name):
            return True
    return False


def unknown(connection: Connection, events: Sequence[Event]) -> list[Event]:
    """Those that are not on record."""
    keys = [event.key for event in events]
    known = {
        row.key
        for part in _parts(keys)
        for row in connection.execute(select(EVENT.c.key).where(EVENT.c.key.in_(part)))
    }
    return [event for event in events if event.key not in known]


def moves_after(connection: Connection, after: int, limit: int) -> list[Moved]:
    """Heads that the next releases moved, release by release."""
    some = select(RELEASE.c.id).where(RELEASE.c.id > after).order_by(RELEASE.c.id).limit(limit).subquery()
    query = (
        select(RELEASE, RELEASE_ITEM.c.product, RELEASE_ITEM.c.number, RELEASE_ITEM.c.previous)
        .join(RELEASE_ITEM, RELEASE_ITEM.c.release_id == RELEASE.c.id)
        .where(RELEASE.c.id.in_(select(some.c.id)))
        .order_by(RELEASE.c.id, RELEASE_ITEM.c.product)
    )
    return [
        Moved(
            release=row.id,
            environment=row.environment,
            run_id=row.run_id,
            who=row.who,
            released=row.released,
            product=row.product,
            number=row.number,
            previous=row.previous,
        )
        for row in connection.execute(query)
    ]


def orders_ended(connection: Connection, since: datetime) -> list[dict[str, Any]]:
    """Orders that ended since then, with the outcomes of their products."""
    query = select(RUN_ORDER).where(RUN_ORDER.c.ended >= since).order_by(RUN_ORDER.c.ended)
    found = [dict(row._mapping) for row in connection.execute(query)]
    for order in found:
        mine = select(RUN_ITEM.c.outcome, func.count()).where(RUN_ITEM.c.order_id == order["id"])
        counts = connection.execute(mine.group_by(RUN_ITEM.c.outcome))
        order["outcomes"] = {str(outcome or "waiting"): count for outcome, count in counts}
    return found


# batches


def begin_batch(connection: Connection, most: int, now: datetime) -> Batch | None:
    """The batch that somebody began and did not finish, else a new one; None if there is nothing to move."""
    begun = select(EVENT_BATCH).where(EVENT_BATCH.c.finished.is_(None), EVENT_BATCH.c.rows > 0)
    row = connection.execute(begun.order_by(EVENT_BATCH.c.number)).first()
    if row is not None:
        return Batch(row.number, row.rows)
    waiting = select(EVENT.c.id).where(EVENT.c.batch.is_(None)).order_by(EVENT.c.id).limit(most)
    ids = [number for (number,) in connection.execute(waiting)]
    if not ids:
        return None
    number = _new_batch(connection, len(ids), now)
    mine = EVENT.c.batch.is_(None) & (EVENT.c.id <= ids[-1])
    connection.execute(update(EVENT).where(mine).values(batch=number))
    return Batch(number, len(ids))


def _new_batch(connection: Connection, rows: int, now: datetime) -> int:
    number = int(connection.scalar(select(func.max(EVENT_BATCH.c.number))) or 0) + 1
    connection.execute(insert(EVENT_BATCH).values(number=number, began=now, rows=rows))
    return number


def batch_events(connection: Connection, number: int) -> list[Event]:
    query = select(EVENT).where(EVENT.c.batch == number).order_by(EVENT.c.id)
    return [event_of(row) for row in connection.execute(query)]


def finish_batch(connection: Connection, number: int, snapshot: int, now: datetime) -> bool:
    """From now on readers find the batch in the lake; False if somebody was quicker."""
    mine = (EVENT_BATCH.c.number == number) & EVENT_BATCH.c.finished.is_(None)
    done = update(EVENT_BATCH).where(mine).values(snapshot=snapshot, finished=now)
    if connection.execute(done).rowcount == 0:
        return False
    connection.execute(update(EVENT).where(EVENT.c.batch == number).values(body=None))
    return True


def finished_snapshot(connection: Connection) -> int | None:
    """Where the lake holds all batches that are finished."""
    done = select(EVENT_BATCH.c.snapshot).where(EVENT_BATCH.c.finished.is_not(None))
    found = connection.scalar(done.order_by(EVENT_BATCH.c.number.desc()).limit(1))
    return None if found is None else int(found)


def not_in_the_lake(connection: Connection) -> list[Event]:
    """Events of no finished batch, in the order of their arrival."""
    done = select(EVENT_BATCH.c.number).where(EVENT_BATCH.c.finished.is_not(None))
    waiting = EVENT.c.batch.is_(None) | EVENT.c.batch.not_in(done)
    return [event_of(row) for row in connection.execute(select(EVENT).where(waiting).order_by(EVENT.c.id))]


def note_expiry(connection: Connection, snapshot: int, now: datetime) -> None:
    """A batch without rows: from now on readers see the lake without the days that are over."""
    number = _new_batch(connection, 0, now)
    finish_batch(connection, number, snapshot, now)


def forget(connection: Connection, before: datetime) -> int:
    """Let go of keys of events that are in the lake no more."""
    moved = EVENT.c.batch.in_(select(EVENT_BATCH.c.number).where(EVENT_BATCH.c.finished.is_not(None)))
    return connection.execute(delete(EVENT).where(moved & (EVENT.c.received < before))).rowcount
