"""Several products of several domains as one release: readers see all of them or none.

Each takes the one path as far as its commit, on one view of the mesh: heads are looked at once, and a product
of the group that is committed already is read by the others as it will be. Then one transaction of the
registry shows all of them. If one is refused or fails, the others' commits stay unreleased, and no reader is
shown any.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from mesh_assets.capabilities.lake.spare import drop_spare
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import in_order, needs_of, ready_batch
from mesh_assets.capabilities.publishing.again import Tries, persist
from mesh_assets.capabilities.publishing.build import (
    Built,
    Ready,
    after_release,
    prepare,
)
from mesh_assets.capabilities.publishing.record import failures_on_record
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.errors import MeshError, PromiseBroken, ReleaseConflict
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import CodeMoved
from mesh_assets.words.rules import Verdict
from mesh_assets.words.versions import PROD, BuildOutcome, BuildRecord, Version


class MakeWorkshop(Protocol):
    """A workshop of a domain for some of its assets, on a registry that the group hands in."""

    def __call__(self, domain: str, selected: frozenset[ProductName], registry: Registry, /) -> Workshop: ...


@dataclass(frozen=True)
class Together:
    """How a group ended; nothing of it was released unless all of it was."""

    #: In the order of the mesh.
    records: tuple[BuildRecord, ...]
    #: What was released or found unchanged; empty for a group that was not released.
    built: tuple[Built, ...] = ()
    #: Partitions that each version changed.
    changed: Mapping[ProductName, tuple[str, ...]] = field(default_factory=dict)
    #: What the rules said of refused drafts.
    refused: Mapping[ProductName, Verdict] = field(default_factory=dict)

    @property
    def released(self) -> bool:
        return bool(self.built)


def publish_together(
    mesh: Mesh,
    names: Collection[ProductName],
    registry: Registry,
    workshop: MakeWorkshop,
    *,
    on_start: Callable[[ProductName], None] = lambda _: None,
) -> Together:
    """Build products and release them in one transaction, or release none of them.

    Mistakes in data and recipes are in the records. Raises ReleaseConflict if others were quicker each time.
    """
    group = _Group(mesh, [name for name in in_order(mesh, names) if mesh.assets[name].in_lake], workshop)
    group.on_start = on_start
    try:
        return persist(lambda: group.attempt(registry), group.recipes)
    except ReleaseConflict as lost:
        group.skip_the_ready(registry, str(lost))
        raise
    finally:
        group.sweep()


class PlannedRegistry(Registry):
    """The registry as it will be after the group's release; what is written goes to the real one."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry.engine)
        self._seen: dict[tuple[ProductName, str], Version | None] = {}
        self.planned: dict[ProductName, Version] = {}

    def head(self, product: ProductName, environment: str = PROD) -> Version | None:
        """The draft of a product that is ready; else its head when the group first asked for it."""
        if product in self.planned:
            return self.planned[product]
        if (product, environment) not in self._seen:
            self._seen[product, environment] = super().head(product, environment)
        return self._seen[product, environment]

    def plan(self, ready: Ready) -> None:
        """Let the group read what is ready."""
        certificate, newest = ready.certificate, self.versions(ready.certificate.product, limit=1)
        number = newest[0].number + 1 if newest else 1
        self.planned[certificate.product] = Version(
            product=certificate.product,
            # The release gives the number, and writes it where this one was read.
            number=number,
            snapshot=certificate.snapshot,
            fingerprint=certificate.fingerprint,
            rows=certificate.rows,
            contract_version=certificate.contract_version,
            run_id=certificate.run_id,
            published=certificate.finished,
            certificate=replace(certificate, number=number),
        )

    def outside(self, reads: Mapping[ProductName, int]) -> dict[ProductName, int]:
        """What was read and is not of the group's own making."""
        return {name: number for name, number in reads.items() if name not in self.planned}

    def pin(self, holder: str, versions: Mapping[ProductName, int], expires: datetime | None = None) -> None:
        super().pin(holder, self.outside(versions), expires)

    def refuse_if_moved(
        self,
        expected: Mapping[ProductName, int | None],
        reads: Mapping[ProductName, int],
        environment: str = PROD,
    ) -> None:
        super().refuse_if_moved(expected, self.outside(reads), environment)


