"""An order from its beginning to its end: on record, alive, carried out, green, red or interrupted.

Here: giving an order, and taking up one that was interrupted. Not here: the order of operations (coordinate).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mesh_assets.capabilities.lineage.order import in_order, needs_of
from mesh_assets.capabilities.orchestration.alive import order_alive, order_died, tell_of_dead_runs
from mesh_assets.capabilities.orchestration.choosing import GOOD, Site
from mesh_assets.capabilities.orchestration.coordinate import Coordinator, Tell
from mesh_assets.capabilities.orchestration.instance import prepare_dagster_home
from mesh_assets.capabilities.orchestration.launch import Launcher
from mesh_assets.capabilities.orchestration.launch_here import RunsHere
from mesh_assets.capabilities.orchestration.launch_server import RunsOnServer
from mesh_assets.capabilities.orchestration.log_book import LogBook, kept_record, record_of
from mesh_assets.capabilities.orchestration.server import running_server, server_at
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import KeptOrder, NothingToResume, OrderState, RunOrder
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome, BuildRecord

#: Seconds for which pauses and holds are taken as they were read.
CONTROLS_HOLD = 1.0
#: How far back `--resume` looks.
RESUMABLE = 50


def _silent(event: str, facts: Mapping[str, Any]) -> None:
    return


@dataclass(frozen=True)
class Done:
    """How an order ended."""

    order_id: str
    records: tuple[BuildRecord, ...]
    seconds: float

    @property
    def green(self) -> bool:
        return all(record.outcome in GOOD for record in self.records)


@dataclass(frozen=True)
class Desk:
    """Where orders are given: the mesh, what starts runs, who listens."""

    site: Site
    launcher: Launcher
    tell: Tell = _silent
    #: Products that this order may not build, and why: steps of a journey behind one that has not happened.
    held: Mapping[ProductName, str] = field(default_factory=dict)
    #: Products that went wrong before this order: what needs them is skipped.
    bad: frozenset[ProductName] = frozenset()
    #: Steps of a journey that are to be done one after the other.
    stages: Mapping[ProductName, int] = field(default_factory=dict)


def launcher_for(settings: Settings, *, local: bool = False, url: str = "") -> Launcher:
    """What starts the runs: the server at an address, the one that `mesh dev` runs here, or this process."""
    prepare_dagster_home(settings)
    server = None
    if url:
        server = server_at(settings, url)
    elif not local:
        server = running_server(settings)
    return RunsHere(settings) if server is None else RunsOnServer(server, settings)


def give(desk: Desk, order: RunOrder) -> Done:
    """Put an order on record and carry it out."""
    mesh = desk.site.mesh
    names = in_order(mesh, [name for name in order.names if mesh.assets[name].in_lake])
    order = replace(order, names=tuple(names))
    kept = KeptOrder(str(uuid.uuid4()), order, who(), OrderState.RUNNING, datetime.now(UTC))
    desk.site.registry.begin_order(kept)
    return _carry_out(desk, kept)


def interrupted(settings: Settings, desk_site: Site) -> KeptOrder:
    """The newest order of this home that was interrupted or whose process is gone; raises NothingToResume.

    An order that ended after it, whatever it was, does not hide it.
    """
    for kept in desk_site.registry.orders(limit=RESUMABLE):
        dead = kept.state is OrderState.RUNNING and order_died(settings, kept.id)
        if kept.state is OrderState.INTERRUPTED or dead:
            found = desk_site.registry.order(kept.id)
            assert found is not None
            return found
    raise NothingToResume()


def resume(desk: Desk, kept: KeptOrder) -> Done:
    """Carry out what is left of an order. What is published or unchanged is kept, all else is tried again."""
    desk.site.registry.set_order(kept.id, OrderState.RUNNING)
    known = {name for name in kept.order.names if name in desk.site.mesh.assets}
    order = replace(kept.order, names=tuple(name for name in kept.order.names if name in known))
    items = tuple(item for item in kept.items if item.product in known)
    return _carry_out(desk, replace(kept, order=order, items=items))


def _carry_out(desk: Desk, kept: KeptOrder) -> Done:
    site, clock = desk.site, time.monotonic()
    prepare_dagster_home(site.settings)
    tell_of_dead_runs(site.settings)
    coordinator = Coordinator(
        site=site,
        order=kept.order,
        launcher=desk.launcher,
        book=LogBook(site.registry, kept),
        tell=desk.tell,
        why_not=_why_not(desk),
        stages=desk.stages,
        ended=_kept_results(site, kept),
    )
    done = {str(name): str(record.outcome) for name, record in coordinator.ended.items()}
    coordinator.ended |= {
        name: record_of(name, BuildOutcome.FAILED, "before this order") for name in desk.bad
    }
    facts = {"order": kept.id, "products": [str(name) for name in kept.order.names], "kept": done}
    desk.tell("order_started", {**facts, "jobs": kept.order.jobs, "where": desk.launcher.where})
    state = OrderState.INTERRUPTED
    try:
        with order_alive(site.settings, kept.id):
            try:
                records = coordinator.carry_out()
                seconds = time.monotonic() - clock
                ended = Done(kept.id, tuple(records), seconds)
                state = OrderState.GREEN if ended.green else OrderState.RED
            finally:
                site.registry.set_order(kept.id, state)
    finally:
        desk.launcher.close()
    desk.tell("order_ended", {"order": kept.id, "green": ended.green, "seconds": round(seconds, 3)})
    return ended


def _kept_results(site: Site, kept: KeptOrder) -> dict[ProductName, BuildRecord]:
    """What an order has done before it was interrupted, also by runs that ended after it."""
    found: dict[ProductName, BuildRecord] = {}
    for item in kept.items:
        if item.outcome in GOOD:
            found[item.product] = kept_record(site.registry, item)
        elif item.outcome is None and item.run_id:
            build = site.registry.builds_of(item.run_id).get(item.product)
            if build is not None and build.outcome in GOOD:
                found[item.product] = build
    return found


def _why_not(desk: Desk) -> Callable[[ProductName], str | None]:
    """Pauses and holds as they are when a product's turn comes."""
    site = desk.site
    read, found = time.monotonic(), site.registry.controls()

    def asked(name: ProductName) -> str | None:
        nonlocal read, found
        if time.monotonic() - read > CONTROLS_HOLD:
            read, found = time.monotonic(), site.registry.controls()
        return desk.held.get(name) or found.why_not(name, needs_of(site.mesh, name))

    return asked
