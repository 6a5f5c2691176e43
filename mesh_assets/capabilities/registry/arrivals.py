"""Files that came, batches that were landed, and keys of events: the cursors of sources."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from mesh_assets.capabilities.registry.tables import ARRIVAL, EVENT_KEY, LANDING
from mesh_assets.words.arrivals import Arrival, ArrivalState, Landing

#: Keys asked for in one statement; SQLite takes 32,766 values.
AT_ONCE = 5_000


def newest(connection: Connection, domain: str) -> dict[tuple[str, str], list[Arrival]]:
    """(source, file) -> what is known of it now: the last one decided on, then one that settles."""
    query = (
        select(ARRIVAL)
        .where(ARRIVAL.c.domain == domain, ARRIVAL.c.state != ArrivalState.SUPERSEDED)
        .order_by(ARRIVAL.c.id)
    )
    found: dict[tuple[str, str], list[Arrival]] = {}
    for row in connection.execute(query):
        found.setdefault((row.source, row.file), []).append(_arrival(row))
    return found


def arrivals(connection: Connection, domain: str | None, limit: int) -> list[Arrival]:
    """Newest first."""
    query = select(ARRIVAL).order_by(ARRIVAL.c.id.desc()).limit(limit)
    if domain is not None:
        query = query.where(ARRIVAL.c.domain == domain)
    return [_arrival(row) for row in connection.execute(query)]


def set_aside(connection: Connection, domain: str | None) -> list[Arrival]:
    """Files that builds go without now, oldest first."""
    query = select(ARRIVAL).where(ARRIVAL.c.state == ArrivalState.SET_ASIDE).order_by(ARRIVAL.c.id)
    if domain is not None:
        query = query.where(ARRIVAL.c.domain == domain)
    return [_arrival(row) for row in connection.execute(query)]


def keep(connection: Connection, changes: Sequence[Arrival], gone: Collection[int] = ()) -> None:
    """Write what a look found: new arrivals, changed ones, and the settling ones whose file is gone.

    A look that another one was quicker than changes nothing that the other decided.
    """
    for each in changes:
        if each.id is not None:
            connection.execute(update(ARRIVAL).where(ARRIVAL.c.id == each.id).values(_values(each)))
        elif not _there(connection, each):
            connection.execute(insert(ARRIVAL).values(_values(each)))
    if gone:
        mine = ARRIVAL.c.id.in_(list(gone)) & (ARRIVAL.c.state == ArrivalState.SETTLING)
        connection.execute(delete(ARRIVAL).where(mine))


def _there(connection: Connection, arrival: Arrival) -> bool:
    """True if this state of the file is on record: two looks at once see the same news."""
    mine = (ARRIVAL.c.domain == arrival.domain) & (ARRIVAL.c.source == arrival.source)
    same = (ARRIVAL.c.size == arrival.size) & (ARRIVAL.c.modified == arrival.modified)
    alive = ARRIVAL.c.state != ArrivalState.SUPERSEDED
    query = select(ARRIVAL.c.id).where(mine & same & alive & (ARRIVAL.c.file == arrival.file)).limit(1)
    return connection.scalar(query) is not None


def hand_over(connection: Connection, domain: str) -> int | None:
    """Give all accepted arrivals that have none the next batch number; None if there are none."""
    if not is_waiting(connection, domain):
        return None
    last = connection.scalar(select(func.max(ARRIVAL.c.batch)).where(ARRIVAL.c.domain == domain)) or 0
    connection.execute(update(ARRIVAL).where(*_waiting(domain)).values(batch=last + 1))
    return int(last) + 1


def is_waiting(connection: Connection, domain: str) -> bool:
    """True if an accepted arrival has no batch number."""
    return connection.scalar(select(ARRIVAL.c.id).where(*_waiting(domain)).limit(1)) is not None


def _waiting(domain: str) -> tuple[ColumnElement[bool], ...]:
    return (ARRIVAL.c.domain == domain, ARRIVAL.c.state == ArrivalState.ACCEPTED, ARRIVAL.c.batch.is_(None))


def batches(
    connection: Connection, domain: str, after: int, also: Collection[int]
) -> dict[int, list[Arrival]]:
    """Arrivals by batch: those after one, and some before it."""
    wanted = (ARRIVAL.c.batch > after) | ARRIVAL.c.batch.in_(list(also))
    query = select(ARRIVAL).where(ARRIVAL.c.domain == domain, wanted).order_by(ARRIVAL.c.batch, ARRIVAL.c.id)
    found: dict[int, list[Arrival]] = {}
    for row in connection.execute(query):
        found.setdefault(row.batch, []).append(_arrival(row))
    return found


def last_landing(connection: Connection, domain: str, source: str) -> Landing | None:
    """Where a source's cursor stands."""
    mine = (LANDING.c.domain == domain) & (LANDING.c.source == source)
    row = connection.execute(select(LANDING).where(mine).order_by(LANDING.c.number.desc()).limit(1)).first()
    return None if row is None else _landing(row)


