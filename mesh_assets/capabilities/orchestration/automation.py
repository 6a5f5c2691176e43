"""The sensor of a domain: it asks the registry what is to be made, and asks Dagster for one run of it.

Here: the sensor, how it waits, and where a decision's facts come from. Not here: the decision (conditions),
requests (requests).

Dagster's daemon starts a tick of a sensor every five seconds and not more often (its loop has that floor). So
a tick stays and looks at the registry five times a second, nearly until the next one is due.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from mesh_assets.capabilities.contracts.automation import EAGER, MANUAL, described, next_due
from mesh_assets.capabilities.contracts.model import Automation
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.lineage.through import lake_inputs, through_private_models
from mesh_assets.capabilities.orchestration.alive import tell_of_dead_runs
from mesh_assets.capabilities.orchestration.conditions import (
    SOON,
    Answers,
    Decision,
    Managed,
    anything_wanted,
    decide,
)
from mesh_assets.capabilities.orchestration.describe import asset_key
from mesh_assets.capabilities.orchestration.partitions import kind_of_cut, range_tags
from mesh_assets.capabilities.orchestration.requests import Request, RunState, request_of, settle
from mesh_assets.words.automation import Picture, Watched
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

#: Run tags. The token finds the run of a request again.
ASKED_TAG = "mesh/asked"
STARTED_BY = "automation"
#: A tick lasts so long when there is nothing to do. The daemon's next one comes after five, if this one is
#: over by then; on a busy machine it needs a second more to begin and to end.
STAY_SECONDS = 3.5
LOOK_EVERY = 0.2
#: Ticks of one process that stay: a location serves six calls at a time, and has to start runs as well.
_SEATS = threading.BoundedSemaphore(3)
SHOWN = 10
NOTHING = "every product is as its inputs say"


def rule_of(asset: Asset) -> Automation:
    """The contract's rule. A stored private asset is eager: no product is made of a stale one."""
    return asset.contract.automation if asset.contract else Automation(EAGER)


def automation_sensor(domain: DomainAssets, settings: Settings) -> dg.SensorDefinition:
    """Starts runs of the domain's products by their contracts' rules; on by default."""
    name = domain.domain.name
    location = Location(settings, domain, _managed(domain))

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return stay(location, context.instance, context.cursor)

    return dg.SensorDefinition(
        name=f"{name}_automation",
        evaluation_fn=evaluate,
        # Not `target`: that makes one job of them, and weeks and months have no job together.
        asset_selection=dg.AssetSelection.assets(*(asset_key(asset.name) for asset in domain.assets)),
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=_told(location),
    )


@dataclass(frozen=True)
class Location:
    """A domain that decides for itself."""

    settings: Settings
    domain: DomainAssets
    #: In order.
    managed: tuple[Managed, ...]

    @property
    def name(self) -> str:
        return self.domain.domain.name

    def asset(self, name: ProductName) -> Asset:
        return next(asset for asset in self.domain.assets if asset.name == name)


def stay(
    location: Location, instance: dg.DagsterInstance, cursor: str | None, seconds: float = STAY_SECONDS
) -> dg.SensorResult:
    """One tick: a look, and more looks while there is nothing to do."""
    registry = _registry(location.settings)
    _declare(location, registry)
    # Without threads the daemon waits for each tick before it begins another domain's.
    seated = bool(instance.get_sensor_settings().get("use_threads")) and _SEATS.acquire(blocking=False)
    try:
        return _stay(location, registry, instance, cursor, seconds if seated else 0)
    finally:
        if seated:
            _SEATS.release()


def _stay(
    location: Location, registry: Registry, instance: dg.DagsterInstance, cursor: str | None, seconds: float
) -> dg.SensorResult:
    until, reason = time.monotonic() + seconds, "nothing was published since the last look"
    while True:
        pulse = registry.pulse()
        if _worth_a_look(cursor, pulse):
            found = look(location, registry, instance)
            cursor = json.dumps({"pulse": pulse, "again": found.again and found.again.isoformat()})
            if found.request is not None:
                return dg.SensorResult(
                    run_requests=[run_request(location, found.request, instance)], cursor=cursor
                )
            reason = found.reason
        if time.monotonic() >= until:
            return dg.SensorResult(skip_reason=reason, cursor=cursor)
        time.sleep(LOOK_EVERY)


