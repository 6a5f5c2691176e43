"""`mesh build`: the whole mesh in order, a Dagster run per domain, independent domains side by side.

Dagster's runs belong to one code location each, so somebody above them has to know who waits for whom. What
is unchanged is told without starting a run; what was refused stops its consumers and nobody else.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.model import Asset, Mesh, RecipeKind
from mesh_assets.capabilities.lineage.order import in_order, needs_of, ready_batch
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.capabilities.orchestration.alive import tell_of_dead_runs
from mesh_assets.capabilities.orchestration.instance import cancel_runs, prepare_dagster_home
from mesh_assets.capabilities.orchestration.looks import tell_looked
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.dbt_warm import warm_dbt
from mesh_assets.capabilities.publishing.holds import told_of_hold
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.quarantine import rows_aside
from mesh_assets.capabilities.publishing.stale import stale_now, unheard
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, BuildOutcome, BuildRecord

#: What a child process has imported before it is forked, so that a run starts in milliseconds.
PRELOAD = ("mesh_assets.capabilities.orchestration.preload",)
#: Seconds between two looks at the runs; each look asks the registry once per run.
LOOK_EVERY = 0.3
#: Seconds that a run has to end by itself when the command is stopped.
PATIENCE = 5
GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)


@dataclass(frozen=True)
class Order:
    """What a person asked for."""

    names: tuple[ProductName, ...]
    weeks: tuple[str, ...] = ()
    force: bool = False
    #: Runs side by side.
    jobs: int = 2


@dataclass
class _Running:
    process: ForkServerProcess
    run_id: str
    names: list[ProductName]
    log: Path


@dataclass
class _Processes:
    """Where runs get their processes: the fork server, and a warm dbt from the first run that needs one."""

    context: ForkServerContext
    open_things: ExitStack
    _dbt: str = ""

    def dbt_address(self, settings: Settings) -> str:
        if not self._dbt:
            log = settings.home / "logs" / "dbt.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            self._dbt = self.open_things.enter_context(warm_dbt(self.context, settings.dbt_project, log))
        return self._dbt


@dataclass
class _State:
    """What is still to do, what runs, and how the rest ended."""

    waiting: list[ProductName]
    running: dict[str, _Running] = field(default_factory=dict)
    ended: dict[ProductName, BuildRecord] = field(default_factory=dict)
    #: Found unchanged without a run.
    looked: list[ProductName] = field(default_factory=list)

    @property
    def unfinished(self) -> set[ProductName]:
        return {*self.waiting, *(name for each in self.running.values() for name in each.names)}


def coordinate(
    settings: Settings,
    registry: Registry,
    mesh: Mesh,
    order: Order,
    *,
    on_start: Callable[[ProductName], None] = lambda name: None,
    on_end: Callable[[BuildRecord], None] = lambda record: None,
) -> list[BuildRecord]:
    """Build everything in the order, tell how each product begins and ends, and return how all ended, in
    order.
    """
    prepare_dagster_home(settings)
    tell_of_dead_runs(settings)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOAD])
    state = _State(waiting=in_order(mesh, [name for name in order.names if mesh.assets[name].in_lake]))
    wanted = list(state.waiting)
    with ExitStack() as open_things:
        processes = _Processes(context, open_things)
        try:
            while state.waiting or state.running:
                _skip_orphans(mesh, state, on_end)
                moved = _start_what_can(settings, registry, mesh, order, state, processes, on_start, on_end)
                moved |= _collect(registry, state, on_end)
                if not moved and (state.waiting or state.running):
                    time.sleep(LOOK_EVERY)
        finally:
            _stop(settings, state)  # only when this process is told to stop
    tell_looked(settings, registry, [mesh.assets[name] for name in state.looked])
    return [state.ended[name] for name in wanted]


def _stop(settings: Settings, state: _State) -> None:
    """Dagster holds signals back until a recipe has ended; a killed build changes nothing for readers."""
    for each in state.running.values():
        each.process.terminate()
    for each in state.running.values():
        each.process.join(PATIENCE)
        each.process.kill()
        each.process.join()
    if state.running:
        cancel_runs(settings, [each.run_id for each in state.running.values()])


def _start_what_can(
    settings: Settings,
    registry: Registry,
    mesh: Mesh,
    order: Order,
    state: _State,
    processes: _Processes,
    on_start: Callable[[ProductName], None],
    on_end: Callable[[BuildRecord], None],
) -> bool:
    moved = False
    while len(state.running) < order.jobs and (batch := _next_batch(mesh, state)):
        moved = True
        state.waiting = [name for name in state.waiting if name not in batch]
        stale, weeks = _stale(settings, registry, mesh, order, batch)
        for name in batch:
            if name not in stale:
                state.looked.append(name)
                _end(state, _unchanged(registry, name), on_end)
        problem = _why_it_does_not_load(settings, mesh, batch[0].domain) if stale else None
        if problem:
            for name in stale:
                _end(state, _record(name, BuildOutcome.FAILED, problem), on_end)
        elif stale:
            for name in stale:
                on_start(name)
            state.running[batch[0].domain] = _start(settings, mesh, order, stale, weeks, processes)
    return moved


def _why_it_does_not_load(settings: Settings, mesh: Mesh, domain: str) -> str | None:
    """What the domain expects of others is read by its own location, and can be wrong."""
    try:
        check_own_files(settings, mesh.domains[domain].domain)
    except MeshError as error:
        return str(error)
    return None


def _next_batch(mesh: Mesh, state: _State) -> list[ProductName]:
    """All that is left of some domain, if it can be built now; a part of one only when nothing else can move.

    A run costs seconds to start (and dbt more), so a domain is built in as few runs as its neighbours allow.
    """
    parts = []
    for domain in dict.fromkeys(name.domain for name in state.waiting):
        if domain in state.running:
            continue
        batch = ready_batch(mesh, domain=domain, waiting=state.waiting, unfinished=state.unfinished)
        if batch and len(batch) == sum(name.domain == domain for name in state.waiting):
            return batch
        parts.append(batch)
    return max(parts, key=len, default=[]) if not state.running else []


def _stale(
    settings: Settings, registry: Registry, mesh: Mesh, order: Order, batch: Sequence[ProductName]
) -> tuple[list[ProductName], tuple[str, ...]]:
    """What of the batch has to run, and the weeks from the first to the last stale one."""
    domain = batch[0].domain
    workshop = Workshop(
        settings=settings,
        registry=registry,
        domain=mesh.domains[domain],
        run_id="",
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset(batch),
        weeks=order.weeks or None,
        force=order.force,
    )
    stale: dict[ProductName, None] = {}
    weeks: set[str] = set()
    for name in batch:
        asset = mesh.assets[name]
        found = _asked(asset, order, stale_now(workshop, asset)) or _to_confirm(registry, asset)
        if found or any(need in stale for need in needs_of(mesh, name)):
            stale[name] = None
            weeks |= set(found) - {WHOLE}
    if order.weeks and any(mesh.assets[name].partitioning for name in stale):
        weeks = set(order.weeks)
    return list(stale), tuple(sorted(weeks))


def _to_confirm(registry: Registry, asset: Asset) -> set[str]:
    """Nothing may be stale and a run still has something to say.

    After a refused or failed build Dagster shows red; a consumer's changed rule is unheard until it has run.
    """
    last = registry.last_build(asset.name)
    if last is None or (last.outcome in GOOD and not unheard(registry, asset)):
        return set()
    return {all_partitions(asset.partitioning)[-1]}


def _asked(asset: Asset, order: Order, stale: Collection[str]) -> set[str]:
    if not order.weeks or asset.partitioning is None:
        return set(stale)
    return set(stale) & set(order.weeks)


def _start(
    settings: Settings,
    mesh: Mesh,
    order: Order,
    names: list[ProductName],
    weeks: tuple[str, ...],
    processes: _Processes,
) -> _Running:
    domain = mesh.domains[names[0].domain]
    models = {
        model.name: None
        for name in names
        for model in through_private_models(domain, mesh.assets[name])
        if not model.in_lake
    }
    run_id = str(uuid.uuid4())
    log = settings.home / "logs" / f"{names[0].domain}-{run_id[:8]}.log"
    facts = {
        "domain": names[0].domain,
        "assets": tuple(str(name).replace(".", "/") for name in (*names, *models)),
        "run_id": run_id,
        "weeks": weeks,
        "force": order.force,
        "who": who(),
        "log": str(log),
        "environment": {name: value for name, value in os.environ.items() if name.startswith("MESH_")},
        "dbt": processes.dbt_address(settings) if _needs_dbt(mesh, names) else "",
    }
    process = processes.context.Process(target=_child, args=(facts,), daemon=False)
    process.start()
    return _Running(process, run_id, names, log)


def _needs_dbt(mesh: Mesh, names: list[ProductName]) -> bool:
    return any(mesh.assets[name].recipe.kind is RecipeKind.DBT for name in names)


def _child(facts: dict[str, object]) -> None:
    from mesh_assets.capabilities.orchestration.batch import Batch, run_batch

    run_batch(Batch(**facts))  # type: ignore[arg-type]  # plain data, as _start made it


def _collect(registry: Registry, state: _State, on_end: Callable[[BuildRecord], None]) -> bool:
    """Take in what ended since the last look: products as they are recorded, runs as they exit."""
    moved = False
    for domain, each in list(state.running.items()):
        over = not each.process.is_alive()
        builds = registry.builds_of(each.run_id)
        for name in list(each.names):
            record = builds.get(name)
            if record is None and over:
                record = _lost(each, name, builds)
            if record is not None:
                each.names.remove(name)
                _end(state, record, on_end)
                moved = True
        if over:
            each.process.join()
            del state.running[domain]
            moved = True
    return moved


def _lost(each: _Running, name: ProductName, builds: dict[ProductName, BuildRecord]) -> BuildRecord:
    """A product that its run said nothing of: skipped behind one that was refused, or its process died."""
    bad = sorted(str(product) for product, record in builds.items() if record.outcome not in GOOD)
    if bad:
        return _record(name, BuildOutcome.SKIPPED, f"waits for {', '.join(bad)}", each.run_id)
    return _record(
        name,
        BuildOutcome.FAILED,
        f"its run ended with exit code {each.process.exitcode} before it was built; see {each.log}",
        each.run_id,
    )


def _skip_orphans(mesh: Mesh, state: _State, on_end: Callable[[BuildRecord], None]) -> None:
    """Whatever needs a product that was refused or failed is not built now; all others go on."""
    bad = {name for name, record in state.ended.items() if record.outcome not in GOOD}
    for name in list(state.waiting):
        blockers = sorted(str(need) for need in needs_of(mesh, name) if need in bad)
        if blockers:
            state.waiting.remove(name)
            _end(state, _record(name, BuildOutcome.SKIPPED, f"waits for {', '.join(blockers)}"), on_end)
            bad.add(name)


def _unchanged(registry: Registry, name: ProductName) -> BuildRecord:
    head = registry.head(name)
    assert head is not None  # without a head every partition is stale
    results = head.certificate.rule_results
    return BuildRecord(
        product=name,
        run_id=head.run_id,
        outcome=BuildOutcome.UNCHANGED,
        started=datetime.now(UTC),
        seconds=0.0,
        version=head.number,
        rows=head.rows,
        message=told_of_hold(registry, head),
        passed=sum(result["outcome"] == "passed" for result in results),
        warned=sum(result["outcome"] != "passed" for result in results),
        details=rows_aside(head),
    )


def _record(name: ProductName, outcome: BuildOutcome, message: str, run_id: str = "") -> BuildRecord:
    return BuildRecord(
        product=name,
        run_id=run_id,
        outcome=outcome,
        started=datetime.now(UTC),
        seconds=0.0,
        message=message,
    )


def _end(state: _State, record: BuildRecord, on_end: Callable[[BuildRecord], None]) -> None:
    state.ended[record.product] = record
    on_end(record)
