"""A journey's steps as what is built at each of them, and what stands in the way of the later ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.journeys import find_journey, members
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.orchestration.batches import waves
from mesh_assets.words.journeys import Journey
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.capabilities.orchestration.choosing import Site
    from mesh_assets.words.orders import RunOrder

#: Domains in the name of a wave; the others are counted.
NAMED = 4


@dataclass(frozen=True)
class Stage:
    """One step of a run: products to build, or a job of another tool to wait for."""

    name: str
    names: tuple[ProductName, ...] = ()
    external: str = ""
    within: timedelta = timedelta(0)


def stages(mesh: Mesh, journey: Journey) -> list[Stage]:
    """The journey's own steps, each with what it needs beyond the earlier ones; without steps, its waves."""
    everything = in_order(mesh, [name for name in members(mesh, journey) if mesh.assets[name].in_lake])
    if not journey.steps:
        return [_wave(number, level) for number, level in enumerate(waves(mesh, everything), start=1)]
    found: list[Stage] = []
    before: set[ProductName] = set()
    for step in journey.steps:
        if step.external:
            found.append(Stage(step.name, external=step.external, within=step.within))
            continue
        mine = tuple(name for name in everything if name in mesh.upstream(step.products) - before)
        before |= set(mine)
        found.append(Stage(step.name, mine))
    rest = tuple(name for name in everything if name not in before)
    return [*found, Stage("the_rest", rest)] if rest else found


def _wave(number: int, level: list[list[ProductName]]) -> Stage:
    domains = sorted({batch[0].domain for batch in level})
    told = "_".join(domains[:NAMED]) + (f"_and_{len(domains) - NAMED}" if len(domains) > NAMED else "")
    return Stage(f"step_{number}_{told}", tuple(name for batch in level for name in batch))


def held_by_steps(site: Site, order: RunOrder) -> dict[ProductName, str]:
    """Products of an order that come after a foreign job which has not reported yet, and why they wait."""
    if not order.journey:
        return {}
    journey = find_journey(site.settings, site.mesh, order.journey)
    waits = waiting_for(site, journey)
    held: dict[ProductName, str] = {}
    why = ""
    for stage in stages(site.mesh, journey):
        if stage.external:
            why = why or waits.get(stage.external, "")
        elif why:
            held |= dict.fromkeys(stage.names, why)
    return held


def stage_numbers(site: Site, order: RunOrder) -> dict[ProductName, int]:
    """Product -> number of its step, for an order of a journey that promises its steps in order."""
    if not order.journey:
        return {}
    journey = find_journey(site.settings, site.mesh, order.journey)
    found = stages(site.mesh, journey) if journey.in_order else []
    return {name: number for number, stage in enumerate(found) for name in stage.names}


def waiting_for(site: Site, journey: Journey, jobs: Collection[str] = ()) -> Mapping[str, str]:
    """Foreign jobs of the journey that have not reported success in its period, each with what to say."""
    from mesh_assets.capabilities.observability.journey_facts import current

    wanted = {step.external: step.name for step in journey.externals if not jobs or step.external in jobs}
    if not wanted:
        return {}
    now = datetime.now(UTC)
    instance = current(site.registry, journey, now=now)
    done = {each.step: each.first for each in instance.steps} if instance else {}
    since = f" since {instance.period.begin:%Y-%m-%d %H:%M} UTC" if instance else ""
    return {
        job: f"waits for the step {step}: the job {job} has reported no success{since}"
        for job, step in wanted.items()
        if done.get(step) is None
    }
