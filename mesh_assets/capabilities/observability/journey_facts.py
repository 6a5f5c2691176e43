"""What is known of a journey's products and foreign jobs: builds, looks, releases, reports.

Nothing is stored for journeys: their history follows from these, so it is there for a journey that was
written today, and cannot disagree with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mesh_assets.capabilities.observability.journeys import (
    Facts,
    Made,
    Reported,
    evaluate,
    owed,
    periods,
)
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.journeys import Instance, Journey
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord, Version

#: Builds of a product that are looked at; the registry keeps as many.
BUILDS = 1_000
#: Periods of a journey that nobody asked to see more of.
PERIODS = 12


def instances(
    registry: Registry, journey: Journey, *, now: datetime | None = None, count: int = PERIODS
) -> list[Instance]:
    """The journey's last runs, newest first. Periods before it owed anything are none of its."""
    moment = now or datetime.now(UTC)
    known = _Versions(registry)
    names = sorted({*journey.targets, *(name for step in journey.steps for name in step.products)})
    builds = {name: registry.builds(name, limit=BUILDS) for name in names}
    found = periods(journey, known.published(journey.trigger), moment, count)
    if not found:
        return []
    found = owed(found, journey.since or _first(builds) or registry.began() or moment)
    facts = _facts(registry, known, journey, builds, found[-1].begin)
    return [evaluate(journey, period, facts, moment) for period in found]


def current(registry: Registry, journey: Journey, *, now: datetime | None = None) -> Instance | None:
    """The run of the period that it is now; None for a journey whose trigger was never published."""
    found = instances(registry, journey, now=now, count=1)
    return found[0] if found else None


def _first(builds: Mapping[ProductName, Sequence[BuildRecord]]) -> datetime | None:
    """When something of the journey was first built."""
    return min((each[-1].started for each in builds.values() if each), default=None)


class _Versions:
    """Versions of products, each asked for once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[ProductName, list[Version]] = {}

    def of(self, name: ProductName) -> list[Version]:
        if name not in self._known:
            self._known[name] = self._registry.versions(name)
        return self._known[name]

    def published(self, name: ProductName | None) -> list[datetime]:
        return [] if name is None else [version.published for version in self.of(name)]

    def at(self, name: ProductName, moment: datetime) -> Version | None:
        """What readers saw then, as far as versions tell: the newest that was published by then."""
        return next((each for each in self.of(name) if each.published <= moment), None)


def _facts(
    registry: Registry,
    known: _Versions,
    journey: Journey,
    builds: Mapping[ProductName, Sequence[BuildRecord]],
    since: datetime,
) -> Facts:
    made = [
        _made(known, record)
        for records in builds.values()
        for record in records
        if record.started + timedelta(seconds=record.seconds) >= since
    ]
    looks = registry.looked(since)
    made += [_looked(known, name, at) for name in builds for at in looks.get(name, ())]
    jobs = sorted({step.external for step in journey.externals})
    return Facts(tuple(made), tuple(_reports(registry, jobs, since)) if jobs else ())


def _made(known: _Versions, record: BuildRecord) -> Made:
    at = record.started + timedelta(seconds=record.seconds)
    # A release takes its moment inside the build; the clock of the build's end is read after it.
    version = next((each for each in known.of(record.product) if each.number == record.version), None)
    rows = record.rows if record.rows is not None else version.rows if version else None
    return Made(
        product=record.product,
        at=max(at, version.published) if version and record.outcome is BuildOutcome.PUBLISHED else at,
        outcome=record.outcome,
        rows=rows,
        unkept=record.warned + record.failed,
        published=version.published if version else None,
    )


def _looked(known: _Versions, name: ProductName, at: datetime) -> Made:
    version = known.at(name, at)
    results = version.certificate.rule_results if version else ()
    return Made(
        product=name,
        at=at,
        outcome=BuildOutcome.UNCHANGED,
        rows=version.rows if version else None,
        unkept=sum(result["outcome"] != "passed" for result in results),
        published=version.published if version else None,
    )


def _reports(registry: Registry, jobs: Sequence[str], since: datetime) -> list[Reported]:
    """What other tools reported of their jobs."""
    return [Reported(each.job, each.ended, each.good) for each in registry.job_reports(jobs, since)]
