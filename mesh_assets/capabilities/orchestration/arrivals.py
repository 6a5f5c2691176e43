"""Sensors that see what came from outside, and start what reads it.

Here: one sensor per domain; which assets and partitions an arrival concerns. Not here: judging files
(publishing), starting what is made of products (automation).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import dagster as dg

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.lineage.through import lake_inputs, source_names, through_private_models
from mesh_assets.capabilities.orchestration.describe import asset_key
from mesh_assets.capabilities.orchestration.partitions import kind_of_cut, range_tags, tell_of_files
from mesh_assets.words.arrivals import Arrival
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

#: Seconds between two looks; the daemon's own loop makes it five.
LOOK_SECONDS = 2
#: Tag of a run that arrivals started: their batch.
BATCH = "mesh/arrivals"
SENSOR = "{}_arrivals"


@dataclass(frozen=True)
class Cursor:
    """The last batch of arrivals that was looked at, and those before it of which something has to wait."""

    done: int = 0
    #: Batch -> assets that it has started already.
    held: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        facts = json.loads(text) if text else {}
        held = {int(batch): tuple(started) for batch, started in facts.get("held", {}).items()}
        return cls(facts.get("done", 0), held)

    def text(self) -> str:
        return json.dumps({"done": self.done, "held": self.held})


@dataclass
class Start:
    """One run that a batch asks for."""

    batch: int
    assets: list[Asset] = field(default_factory=list)
    partitions: set[str] = field(default_factory=set)


def arrivals_sensor(domain: DomainAssets, settings: Settings) -> dg.SensorDefinition | None:
    """The sensor of a domain; None for one that receives nothing."""
    readers = [asset for asset in domain.assets if asset.in_lake and source_names(domain, asset)]
    if not readers:
        return None
    keys = {asset_key(each.name) for asset in readers for each in through_private_models(domain, asset)}
    return dg.SensorDefinition(
        name=SENSOR.format(domain.domain.name),
        evaluation_fn=_evaluation(domain, readers, settings),
        asset_selection=dg.AssetSelection.assets(*sorted(keys)),
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sees new files, rows and events of the domain's sources, and builds what reads them.",
    )


def _evaluation(
    domain: DomainAssets, readers: Sequence[Asset], settings: Settings
) -> Callable[[dg.SensorEvaluationContext], dg.SensorResult | dg.SkipReason]:
    # Dagster looks at the annotation of the parameter, and takes any name for it.
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from mesh_assets.capabilities.publishing.arrivals import look_for_arrivals

        registry = _registry(settings)
        look = look_for_arrivals(settings, registry, domain.domain)
        for source, problem in look.unreachable.items():
            context.log.warning(f"{source}: {problem}")
        for each in look.decided:
            context.log.info(f"{each.file}: {each.state}{each.reason and ': ' + each.reason}")
        before = Cursor.read(context.cursor)
        tell_of_files(context.instance, readers)
        after, starts = what_to_start(settings, registry, domain, readers, before)
        if after == before:
            return dg.SkipReason(f"nothing new; {len(look.settling)} settling, {len(after.held)} held")
        return dg.SensorResult(
            run_requests=[request(start, domain, context.instance) for start in starts], cursor=after.text()
        )

    return evaluate


@lru_cache(maxsize=4)
def _registry(settings: Settings) -> Registry:
    """Kept open: a look costs less than opening it."""
    from mesh_assets.capabilities.registry import open_registry

    return open_registry(settings)


def what_to_start(
    settings: Settings, registry: Registry, domain: DomainAssets, readers: Sequence[Asset], before: Cursor
) -> tuple[Cursor, list[Start]]:
    """The runs for batches behind the cursor, and where the cursor is then.

    Batches are numbered in the registry before anything is asked for: a sensor that dies before its cursor is
    kept asks for the same batch again, under the same run key, and Dagster starts it once.
    """
    name = domain.domain.name
    registry.hand_over(name)
    batches = registry.arrived_after(name, before.done, before.held)
    starts, held = [], {}
    for number, arrivals in sorted(batches.items()):
        started = before.held.get(number, ())
        left = [asset for asset in readers if str(asset.name) not in started]
        start, waits = _start(settings, registry, domain, left, Start(number), arrivals)
        if start.assets:
            starts.append(start)
        if waits:
            held[number] = (*started, *(str(each.name) for each in start.assets))
    return Cursor(max((before.done, *batches)), held), starts


def _start(
    settings: Settings,
    registry: Registry,
    domain: DomainAssets,
    readers: Sequence[Asset],
    start: Start,
    arrivals: Sequence[Arrival],
) -> tuple[Start, bool]:
    """What a batch concerns and may start; True if something has to wait for a resume or for its inputs."""
    weeks: dict[str, set[str]] = {}
    for each in arrivals:
        weeks.setdefault(each.source, set()).update(each.partitions)
    waits, chosen = False, [asset for asset in readers if weeks.keys() & set(source_names(domain, asset))]
    heads = registry.heads() if chosen else {}
    stops = registry.controls() if chosen else None
    for asset in chosen:
        if not _starts_by_itself(asset):
            continue
        others = {kind_of_cut(each) for each in start.assets} - {None, kind_of_cut(asset)}
        if asset.partitioning and others:  # a run has one kind of partition: the next look starts this one
            waits = True
            continue
        inputs = lake_inputs(domain, asset)
        stopped = stops is not None and stops.why_not(asset.name, inputs) is not None
        if stopped or not _there(inputs, heads, start.assets):
            waits = True
            continue
        partitions = fed_partitions(domain, asset, weeks) & _stale(settings, registry, domain, asset)
        if partitions:
            start.assets.append(asset)
            start.partitions |= partitions - {WHOLE}
    return start, waits


def _starts_by_itself(asset: Asset) -> bool:
    """`eager` ones, and private assets; others wait for their hour, for a person, or for all their inputs."""
    if asset.contract is None:
        return True
    automation = asset.contract.automation
    return getattr(automation, "kind", automation) == "eager"


def _there(
    inputs: Collection[ProductName], heads: Mapping[ProductName, int], starting: Sequence[Asset]
) -> bool:
    return all(name in heads or any(each.name == name for each in starting) for name in inputs)


def fed_partitions(domain: DomainAssets, asset: Asset, weeks: Mapping[str, set[str]]) -> set[str]:
    """The partitions that read one of the arrived files: a late drop feeds weeks before its own."""
    from mesh_assets.capabilities.publishing.keys import all_partitions
    from mesh_assets.capabilities.publishing.partitions import source_weeks

    everything = all_partitions(asset.partitioning)
    found: set[str] = set()
    for name in source_names(domain, asset):
        if name not in weeks:
            continue
        source = domain.domain.source(name)
        if source is None or not source.weekly or asset.partitioning is None:
            return set(everything)  # of files too: only what is stale is made
        every = asset.partitioning.every
        found |= {
            each for each in everything if weeks[name] & set(source_weeks(domain.domain, name, each, every))
        }
    return found


def _stale(settings: Settings, registry: Registry, domain: DomainAssets, asset: Asset) -> set[str]:
    """What a build would make: files that the current version was made of start nothing."""
    from mesh_assets.capabilities.publishing.dbt import run_dbt
    from mesh_assets.capabilities.publishing.program import run_program
    from mesh_assets.capabilities.publishing.stale import stale_now
    from mesh_assets.capabilities.publishing.workshop import Tools, Workshop

    workshop = Workshop(
        settings=settings,
        registry=registry,
        domain=domain,
        run_id="",
        who="",
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([asset.name]),
    )
    return set(stale_now(workshop, asset))


def request(start: Start, domain: DomainAssets, instance: dg.DagsterInstance) -> dg.RunRequest:
    """The run, under a key that the same batch always has."""
    keys = list(_keys(domain, start.assets))
    tags = {"mesh/domain": domain.domain.name, "mesh/started-by": "arrivals", BATCH: str(start.batch)}
    tags |= range_tags(instance, start.assets, start.partitions)
    wanted = json.dumps([[key.path for key in keys], sorted(start.partitions)])
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    return dg.RunRequest(
        run_key=f"{domain.domain.name}-arrivals-{start.batch}-{digest}", asset_selection=keys, tags=tags
    )


def _keys(domain: DomainAssets, assets: Sequence[Asset]) -> Iterator[dg.AssetKey]:
    """The assets with the scratch models that they are made from, each once."""
    seen: dict[ProductName, None] = {}
    for asset in assets:
        for each in through_private_models(domain, asset):
            seen.setdefault(each.name)
    yield from (asset_key(name) for name in seen)