def land(connection: Connection, landing: Landing) -> None:
    """Move the cursor; fails if another process landed this number."""
    connection.execute(
        insert(LANDING).values(**{**vars(landing), "keys": list(landing.keys)}, landed=datetime.now(UTC))
    )


def take_events(
    connection: Connection, domain: str, source: str, spool: str, keys: Iterable[str]
) -> list[str]:
    """Put keys on record that are not there yet; returns these."""
    wanted = list(dict.fromkeys(keys))
    mine = (EVENT_KEY.c.domain == domain) & (EVENT_KEY.c.source == source)
    known: set[str] = set()
    for first in range(0, len(wanted), AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        known.update(connection.scalars(select(EVENT_KEY.c.key).where(mine, EVENT_KEY.c.key.in_(some))))
    fresh = [key for key in wanted if key not in known]
    now = datetime.now(UTC)
    if fresh:
        rows = [
            {"domain": domain, "source": source, "key": key, "spool": spool, "received": now} for key in fresh
        ]
        connection.execute(insert(EVENT_KEY), rows)
    return fresh


def waiting_events(connection: Connection, domain: str, source: str) -> tuple[int, datetime | None]:
    """How many events are in no file yet, and when the first of them came."""
    waiting = (EVENT_KEY.c.domain == domain) & (EVENT_KEY.c.source == source) & EVENT_KEY.c.batch.is_(None)
    # Not min() over the column: the driver would return text where the type is a decorated one.
    count = connection.scalar(select(func.count()).select_from(EVENT_KEY).where(waiting)) or 0
    first = select(EVENT_KEY.c.received).where(waiting).order_by(EVENT_KEY.c.received).limit(1)
    return count, connection.scalar(first) if count else None


def bundle_events(connection: Connection, domain: str, source: str, batch: int, most: int) -> int:
    """Give the events that have waited longest the number of a file; returns how many."""
    mine = (EVENT_KEY.c.domain == domain) & (EVENT_KEY.c.source == source)
    oldest = (
        select(EVENT_KEY.c.key)
        .where(mine, EVENT_KEY.c.batch.is_(None))
        .order_by(EVENT_KEY.c.received, EVENT_KEY.c.spool, EVENT_KEY.c.key)
        .limit(most)
    )
    done = connection.execute(
        update(EVENT_KEY).where(mine, EVENT_KEY.c.key.in_(oldest.scalar_subquery())).values(batch=batch)
    )
    return done.rowcount


def events_of(connection: Connection, domain: str, source: str, batch: int) -> dict[str, str]:
    """Key -> spool file of every event in a file."""
    mine = (EVENT_KEY.c.domain == domain) & (EVENT_KEY.c.source == source) & (EVENT_KEY.c.batch == batch)
    return {row.key: row.spool for row in connection.execute(select(EVENT_KEY).where(mine))}


def spools_in_use(connection: Connection, domain: str, source: str) -> set[str]:
    """Spool files with events that are in no file yet."""
    waiting = (EVENT_KEY.c.domain == domain) & (EVENT_KEY.c.source == source) & EVENT_KEY.c.batch.is_(None)
    return set(connection.scalars(select(EVENT_KEY.c.spool).where(waiting).distinct()))


def _values(arrival: Arrival) -> Mapping[str, Any]:
    facts = {name: value for name, value in vars(arrival).items() if name not in ("id", "batch")}
    return {**facts, "state": str(arrival.state), "partitions": list(arrival.partitions)}


def _arrival(row: Row[Any]) -> Arrival:
    facts = dict(row._mapping)
    return Arrival(
        **{**facts, "state": ArrivalState(facts["state"]), "partitions": tuple(facts["partitions"])}
    )


def _landing(row: Row[Any]) -> Landing:
    facts = {name: value for name, value in row._mapping.items() if name != "landed"}
    return Landing(**{**facts, "keys": tuple(facts["keys"])})
