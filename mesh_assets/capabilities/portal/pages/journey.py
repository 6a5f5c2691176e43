"""Journeys: what a person gets of the mesh as a whole, whether it was there in time, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.observability.journey_facts import instances
from mesh_assets.capabilities.observability.journeys import next_periods
from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.capabilities.portal.looks import JOURNEYS, Look
from mesh_assets.capabilities.portal.timelines import journey_history
from mesh_assets.words.journeys import Instance, Journey, JourneyStep

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

PERIODS = 14


@dataclass(frozen=True)
class Row:
    journey: Journey
    now: Instance | None
    look: Look | None


def path_of(name: str) -> str:
    return f"/-/journeys/{name}"


def listed(catalog: Catalog, registry: Registry) -> dict[str, Any]:
    rows = []
    for journey in catalog.journeys:
        now = next(iter(instances(registry, journey, count=1)), None)
        rows.append(Row(journey, now, JOURNEYS[now.state] if now else None))
    return {
        "facts": {
            "problem": catalog.documents.journeys_problem,
            "journeys": [
                {
                    "journey": row.journey.name,
                    "description": row.journey.description,
                    "when": row.journey.when(),
                    "state": str(row.now.state) if row.now else None,
                    "told": row.now.told if row.now else "",
                    "path": path_of(row.journey.name),
                }
                for row in rows
            ],
        },
        "rows": rows,
        "path_of": path_of,
    }


def one(catalog: Catalog, registry: Registry, journey: Journey) -> dict[str, Any]:
    found = instances(registry, journey, count=PERIODS)
    now = found[0] if found else None
    usual = _usual(journey, found)
    return {
        "facts": {
            "journey": journey.name,
            "description": journey.description,
            "when": journey.when(),
            "ready_by": journey.ready_by.told() if journey.ready_by else "",
            "owners": list(journey.owners),
            "targets": [str(name) for name in journey.targets],
            "steps": _steps(journey, now, usual),
            "runs": [_instance(each) for each in found],
            "next": next_periods(journey, catalog.now, 3),
        },
        "journey": journey,
        "now": now,
        "look": JOURNEYS[now.state] if now else None,
        "looks": JOURNEYS,
        "instances": found,
        "picture": journey_history(found, catalog.now),
        "product_path": lambda name: of_product(name).path if catalog.knows(name) else None,
    }


def _usual(journey: Journey, found: list[Instance]) -> dict[str, float]:
    """Step -> seconds after the begin at which it was done in the middle one of earlier runs."""
    after: dict[str, list[float]] = {}
    for each in found[1:]:
        for step in each.steps:
            if step.done:
                after.setdefault(step.step, []).append((step.done - each.period.begin).total_seconds())
    return {name: sorted(values)[len(values) // 2] for name, values in after.items()}


def _steps(journey: Journey, now: Instance | None, usual: dict[str, float]) -> list[dict[str, Any]]:
    written = {step.name: step for step in journey.steps}
    rows = []
    for result in now.steps if now else ():
        step = written.get(result.step, JourneyStep(result.step))
        rows.append(
            {
                "step": result.step,
                "products": [
                    str(name) for name in (step.products or (() if step.external else journey.targets))
                ],
                "external": step.external,
                "usual": _moment(now, usual.get(result.step)),
                "usual_seconds": usual.get(result.step),
                "done": result.done,
                "seconds": (result.done - now.period.begin).total_seconds() if result.done and now else None,
                "told": result.told,
            }
        )
    return rows


def _moment(now: Instance | None, seconds: float | None) -> datetime | None:
    return now.period.begin + timedelta(seconds=seconds) if now and seconds is not None else None


def _instance(each: Instance) -> dict[str, Any]:
    return {
        "begin": each.period.begin,
        "deadline": each.period.deadline,
        "ready": each.ready,
        "state": str(each.state),
        "told": each.told,
        "steps": [{"step": step.step, "done": step.done, "told": step.told} for step in each.steps],
        "expectations": [vars(promise) for promise in each.expectations],
    }
