"""Running a kitchen: what its change touches is made anew, in order, and no more.

A product is made if its own code or contract differs from what its version was made with, or if an input that
the kitchen made differs in what the product reads of it (the joint projection). What is skipped is on record
as looked at; a share of it is made all the same, to audit the pruner: a difference is a loud failure.
"""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum

from mesh_assets.capabilities.kitchens.mended_rows import corrected_since
from mesh_assets.capabilities.kitchens.pruning import changed_code, moved_inputs, remember_skip, unread
from mesh_assets.capabilities.kitchens.raw import moved_since_pin, told_moved
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome


class Verdict(StrEnum):
    #: Made anew, and another one than before.
    MADE = "made"
    #: Made anew, and found as it was: what uses it is left alone.
    SAME = "same"
    #: Not made: what it reads of its inputs is as it was.
    SKIPPED = "skipped"
    #: Skipped, then made for the audit, and found as it was.
    AUDITED = "audited"
    #: Skipped, then made for the audit, and another one.
    WRONG = "wrong"
    #: Its rules or its recipe failed.
    FAILED = "failed"
    #: Not made: an input failed.
    BLOCKED = "blocked"
    #: Not made: the kitchen may not write its domain.
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Step:
    """One product of a run."""

    product: ProductName
    verdict: Verdict
    why: str
    seconds: float = 0.0
    version: int | None = None


@dataclass(frozen=True)
class Plan:
    """How somebody wants a kitchen to be run."""

    #: Of what was skipped, the share that is made to audit the pruner.
    audit_share: float = 0.1
    #: Make everything that a change could reach.
    no_skip: bool = False
    #: For choosing what is audited; "" for another choice each time.
    seed: str = ""


@dataclass
class KitchenRun:
    """How a run ended."""

    run_id: str
    steps: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    #: For telling Dagster.
    built: list[Built] = field(default_factory=list)

    def of(self, *verdicts: Verdict) -> tuple[ProductName, ...]:
        return tuple(each.product for each in self.steps if each.verdict in verdicts)

    @property
    def wrong(self) -> tuple[ProductName, ...]:
        return self.of(Verdict.WRONG)

    @property
    def good(self) -> bool:
        return not self.of(Verdict.WRONG, Verdict.FAILED, Verdict.BLOCKED)


def run_kitchen(
    settings: Settings, plan: Plan | None = None, on_step: Callable[[Step], None] = lambda _: None
) -> KitchenRun:
    """Make what the kitchen's change touches; `settings` are the kitchen's (`in_kitchen`).

    Mistakes in data and recipes are in the steps, and so are wrong skips: whoever asks judges `good`.
    """
    plan, clock = plan or Plan(), time.monotonic()
    run = KitchenRun(f"kitchen-{uuid.uuid4().hex[:12]}")
    with open_registry(settings) as registry:
        runner = _Runner(settings, registry, read_mesh(settings), run, on_step, no_skip=plan.no_skip)
        runner.make()
        runner.audit(plan)
    run.seconds = time.monotonic() - clock
    return run


