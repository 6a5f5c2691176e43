"""Deliveries: every file is seen once it is whole, judged once, and on record.

A look compares names, sizes and times with what is known; a file is read when it has settled, and never
again while it stays. Here: files. Not here: how rows (landed_rows) and events (landed_events) become files;
starting builds (orchestration).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mesh_assets.capabilities.contracts.model import Domain, Source
from mesh_assets.capabilities.publishing.sources import (
    checksum,
    files_of,
    folder_of,
    parse_problem,
    problem_of,
)
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.arrivals import Arrival, ArrivalState, Received
from mesh_assets.words.settings import Settings

#: Seconds after which a look leaves files that are still to be read to the next one.
ENOUGH = 20
#: A file that nobody touched for so long is whole at the first look.
OLD = timedelta(minutes=1)


@dataclass
class Look:
    """What one look found."""

    #: Judged now: accepted or set aside.
    decided: list[Arrival] = field(default_factory=list)
    #: Seen, and not whole yet.
    settling: list[Arrival] = field(default_factory=list)
    #: Files that this look had no time for.
    later: int = 0
    #: Sources that could not be asked for new rows: name -> why.
    unreachable: dict[str, str] = field(default_factory=dict)
    _changes: list[Arrival] = field(default_factory=list)
    _gone: list[int] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def tired(self) -> bool:
        return time.monotonic() - self._began > ENOUGH


def look_for_arrivals(
    settings: Settings, registry: Registry, domain: Domain, *, now: datetime | None = None
) -> Look:
    """Land new rows and events of the domain, and put on record what came; cheap if nothing did."""
    moment = now or datetime.now(UTC)
    look = Look()
    _land(settings, registry, domain, look, moment)
    known = registry.files_known(domain.name)
    seen: set[tuple[str, str]] = set()
    for source in domain.sources:
        folder = folder_of(settings, source)
        for path in files_of(source, folder):
            file = path.relative_to(folder).as_posix()
            seen.add((source.name, file))
            _look_at(look, _Seen(domain.name, source, file, path, moment), known.get((source.name, file), []))
    for key, arrivals in known.items():
        if key not in seen:
            look._gone += [each.id for each in arrivals if not each.decided and each.id is not None]
    if look._changes or look._gone:
        registry.keep_arrivals(look._changes, look._gone)
    return look


def receive(
    settings: Settings, registry: Registry, domain: str, source: str, body: bytes, content_type: str
) -> Received:
    """Take pushed events in: on disk and on record when this returns, each key once.

    Raises UnknownSource, and EventsRefused if a single one of them is not right: then none is taken.
    """
    from mesh_assets.capabilities.publishing.landed_events import take_in

    return take_in(settings, registry, domain, source, body, content_type)


def _land(settings: Settings, registry: Registry, domain: Domain, look: Look, now: datetime) -> None:
    kinds = {source.delivery.kind for source in domain.sources}
    if "rows" in kinds:
        from mesh_assets.capabilities.publishing.landed_rows import land_rows
        from mesh_assets.words.errors import MeshError

        for source in domain.sources:
            if source.delivery.kind == "rows":
                try:
                    land_rows(settings, registry, domain.name, source)
                except MeshError as error:  # one database that is down holds back nobody else
                    look.unreachable[source.name] = str(error)
    if "events" in kinds:
        from mesh_assets.capabilities.publishing.landed_events import land_events

        for source in domain.sources:
            if source.delivery.kind == "events":
                land_events(settings, registry, domain.name, source, now)


@dataclass(frozen=True)
class _Seen:
    """A file as a look finds it."""

    domain: str
    source: Source
    file: str
    path: Path
    now: datetime


def _look_at(look: Look, seen: _Seen, known: list[Arrival]) -> None:
    """One file: nothing new, still moving, or settled and to be judged."""
    try:
        stat = seen.path.stat()
    except FileNotFoundError:  # gone since it was listed
        return
    stamp = (stat.st_size, stat.st_mtime_ns)
    before = next((each for each in reversed(known) if each.decided), None)
    moving = next((each for each in known if not each.decided), None)
    if before is not None and (before.size, before.modified) == stamp:
        if moving is not None and moving.id is not None:
            look._gone.append(moving.id)
        return
    if moving is None:
        moving = _first_seen(seen, stamp)
        # What we landed ourselves got its name when it was whole.
        ours = seen.source.delivery.kind != "file"
        whole = ours or seen.now - datetime.fromtimestamp(stat.st_mtime, UTC) > OLD
    else:
        if (moving.size, moving.modified) != stamp:
            moving = replace(moving, size=stamp[0], modified=stamp[1], changed=seen.now, reason="")
        whole = seen.now - moving.changed >= seen.source.delivery.settle
    if whole and stamp[0] and look.tired:
        look.later += 1
    elif stamp[0] == 0 or not whole:
        _wait(look, moving, "the file is empty" if stamp[0] == 0 else "", known)
    else:
        _judge(look, seen, moving, before)


def _first_seen(seen: _Seen, stamp: tuple[int, int]) -> Arrival:
    return Arrival(
        domain=seen.domain,
        source=seen.source.name,
        file=seen.file,
        size=stamp[0],
        modified=stamp[1],
        first_seen=seen.now,
        changed=seen.now,
        partitions=tuple(filter(None, [week_of(seen.source, seen.file)])),
    )


def _wait(look: Look, moving: Arrival, reason: str, known: list[Arrival]) -> None:
    waiting = replace(moving, reason=reason)
    look.settling.append(waiting)
    if waiting not in known:
        look._changes.append(waiting)


def _judge(look: Look, seen: _Seen, moving: Arrival, before: Arrival | None) -> None:
    """Read the file once: the same content again, a good file, or one to set aside."""
    digest = checksum(seen.path)
    if before is not None and before.sha256 == digest:  # written again, byte by byte the same
        look._changes.append(replace(before, size=moving.size, modified=moving.modified))
        if moving.id is not None:
            look._gone.append(moving.id)
        return
    problem = _problem(seen)
    judged = replace(
        moving,
        sha256=digest,
        settled=seen.now,
        state=ArrivalState.SET_ASIDE if problem else ArrivalState.ACCEPTED,
        reason=problem,
    )
    stat = seen.path.stat()
    if (stat.st_size, stat.st_mtime_ns) != (moving.size, moving.modified):  # it moved while it was read
        return
    if before is not None:
        look._changes.append(replace(before, state=ArrivalState.SUPERSEDED))
    look._changes.append(judged)
    look.decided.append(judged)


def _problem(seen: _Seen) -> str:
    """Why the file is set aside, or ""."""
    if seen.source.weekly:
        week = week_of(seen.source, seen.file)
        if not _is_monday(week):
            return f"its name says {week!r} where the Monday of its week belongs"
    return problem_of(seen.source, seen.path) or parse_problem(seen.source, seen.path)


def week_of(source: Source, file: str) -> str:
    """What stands in the place of {week} in a file's name; "" for a source that is not weekly."""
    if not source.weekly:
        return ""
    before, _, after = source.path.partition("{week}")
    found = re.fullmatch(f"{re.escape(before)}(.*){re.escape(after)}", file)
    return found[1] if found else ""


def _is_monday(week: str) -> bool:
    try:
        return date.fromisoformat(week).weekday() == 0 and len(week) == len("2023-01-02")
    except ValueError:
        return False


def arrival_facts(arrival: Arrival) -> Mapping[str, object]:
    """An arrival for a person or a script."""
    return {
        **{name: value for name, value in vars(arrival).items() if name not in ("modified", "changed")},
        "state": str(arrival.state),
        "partitions": list(arrival.partitions),
    }