class _Group:
    """A group between its attempts."""

    def __init__(self, mesh: Mesh, names: list[ProductName], workshop: MakeWorkshop) -> None:
        self.mesh, self.names, self.workshop = mesh, names, workshop
        self.tries = {name: Tries() for name in names}
        self.made: dict[ProductName, tuple[Workshop, Built | Ready]] = {}
        self.bad: dict[ProductName, BuildRecord] = {}
        self.refused: dict[ProductName, Verdict] = {}
        self.on_start: Callable[[ProductName], None] = lambda _: None

    def recipes(self) -> int:
        return max((each.recipes for each in self.tries.values()), default=0)

    def attempt(self, registry: Registry) -> Together:
        view = PlannedRegistry(registry)
        self.made, self.bad, self.refused = {}, {}, {}
        waiting = list(self.names)
        while waiting:
            batch = self._next(waiting)
            waiting = [name for name in waiting if name not in batch]
            workshop = self.workshop(batch[0].domain, frozenset(batch), view)
            for name in batch:
                self._prepare(workshop, view, name)
        if self.bad:
            self.skip_the_ready(registry, f"is released together with {_told(self.bad)}")
            return Together(self._records(), refused=dict(self.refused))
        return self._release(view)

    def _next(self, waiting: list[ProductName]) -> list[ProductName]:
        """As much of one domain as can be made now: dbt makes its models in one go."""
        batches = [
            ready_batch(self.mesh, domain=domain, waiting=waiting, unfinished=waiting)
            for domain in dict.fromkeys(name.domain for name in waiting)
        ]
        return max(batches, key=len)

    def _prepare(self, workshop: Workshop, view: PlannedRegistry, name: ProductName) -> None:
        blockers = {need: self.bad[need] for need in needs_of(self.mesh, name) if need in self.bad}
        if blockers:
            self.bad[name] = _skipped(name, workshop.run_id, f"waits for {_told(blockers)}")
            workshop.registry.record_build(self.bad[name])
            return
        self.on_start(name)
        try:
            with failures_on_record(workshop, name):
                made = prepare(workshop, name, self.tries[name])
        except (ReleaseConflict, CodeMoved):
            raise
        except MeshError as error:
            if isinstance(error, PromiseBroken):
                self.refused[name] = error.verdict  # type: ignore[attr-defined]  # `refuse` has put it there
            # Who may not put it on record is told all the same.
            failed = replace(_skipped(name, workshop.run_id, str(error)), outcome=BuildOutcome.FAILED)
            self.bad[name] = view.builds_of(workshop.run_id).get(name, failed)
            return
        self.made[name] = (workshop, made)
        if isinstance(made, Ready):
            view.plan(made)

    def _release(self, view: PlannedRegistry) -> Together:
        ready = {name: made for name, (_, made) in self.made.items() if isinstance(made, Ready)}
        versions: dict[ProductName, Version] = {}
        if ready:
            workshop = next(workshop for workshop, _ in self.made.values())
            inputs = [each.work.inputs for each in ready.values()]
            reads = {name: version.number for each in inputs for name, version in each.items()}
            released = view.release(
                [each.certificate for each in ready.values()],
                expected={name: number for each in ready.values() for name, number in each.expected.items()},
                reads=view.outside(reads),
                fences={name: each.work.fence for name, each in ready.items()},
                who=workshop.who,
                run_id=workshop.run_id,
            )
            versions = {version.product: version for version in released}
        built = tuple(
            after_release(workshop, made, versions[name]) if isinstance(made, Ready) else made
            for name, (workshop, made) in self.made.items()
        )
        changed = {name: each.partitions for name, each in ready.items()}
        return Together(tuple(each.record for each in built), built, changed)

    def skip_the_ready(self, registry: Registry, why: str) -> None:
        """What passed and is not released says so, and so does what was found unchanged."""
        for name, (workshop, made) in self.made.items():
            if isinstance(made, Ready):
                self.bad[name] = _skipped(name, workshop.run_id, why)
                registry.record_build(self.bad[name])

    def _records(self) -> tuple[BuildRecord, ...]:
        unchanged = {name: made.record for name, (_, made) in self.made.items() if isinstance(made, Built)}
        return tuple({**unchanged, **self.bad}[name] for name in self.names)

    def sweep(self) -> None:
        for workshop, _ in self.made.values():
            drop_spare(workshop.settings, workshop.run_id)


def _skipped(name: ProductName, run_id: str, why: str) -> BuildRecord:
    return BuildRecord(
        product=name,
        run_id=run_id,
        outcome=BuildOutcome.SKIPPED,
        started=datetime.now(UTC),
        seconds=0.0,
        message=why,
    )


def _told(bad: Mapping[ProductName, BuildRecord]) -> str:
    """`hcp.hcp_master, which was refused`"""
    return ", ".join(f"{name}, which was {record.outcome}" for name, record in sorted(bad.items()))