@dataclass
class _Runner:
    """One run under way."""

    settings: Settings
    registry: Registry
    mesh: Mesh
    run: KitchenRun
    tell: Callable[[Step], None]
    no_skip: bool = False
    bad: set[ProductName] = field(default_factory=set)

    def make(self) -> None:
        stored = [name for name, asset in self.mesh.assets.items() if asset.in_lake]
        changed = {name: why for name in stored if (why := self._changed(name))}
        reached = self._reached(changed)
        for name in in_order(self.mesh, reached):
            self._look(name, changed.get(name, ""))

    def audit(self, plan: Plan) -> None:
        """Make a share of what was skipped, in order; a difference is told, its users are left alone."""
        skipped = [name for name in self.run.of(Verdict.SKIPPED) if self._may_write(name)]
        count = min(len(skipped), math.ceil(plan.audit_share * len(skipped)))
        chosen = set(random.Random(plan.seed or self.run.run_id).sample(skipped, count))  # noqa: S311
        for place, step in enumerate(self.run.steps):
            if step.product in chosen and step.verdict is Verdict.SKIPPED:
                self.run.steps[place] = self._audited(step)
                self.tell(self.run.steps[place])

    def _audited(self, step: Step) -> Step:
        made = self._build(step.product, step.why, force=True)
        verdicts = {Verdict.MADE: Verdict.WRONG, Verdict.SAME: Verdict.AUDITED}
        told = {
            Verdict.MADE: f"skipped ({step.why}), and it is another one",
            Verdict.SAME: f"{step.why}; made to audit that, and as it was",
        }
        verdict = verdicts.get(made.verdict, made.verdict)
        return Step(step.product, verdict, told.get(made.verdict, made.why), made.seconds, made.version)

    def _changed(self, name: ProductName) -> str:
        if why := changed_code(self._workshop(name), self.mesh.assets[name]):
            return why
        head = self.registry.head(name)
        return "rows of it were corrected" if head and corrected_since(self.settings, head) else ""

    def _reached(self, changed: Collection[ProductName]) -> set[ProductName]:
        """What changed, what uses what the kitchen has made, and what uses that."""
        own = [name for name, (_, there) in self.registry.stored_heads().items() if not there]
        found = self.mesh.downstream([*changed, *(name for name in own if name in self.mesh.assets)])
        return {name for name in found if self.mesh.assets[name].in_lake}

    def _look(self, name: ProductName, why: str) -> None:
        step = self._decided(name, why)
        if step is not None:
            self.run.steps.append(step)
            self.tell(step)

    def _decided(self, name: ProductName, why: str) -> Step | None:
        asset = self.mesh.assets[name]
        failed = sorted(self.bad & set(asset.needs))
        if failed:
            self.bad.add(name)
            return Step(name, Verdict.BLOCKED, f"{', '.join(map(str, failed))} did not come about")
        workshop = self._workshop(name)
        moved = moved_inputs(workshop, asset)
        if not why and not moved:
            return None
        if not why and not self.no_skip:
            read = [each for each in moved if not unread(workshop, self.mesh, asset, moved[each])]
            if not read:
                remember_skip(workshop, asset, moved)
                return Step(name, Verdict.SKIPPED, f"reads nothing that changed in {_names(moved)}")
            why = f"reads what changed in {_names(read)}"
        why = why or "made whatever it reads"
        if not self._may_write(name):
            return Step(name, Verdict.OUTSIDE, f"{why}; the kitchen may not write {name.domain}")
        return self._build(name, why)

    def _may_write(self, name: ProductName) -> bool:
        return not self.settings.writable or name.domain in self.settings.writable

    def _build(self, name: ProductName, why: str, *, force: bool = False) -> Step:
        clock = time.monotonic()
        try:
            built = build(self._workshop(name, force=force), name)
        except MeshError as error:
            self.bad.add(name)
            return Step(name, Verdict.FAILED, str(error), time.monotonic() - clock)
        made = built.record.outcome is BuildOutcome.PUBLISHED
        self.run.built.append(built)
        version = built.version.number if built.version else None
        files = moved_since_pin(self.registry, name, built.version) if built.version and made else ()
        why += f"; its sources moved since the pin: {told_moved(files)}" if files else ""
        verdict = Verdict.MADE if made else Verdict.SAME
        return Step(name, verdict, why, time.monotonic() - clock, version)

    def _workshop(self, name: ProductName, *, force: bool = False) -> Workshop:
        return Workshop(
            settings=self.settings,
            registry=self.registry,
            domain=self.mesh.domains[name.domain],
            run_id=f"{self.run.run_id}{'-audit' if force else ''}",
            who=who(),
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset([name]),
            force=force,
        )


def _names(products: Collection[ProductName]) -> str:
    return ", ".join(sorted(map(str, products)))