def _worth_a_look(cursor: str | None, pulse: str) -> bool:
    try:
        known = json.loads(cursor or "")
        again = known["again"] and datetime.fromisoformat(known["again"])
        return bool(known["pulse"] != pulse or (again and datetime.now(UTC) >= again))
    except (ValueError, KeyError, TypeError):
        return True


@dataclass(frozen=True)
class Found:
    """What a look came to."""

    request: Request | None
    reason: str
    again: datetime | None


def look(
    location: Location, registry: Registry, instance: dg.DagsterInstance, now: datetime | None = None
) -> Found:
    """Settle what was asked for, then decide; what is asked for is on record before anybody is asked."""
    tell_of_dead_runs(location.settings)
    now, answers = now or datetime.now(UTC), _answers(location, registry, instance)
    if not anything_wanted(registry.glimpse(location.name), location.managed, answers, now):
        return Found(None, NOTHING, _again(location, Decision(), False, now))
    picture = _without_dead_orders(location.settings, registry.picture())
    settled = settle(picture, location.name, lambda token: _state_of(instance, token))
    if settled.unheard is not None:
        registry.keep_watched(settled.changed)
        return Found(settled.unheard, "", now)
    picture = _with(picture, settled.changed)
    controls = registry.controls()
    decision = decide(picture, location.managed, controls, answers, now)
    for pause in (*controls.pauses.values(), *controls.holds.values()):
        if pause.until is not None:
            decision.look_again(pause.until)
    if not decision.ask:
        _keep(registry, [*settled.changed, *decision.noted])
        return Found(None, _reason(decision), _again(location, decision, settled.going, now))
    request, rows = request_of(picture, decision, _range(location, decision), now)
    _keep(registry, [*settled.changed, *decision.noted, *rows])
    return Found(request, "", now)


def run_request(location: Location, request: Request, instance: dg.DagsterInstance) -> dg.RunRequest:
    """One run: the products, the private dbt models under them, the range of partitions."""
    models = {
        model.name: None
        for name in request.products
        for model in through_private_models(location.domain, location.asset(name))
        if not model.in_lake
    }
    tags = {
        "mesh/domain": location.name,
        "mesh/started-by": STARTED_BY,
        ASKED_TAG: request.token,
        "user": STARTED_BY,
    }
    made = [location.asset(name) for name in request.products]
    tags |= range_tags(instance, made, request.partitions)
    return dg.RunRequest(
        run_key=request.token,
        asset_selection=[asset_key(name) for name in (*request.products, *models)],
        tags=tags,
    )


def _range(location: Location, decision: Decision) -> tuple[str, ...]:
    """First and last partition of the run; of all that there are if only what is joined has any."""
    from mesh_assets.capabilities.publishing.keys import all_partitions
    from mesh_assets.words.versions import WHOLE

    found = sorted({part for parts in decision.ask.values() for part in parts if part != WHOLE})
    if not found:
        cut = [asset for asset in map(location.asset, decision.ask) if asset.partitioning]
        found = sorted(all_partitions(cut[0].partitioning)) if cut else []
    return (found[0], found[-1]) if found else ()


def _answers(location: Location, registry: Registry, instance: dg.DagsterInstance) -> Answers:
    def made_of(name: ProductName) -> dict[ProductName, str] | None:
        head = registry.head(name)
        return {each.product: each.fingerprint for each in head.certificate.inputs} if head else None

    return Answers(
        stale=lambda name: _stale(location, registry, name),
        made_of=made_of,
        running=lru_cache(maxsize=1)(lambda: _running(location, instance)),
    )


def _stale(location: Location, registry: Registry, name: ProductName) -> tuple[str, ...]:
    from mesh_assets.capabilities.publishing.dbt import run_dbt
    from mesh_assets.capabilities.publishing.program import run_program
    from mesh_assets.capabilities.publishing.stale import stale_now
    from mesh_assets.capabilities.publishing.workshop import Tools, Workshop

    workshop = Workshop(
        settings=location.settings,
        registry=registry,
        domain=location.domain,
        run_id="",
        who=STARTED_BY,
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([name]),
    )
    return stale_now(workshop, location.asset(name))


