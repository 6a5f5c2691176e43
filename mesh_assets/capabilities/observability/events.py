"""What happened, as events: derived from the registry's own log, and taken in from others.

Here: a build, a release, an order as events, each exactly once; reading events wherever they are.
Not here: OpenLineage (openlineage, foreign), the files of old events (event_lake), HTTP (intake).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.observability.rules import word
from mesh_assets.capabilities.registry import events as record
from mesh_assets.capabilities.registry.events import Logged, Moved
from mesh_assets.words.events import OWN, Event, EventKind
from mesh_assets.words.orders import JobReport

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

BUILDS, RELEASES, ORDERS = "events of builds", "events of releases", "events of orders"
#: Builds in one transaction: some 20 rules each.
STEP = 200
#: An order that ended while another reader looked is found by the next look.
OVERLAP = timedelta(minutes=10)
#: Letters of a message that an event keeps.
SUMMARY = 2_000


@dataclass(frozen=True)
class Wanted:
    """Which events somebody asks for; what is not said does not matter."""

    product: str = ""
    kind: EventKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    run_id: str = ""
    sender: str = ""

    def takes(self, event: Event) -> bool:
        """True for an event that is asked for."""
        return (
            (
                not self.product
                or event.product == self.product
                or event.product.startswith(f"{self.product}.")
            )
            and (self.kind is None or event.kind is self.kind)
            and (self.since is None or event.occurred >= self.since)
            and (self.until is None or event.occurred < self.until)
            and (not self.run_id or event.run_id == self.run_id)
            and (not self.sender or event.sender == self.sender)
        )


def follow(registry: Registry) -> int:
    """Put what the registry recorded since the last call on record as events. How many were new.

    The events and the reader's place are one transaction: nothing is lost, and nothing comes twice.
    """
    new = 0
    while True:
        with registry.reading() as connection:  # a look that finds nothing waits for nobody
            if not record.is_behind(connection, BUILDS, RELEASES):
                break
        with registry.writing() as connection:
            after = record.position(connection, BUILDS)
            builds = record.builds_after(connection, after, STEP)
            moved_after = record.position(connection, RELEASES)
            moves = record.moves_after(connection, moved_after, STEP)
            found = [event for each in builds for event in of_build(each)]
            found += [of_move(each) for each in moves]
            new += record.accept(connection, found)
            if builds:
                record.advance(connection, BUILDS, builds[-1].id)
            if moves:
                record.advance(connection, RELEASES, moves[-1].release)
            if not builds and not moves:
                break
    return new + _follow_orders(registry)


def _follow_orders(registry: Registry) -> int:
    with registry.reading() as connection:
        seconds = record.position(connection, ORDERS)
        since = datetime.fromtimestamp(max(0, seconds - OVERLAP.total_seconds()), UTC)
        ended = record.orders_ended(connection, since)
        found = record.unknown(connection, [of_order(each) for each in ended])
    if not found:
        return 0
    with registry.writing() as connection:
        record.advance(connection, ORDERS, int(ended[-1]["ended"].timestamp()))
        return record.accept(connection, found)


def of_build(logged: Logged) -> Iterator[Event]:
    """A build as a task, its rules as tests, its size and time as metrics, its last words as a log."""
    build, key = logged.build, f"{OWN}:build:{logged.id}"
    ended = build.started + timedelta(seconds=build.seconds)
    basis = Event(
        key=key,
        kind=EventKind.TASK,
        occurred=ended,
        product=str(build.product),
        run_id=build.run_id,
        job=str(build.product),
        outcome="checked" if build.recheck else str(build.outcome),
    )
    facts = {"version": build.version, "rows": build.rows, "seconds": round(build.seconds, 3)}
    counts = {"passed": build.passed, "warned": build.warned, "failed": build.failed}
    yield replace(basis, body={"started": build.started.isoformat(), **facts, **counts})
    for result in logged.results:
        said = word(result.rule.severity, result.outcome)
        about = {"rule": result.rule.id, "severity": str(result.rule.severity), "value": result.value}
        rows = {"failed_rows": result.failed_rows, "checked_rows": result.checked_rows}
        yield _beside(basis, EventKind.TEST, result.rule.id, {**about, **rows, "outcome": said})
    for name in ("rows", "seconds"):
        if facts[name] is not None:
            yield _beside(basis, EventKind.METRIC, name, {"name": name, "value": facts[name]})
    if build.message:
        yield _beside(basis, EventKind.LOG, "message", {"summary": build.message[:SUMMARY]})


def _beside(basis: Event, kind: EventKind, name: str, body: Mapping[str, Any]) -> Event:
    """An event of the same build; `outcome` of the body is the event's own."""
    rest = {key: value for key, value in body.items() if key != "outcome"}
    outcome = str(body.get("outcome", ""))
    return replace(basis, key=f"{basis.key}:{kind}:{name}", kind=kind, outcome=outcome, body=rest)


def of_move(moved: Moved) -> Event:
    return Event(
        key=f"{OWN}:release:{moved.release}:{moved.product}",
        kind=EventKind.DATASET,
        occurred=moved.released,
        product=moved.product,
        run_id=moved.run_id,
        outcome="released",
        body={
            "environment": moved.environment,
            "version": moved.number,
            "previous": moved.previous,
            "who": moved.who,
        },
    )


def of_order(order: Mapping[str, Any]) -> Event:
    """An order that ended (it may be taken up again, and end again)."""
    return Event(
        key=f"{OWN}:order:{order['id']}:{order['ended'].isoformat()}",
        kind=EventKind.RUN,
        occurred=order["ended"],
        run_id=order["id"],
        job=order["journey"] or "mesh run",
        outcome=order["state"],
        body={"who": order["who"], "started": order["started"].isoformat(), "products": order["outcomes"]},
    )


def read_events(
    settings: Settings, registry: Registry, wanted: Wanted, *, limit: int | None = None
) -> list[Event]:
    """Events of the lake and of the registry as one list, the oldest first; the last ones of a `limit`."""
    from mesh_assets.capabilities.observability.event_lake import stored

    follow(registry)
    with registry.reading() as connection:
        snapshot = record.finished_snapshot(connection)
        recent = record.not_in_the_lake(connection)
    found = [] if snapshot is None else stored(settings, snapshot, wanted, limit)
    found += [event for event in recent if wanted.takes(event)]
    found.sort(key=lambda event: (event.occurred, event.key))
    return found if limit is None else found[-limit:] if limit else []


def foreign_runs(registry: Registry, job: str, since: datetime) -> list[JobReport]:
    """How runs of another tool's job ended, the oldest first: what steps `external: JOB` of journeys ask."""
    return registry.job_reports([job], since)
