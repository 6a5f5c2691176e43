"""Events as whole Parquet files: a lake of the mesh's own, with one table, a partition for each day.

A batch replaces the files of the days on which its events arrived; an event is in the registry until the
batch is finished, and in the lake from then on. Here: moving, reading, letting go of old days.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.observability.events import Wanted
from mesh_assets.capabilities.registry import events as record
from mesh_assets.words.events import Event, EventKind
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

#: No domain's name begins so: the lake is the mesh's.
TABLE = ProductName("_mesh", "event")
DAY = "day"
COLUMNS = (
    ("key", "VARCHAR"),
    ("kind", "VARCHAR"),
    ("occurred", "TIMESTAMP WITH TIME ZONE"),
    ("received", "TIMESTAMP WITH TIME ZONE"),
    ("sender", "VARCHAR"),
    ("product", "VARCHAR"),
    ("run_id", "VARCHAR"),
    ("job", "VARCHAR"),
    ("outcome", "VARCHAR"),
    ("body", "VARCHAR"),
    (DAY, "DATE"),
)
COMMENTS = {
    "": "What happened in the mesh and in tools beside it; a row is never changed.",
    "key": "Names the event for ever; the same key twice is one event.",
    "body": "JSON.",
    DAY: "The day (UTC) on which the mesh had the event on record.",
}
#: Events in one batch: some 20 MB of JSON.
MOST = 50_000
#: Nobody reads a snapshot of events for longer.
SNAPSHOTS_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Flushed:
    events: int
    batches: int
    #: Days that were let go of.
    days: int = 0


def flush(settings: Settings, registry: Registry, *, now: datetime | None = None) -> Flushed:
    """Move all events that are in the registry into the lake, and let go of what is too old."""
    from mesh_assets.capabilities.observability.events import follow

    moment = now or datetime.now(UTC)
    follow(registry)
    events = batches = 0
    while True:
        with registry.writing() as connection:
            batch = record.begin_batch(connection, MOST, moment)
            base = record.finished_snapshot(connection)
        if batch is None:
            break
        with registry.reading() as connection:
            found = record.batch_events(connection, batch.number)
        snapshot = _commit(settings, batch.number, found, base)
        with registry.writing() as connection:
            done = record.finish_batch(connection, batch.number, snapshot, moment)
        events, batches = events + (batch.rows if done else 0), batches + int(done)
    return Flushed(events, batches, _let_go(settings, registry, moment))


def _commit(settings: Settings, number: int, events: Sequence[Event], base: int | None) -> int:
    """The batch in the lake. A batch that was committed already gives the same snapshot again."""
    from mesh_assets.capabilities.lake import commit, connect, files_sql, stage
    from mesh_assets.capabilities.lake.places import literal

    days = sorted({_day(event) for event in events})
    with tempfile.TemporaryDirectory() as folder, closing(connect(settings)) as connection:
        path = Path(folder) / "events.ndjson"
        path.write_text("".join(json.dumps(_row(event)) + "\n" for event in events), encoding="ascii")
        types = ", ".join(f"{name}: {literal(kind)}" for name, kind in COLUMNS)
        options = f"format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = 67108864"
        new = f"SELECT * FROM read_json({literal(str(path))}, {options})"
        listed = ", ".join(f"DATE {literal(day)}" for day in days)
        paths = [] if base is None else _files_of(settings, base, days)
        old = f"SELECT * FROM ({files_sql(paths, COLUMNS)}) WHERE {DAY} IN ({listed})"
        draft = stage(
            connection,
            f"{old} UNION ALL {new}",
            product=TABLE,
            run_id=f"events-{number}",
            settings=settings,
            partition_column=DAY,
            partitions=days,
            columns=COLUMNS,
        )
        done = commit(settings, draft, who="mesh", extra={"batch": number}, comments=COMMENTS)
    return done.snapshot


def _day(event: Event) -> str:
    assert event.received is not None
    return event.received.astimezone(UTC).date().isoformat()


def _row(event: Event) -> dict[str, Any]:
    assert event.received is not None
    moments = {"occurred": event.occurred.isoformat(), "received": event.received.isoformat()}
    facts = {**vars(event), **moments, "kind": event.kind.value, DAY: _day(event)}
    return {name: facts[name] for name, _ in COLUMNS} | {"body": json.dumps(dict(event.body))}


def _files_of(settings: Settings, snapshot: int, days: Sequence[str] | None = None) -> list[str]:
    """Files of the table at a snapshot, of some days if `days` names them."""
    from mesh_assets.capabilities.lake import files

    found = files(settings, TABLE, snapshot)
    return [path for path in found if days is None or any(f"{DAY}={day}/" in path for day in days)]


def stored(settings: Settings, snapshot: int, wanted: Wanted, limit: int | None) -> list[Event]:
    """Events of the lake that somebody asks for, the oldest first."""
    from mesh_assets.capabilities.lake import connect, files_sql

    paths = _files_of(settings, snapshot)
    if not paths:
        return []
    query = (
        f"SELECT * FROM ({files_sql(paths, COLUMNS)}) WHERE {_where(wanted)} ORDER BY occurred DESC, key DESC"
    )
    with closing(connect(settings)) as connection:
        names = ", ".join(
            f"epoch_us({name})" if kind.startswith("TIMESTAMP") else name
            for name, kind in COLUMNS
            if name != DAY
        )
        bound = "" if limit is None else f" LIMIT {int(limit)}"
        rows = connection.execute(f"SELECT {names} FROM ({query}{bound})").fetchall()
    return [_event(row) for row in reversed(rows)]


def _event(row: tuple[Any, ...]) -> Event:
    # Moments come as numbers: DuckDB gives a moment with a zone only where pytz is installed.
    facts = dict(zip((name for name, _ in COLUMNS), row, strict=False))
    for name in ("occurred", "received"):
        facts[name] = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=facts[name])
    return Event(**{**facts, "kind": EventKind(facts["kind"]), "body": json.loads(facts["body"])})


def _where(wanted: Wanted) -> str:
    from mesh_assets.capabilities.lake.places import literal

    parts = ["true"]
    if wanted.product:
        parts.append(
            f"(product = {literal(wanted.product)} OR starts_with(product, {literal(wanted.product + '.')}))"
        )
    if wanted.kind is not None:
        parts.append(f"kind = {literal(wanted.kind.value)}")
    if wanted.since is not None:
        parts.append(f"occurred >= TIMESTAMPTZ {literal(wanted.since.isoformat())}")
    if wanted.until is not None:
        parts.append(f"occurred < TIMESTAMPTZ {literal(wanted.until.isoformat())}")
    if wanted.run_id:
        parts.append(f"run_id = {literal(wanted.run_id)}")
    if wanted.sender:
        parts.append(f"sender = {literal(wanted.sender)}")
    return " AND ".join(parts)


def _let_go(settings: Settings, registry: Registry, now: datetime) -> int:
    """Days that are over the retention leave the table, then snapshots and files that nobody sees."""
    with registry.reading() as connection:
        snapshot = record.finished_snapshot(connection)
    if snapshot is None:
        return 0
    first = (now - timedelta(days=settings.events_kept)).date().isoformat()
    days = sorted({day for path in _files_of(settings, snapshot) if (day := _day_of(path)) < first})
    if days:
        _empty(settings, registry, days, now)
    _tidy(settings, registry, now)
    return len(days)


def _day_of(path: str) -> str:
    return path.rpartition(f"{DAY}=")[2].partition("/")[0]


def _empty(settings: Settings, registry: Registry, days: Sequence[str], now: datetime) -> None:
    from mesh_assets.capabilities.lake import commit
    from mesh_assets.words.versions import Draft

    run_id = f"events-until-{days[-1]}"
    draft = Draft(TABLE, run_id, (), COLUMNS, tuple(days), DAY)
    done = commit(settings, draft, who="mesh", extra={"until": days[-1]}, comments=COMMENTS)
    with registry.writing() as connection:
        record.note_expiry(connection, done.snapshot, now)
        record.forget(connection, now - timedelta(days=settings.events_kept))


def _tidy(settings: Settings, registry: Registry, now: datetime) -> None:
    """Replaced files of days go once no reader can see them."""
    from mesh_assets.capabilities.lake.upkeep import clean_up, expire_snapshots, holdings

    with registry.reading() as connection:
        current = record.finished_snapshot(connection)
    made = holdings(settings, TABLE.domain).snapshots
    old = [each.number for each in made if each.number != current and each.made < now - SNAPSHOTS_KEPT]
    if old:
        expire_snapshots(settings, TABLE.domain, old, who="mesh")
        clean_up(settings, TABLE.domain, who="mesh", now=now)