def _running(location: Location, instance: dg.DagsterInstance) -> frozenset[ProductName]:
    """Products in runs that others started: a person in the UI, a backfill."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[*IN_PROGRESS_RUN_STATUSES]))
    found: set[ProductName] = set()
    for run in runs:
        if ASKED_TAG in run.tags:
            continue
        if run.asset_selection is None and run.job_name == f"build_{location.name}":
            found |= {each.name for each in location.managed}
        keys = [key.path for key in run.asset_selection or () if len(key.path) == 2]
        found |= {ProductName(domain, product) for domain, product in keys}
    return frozenset(found)


def _state_of(instance: dg.DagsterInstance, token: str) -> RunState:
    run = next(iter(instance.get_runs(dg.RunsFilter(tags={ASKED_TAG: token}), limit=1)), None)
    if run is None:
        return RunState.UNKNOWN
    if run.status is dg.DagsterRunStatus.CANCELED:
        return RunState.CANCELED
    return RunState.OVER if run.is_finished else RunState.GOING


def _without_dead_orders(settings: Settings, picture: Picture) -> Picture:
    from mesh_assets.capabilities.orchestration.alive import order_died

    dead = {order for order in set(picture.in_hand.values()) if order_died(settings, order)}
    return replace(picture, in_hand={name: own for name, own in picture.in_hand.items() if own not in dead})


def _with(picture: Picture, changed: Sequence[Watched]) -> Picture:
    return replace(picture, watched={**picture.watched, **{row.product: row for row in changed}})


def _keep(registry: Registry, rows: Sequence[Watched]) -> None:
    if rows:
        registry.keep_watched(list({row.product: row for row in rows}.values()))


def _again(location: Location, decision: Decision, going: bool, now: datetime) -> datetime | None:
    if going:
        decision.look_again(now + SOON)
    for each in location.managed:
        if (due := next_due(each.automation, now)) is not None:
            decision.look_again(due)
    return decision.again


def _reason(decision: Decision) -> str:
    if not decision.waiting:
        return NOTHING
    told = [f"{name}: {reason}" for name, reason in decision.waiting.items()]
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"waiting: {'; '.join(told[:SHOWN])}{more}"


def _managed(domain: DomainAssets) -> tuple[Managed, ...]:
    """The domain's stored assets, each after all of the domain that it reads."""
    stored = {asset.name: asset for asset in domain.assets if asset.in_lake}
    needs = {name: [n for n in lake_inputs(domain, asset) if n in stored] for name, asset in stored.items()}
    return tuple(
        Managed(name, rule_of(stored[name]), _cut(stored[name]))
        for name in TopologicalSorter(needs).static_order()
    )


def _cut(asset: Asset) -> str | None:
    return kind_of_cut(asset)


def _told(location: Location) -> str:
    rules = {each.name.product: described(each.automation) for each in location.managed}
    lines = [f"- {name}: {rule}" for name, rule in rules.items() if not rule.startswith(MANUAL)]
    return (
        "\n".join(["Starts runs by the contracts' rules:", *lines]) if lines else "Every product is manual."
    )


@lru_cache(maxsize=4)
def _registry(settings: Settings) -> Registry:
    """Open as long as the location lives: a tick costs milliseconds."""
    from mesh_assets.capabilities.registry import open_registry

    return open_registry(settings)


_DECLARED: set[tuple[str, str]] = set()


def _declare(location: Location, registry: Registry) -> None:
    """Tell all others what this domain's products read, once for each start of its location."""
    mark = (location.settings.registry, location.name)
    if mark in _DECLARED:
        return
    now = datetime.now(UTC)
    found = [
        Watched(each.name, each.automation.kind, lake_inputs(location.domain, location.asset(each.name)), now)
        for each in location.managed
    ]
    registry.declare_automation(location.name, found)
    _DECLARED.add(mark)
