"""Carrying out an order: products in order across domains, a Dagster run per domain, independent domains side
by side.

Dagster's runs belong to one code location each, so somebody above them has to know who waits for whom. What
is unchanged is told without starting a run; what was refused stops its consumers and nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_assets.capabilities.lineage.order import in_order, needs_of
from mesh_assets.capabilities.orchestration.batches import next_batch
from mesh_assets.capabilities.orchestration.choosing import (
    GOOD,
    Site,
    choose,
    goes_without,
    run_range,
    why_it_does_not_load,
)
from mesh_assets.capabilities.orchestration.launch import ORDER_TAG, Child, Launcher, launch_of
from mesh_assets.capabilities.orchestration.log_book import LogBook, record_of, unchanged_record
from mesh_assets.capabilities.orchestration.looks import tell_looked
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import RunOrder, ServerRefused
from mesh_assets.words.versions import BuildOutcome, BuildRecord

#: Seconds between two looks at the runs; each look asks the registry once per run.
LOOK_EVERY = 0.3
#: In the place of a run's id, while the server that numbers it is asked to start it.
STARTING = "starting"

#: (event, facts) as something happens; docs/running.md has the events.
Tell = Callable[[str, Mapping[str, Any]], None]


@dataclass
class Coordinator:
    """One order being carried out."""

    site: Site
    order: RunOrder
    launcher: Launcher
    book: LogBook
    tell: Tell
    #: Products that may not be built now, and why; a callable, because people decide so at any time.
    why_not: Callable[[ProductName], str | None] = lambda name: None
    #: Steps of a journey that keeps its order: a product waits for all of the steps before its own.
    stages: Mapping[ProductName, int] = field(default_factory=dict)
    waiting: list[ProductName] = field(default_factory=list)
    running: dict[str, Child] = field(default_factory=dict)
    ended: dict[ProductName, BuildRecord] = field(default_factory=dict)
    #: Skipped by a person's decision: what uses them reads the version that is there.
    passed_over: set[ProductName] = field(default_factory=set)

    def carry_out(self) -> list[BuildRecord]:
        """Build everything in the order and return how each product ended, in order."""
        names = [name for name in self.order.names if self.site.mesh.assets[name].in_lake]
        wanted = in_order(self.site.mesh, names)
        self.waiting = [name for name in wanted if name not in self.ended]
        try:
            self._take_up_runs()
            while self.waiting or self.running:
                moved = self._skip_orphans()
                moved |= self._start_what_can()
                moved |= self._collect()
                self.book.write()
                if not moved and (self.waiting or self.running):
                    time.sleep(LOOK_EVERY)
        finally:
            self._stop()
        assets = [self.site.mesh.assets[name] for name in self.book.looked]
        tell_looked(self.site.settings, self.site.registry, assets)
        return [self.ended[name] for name in wanted]

    @property
    def unfinished(self) -> set[ProductName]:
        return {*self.waiting, *(name for each in self.running.values() for name in each.names)}

    def _stop(self) -> None:
        """Only when this process is told to stop is anything still running."""
        if self.running:
            self.launcher.stop(list(self.running.values()))
        self.book.write()

    def _take_up_runs(self) -> None:
        """Runs of this order that were started before it was interrupted, and go on."""
        for domain in dict.fromkeys(name.domain for name in self.waiting):
            mine = [name for name in self.waiting if name.domain == domain and name in self.book.given]
            child = self.launcher.find(self.book.id, self.book.given[mine[0]], domain) if mine else None
            if child is not None:
                child.names = mine
                self.running[domain] = child
                self.waiting = [name for name in self.waiting if name not in mine]
                self.tell("run_taken_up", {"run": child.run_id, "domain": domain, "products": _plain(mine)})

    def _start_what_can(self) -> bool:
        moved = False
        while len(self.running) < self.order.jobs and (batch := self._next()):
            moved = True
            self.waiting = [name for name in self.waiting if name not in batch]
            batch = [name for name in batch if not self._passed_over(name)]
            chosen = choose(self.site, self.order, batch) if batch else {}
            for name in batch:
                if name not in chosen:
                    self.book.looked.append(name)
                    self._end(unchanged_record(self.site.registry, name, goes_without(self.site, name)))
            if chosen:
                self._start(chosen)
        return moved

    def _next(self) -> list[ProductName]:
        unfinished = self.unfinished
        stage = min((self.stages.get(name, 0) for name in unfinished), default=0)
        waiting = [name for name in self.waiting if self.stages.get(name, 0) <= stage]
        return next_batch(self.site.mesh, waiting=waiting, unfinished=unfinished, busy=list(self.running))

    def _passed_over(self, name: ProductName) -> bool:
        why = self.why_not(name)
        if why is None:
            return False
        if self.site.registry.head(name) is not None:
            self.passed_over.add(name)
        self._end(record_of(name, BuildOutcome.SKIPPED, why))
        return True

    def _start(self, chosen: Mapping[ProductName, tuple[str, ...]]) -> None:
        names = list(chosen)
        domain = names[0].domain
        problem = why_it_does_not_load(self.site, domain) or self.launcher.why_not(domain)
        if problem:
            self._refuse(names, problem)
            return
        partitions = run_range(self.site, self.order, chosen)
        launch = launch_of(self.site.mesh, self.order, names, partitions, {ORDER_TAG: self.book.id})
        run_id = self.launcher.new_run(launch)
        self.book.give(names, run_id or STARTING)  # before it starts: whoever takes the order up asks for it
        try:
            child = self.launcher.start(launch, run_id)
        except ServerRefused as error:
            self._refuse(names, str(error))
            return
        self.book.give(names, child.run_id)
        self.running[domain] = child
        facts = {"run": child.run_id, "domain": domain, "products": _plain(names)}
        self.tell("run_started", {**facts, "partitions": list(launch.partitions), "log": child.log})
        for name in names:
            self.tell("product_started", {"product": str(name), "run": child.run_id})

    def _refuse(self, names: list[ProductName], problem: str) -> None:
        for name in names:
            self._end(record_of(name, BuildOutcome.FAILED, problem))

    def _collect(self) -> bool:
        """Take in what ended since the last look: products as they are recorded, runs as they exit."""
        moved = False
        for domain, child in list(self.running.items()):
            over = self.launcher.ended(child)
            builds = self.site.registry.builds_of(child.run_id)
            for name in list(child.names):
                record = builds.get(name)
                if record is None and over is not None:
                    record = _lost(child, name, builds, over)
                if record is not None:
                    child.names.remove(name)
                    self._end(record)
                    moved = True
            if over is not None:
                del self.running[domain]
                self.tell("run_ended", {"run": child.run_id, "domain": domain, "told": over})
                moved = True
        return moved

    def _skip_orphans(self) -> bool:
        """Whatever needs a product that was refused or failed is not built now; all others go on."""
        bad = {name for name, record in self.ended.items() if record.outcome not in GOOD} - self.passed_over
        before = len(self.waiting)
        for name in list(self.waiting):
            blockers = sorted(str(need) for need in needs_of(self.site.mesh, name) if need in bad)
            if blockers:
                self.waiting.remove(name)
                self._end(record_of(name, BuildOutcome.SKIPPED, f"waits for {', '.join(blockers)}"))
                bad.add(name)
        return len(self.waiting) < before

    def _end(self, record: BuildRecord) -> None:
        self.ended[record.product] = record
        self.book.end(record)
        self.tell("product_ended", told_record(record))


def told_record(record: BuildRecord) -> dict[str, Any]:
    """How a product ended, as events and summaries say it."""
    return {
        "product": str(record.product),
        "outcome": str(record.outcome),
        "run": record.run_id,
        "version": record.version,
        "rows": record.rows,
        "seconds": round(record.seconds, 3),
        "message": record.message,
    }


def _plain(names: list[ProductName]) -> list[str]:
    return [str(name) for name in names]


def _lost(
    child: Child, name: ProductName, builds: Mapping[ProductName, BuildRecord], over: str
) -> BuildRecord:
    """A product that its run said nothing of: skipped behind one that was refused, or its process died."""
    bad = sorted(str(product) for product, record in builds.items() if record.outcome not in GOOD)
    if bad:
        return record_of(name, BuildOutcome.SKIPPED, f"waits for {', '.join(bad)}", child.run_id)
    told = f"{over} before it was built; see {child.log}"
    return record_of(name, BuildOutcome.FAILED, told, child.run_id)
