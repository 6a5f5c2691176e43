"""What an order would do, why, and about how long it takes: `mesh run --dry-run`.

The plan takes batches as the coordinator does, on a clock that jumps: nothing runs.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mesh_assets.capabilities.lineage.order import in_order, needs_of
from mesh_assets.capabilities.orchestration.batches import next_batch
from mesh_assets.capabilities.orchestration.choosing import Site, choose, workshop_of
from mesh_assets.capabilities.publishing.reasons import reasons
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import Mode, RunOrder
from mesh_assets.words.versions import WHOLE, BuildOutcome

#: Builds of a product whose median is the estimate.
HISTORY = 10
BUILD, KEEP, SKIP = "build", "keep", "skip"


@dataclass(frozen=True)
class Step:
    """What the order would do with one product."""

    product: ProductName
    #: build, keep (nothing to do) or skip (paused, or behind what is).
    action: str
    reasons: tuple[str, ...]
    #: Known now; more may be found when the inputs are there.
    partitions: tuple[str, ...] = ()
    #: Median of its builds; None without any.
    seconds: float | None = None
    #: Number of the run that would make it, from 1; 0 for none.
    run: int = 0


@dataclass(frozen=True)
class Plan:
    steps: tuple[Step, ...]
    runs: int
    #: From begin to end with so many runs side by side; products without a history count nothing.
    seconds: float
    #: Products to build whose time is not known.
    unknown: int


def plan(site: Site, order: RunOrder) -> Plan:
    """The steps in order, and the estimate."""
    mesh, controls = site.mesh, site.registry.controls()
    waiting = in_order(mesh, [name for name in order.names if mesh.assets[name].in_lake])
    wanted = list(waiting)
    steps: dict[ProductName, Step] = {}
    running: dict[str, tuple[float, list[ProductName]]] = {}
    clock, runs = 0.0, 0
    while waiting or running:
        unfinished = {*waiting, *(name for _, names in running.values() for name in names)}
        batch: list[ProductName] = []
        if len(running) < order.jobs:
            batch = next_batch(mesh, waiting=waiting, unfinished=unfinished, busy=list(running))
        if batch:
            waiting = [name for name in waiting if name not in batch]
            why = {name: controls.why_not(name, needs_of(mesh, name)) for name in batch}
            made = _steps(site, order, [name for name in batch if not why[name]], steps, runs + 1)
            steps |= made | {name: Step(name, SKIP, (told,)) for name, told in why.items() if told}
            building = [step for step in made.values() if step.action == BUILD]
            if building:
                runs += 1
                seconds = sum(step.seconds or 0.0 for step in building)
                running[batch[0].domain] = (clock + seconds, [step.product for step in building])
            continue
        first = min(running, key=lambda domain: running[domain][0])
        clock = running.pop(first)[0]
    found = tuple(steps[name] for name in wanted)
    return Plan(found, runs, clock, sum(step.action == BUILD and step.seconds is None for step in found))


def _steps(
    site: Site,
    order: RunOrder,
    batch: Sequence[ProductName],
    before: dict[ProductName, Step],
    run: int,
) -> dict[ProductName, Step]:
    if not batch:
        return {}
    built = {name for name, step in before.items() if step.action == BUILD}
    chosen = choose(site, order, batch, built=built)
    built |= set(chosen)
    return {
        name: Step(
            product=name,
            action=BUILD,
            reasons=_why(site, order, name, built),
            partitions=tuple(part for part in chosen[name] if part != WHOLE),
            seconds=usual_seconds(site.registry, name),
            run=run,
        )
        if name in chosen
        else Step(
            name, KEEP, ("nothing changed",) if order.mode is not Mode.MISSING else ("nothing missing",)
        )
        for name in batch
    }


def _why(site: Site, order: RunOrder, name: ProductName, built: set[ProductName]) -> tuple[str, ...]:
    asset = site.mesh.assets[name]
    found = list(reasons(workshop_of(site, order, [name]), asset))
    first = sorted(str(need) for need in needs_of(site.mesh, name) if need in built)
    if first:
        found.append(f"after {', '.join(first)}")
    if order.mode is Mode.FORCE:
        found.insert(0, "forced")
    return tuple(found) or ("what it was made with changed",)


def usual_seconds(registry: Registry, name: ProductName) -> float | None:
    """The median of its last published builds."""
    known = [
        record.seconds
        for record in registry.builds(name, limit=HISTORY)
        if record.outcome is BuildOutcome.PUBLISHED and record.seconds > 0
    ]
    return statistics.median(known) if known else None
