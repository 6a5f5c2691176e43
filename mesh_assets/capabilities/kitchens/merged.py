"""The mesh as it will be: the kitchen's versions among those that the other side shows now, and merged code.

Here: a look at that state, before anything of it is there. Not here: what is wrong with it (plan).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.repository import (
    Merged,
    commit,
    log_between,
    merge,
    tree_beside,
    tree_of,
)
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import CodeConflict
from mesh_assets.words.rules import RuleResult
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import PROD, BuildRecord, Version


class MergedView(Registry):
    """Heads as they will be, as a kitchen reads them; nothing can be written through it."""

    def __init__(self, crossing: Crossing, brought: Mapping[ProductName, Version]) -> None:
        super().__init__(crossing.theirs.engine)
        self._crossing, self.brought = crossing, brought
        self._shown = {
            name: replace(version, stored=version.stored or crossing.there.environment)
            for name, version in crossing.theirs.head_versions().items()
        }

    @property
    def standing(self) -> Mapping[ProductName, Version]:
        """What the other side shows now."""
        return self._shown

    def head(self, product: ProductName, environment: str = PROD) -> Version | None:
        return self.brought.get(product) or self._shown.get(product)

    def head_versions(self, environment: str = PROD) -> dict[ProductName, Version]:
        return {**self._shown, **self.brought}

    def last_build(self, product: ProductName) -> BuildRecord | None:
        return next(iter(self.builds(product, limit=1)), None)

    def builds(self, product: ProductName, *, limit: int = 50) -> list[BuildRecord]:
        """The kitchen's, where it looked at what will be shown; else the other side's."""
        head = self.head(product)
        own = self._crossing.own.head(product)
        if (
            head is not None
            and own is not None
            and own.snapshot == head.snapshot
            and own.stored == head.stored
        ):
            found = self._crossing.own.builds(product, limit=limit)
            if found:
                return [_numbered(each, own, head) for each in found]
        return super().builds(product, limit=limit)

    def record_build(self, record: BuildRecord, results: Sequence[RuleResult] = ()) -> int:
        return 0


def _numbered(record: BuildRecord, own: Version, head: Version) -> BuildRecord:
    return replace(record, version=head.number) if record.version == own.number else record


@dataclass(frozen=True)
class Together:
    """The merged state, to be asked."""

    crossing: Crossing
    #: The kitchen's settings with the merged code.
    settings: Settings
    mesh: Mesh
    view: MergedView
    #: The merge as a commit, "" where no code moves.
    commit: str
    run_id: str

    def workshop(self, domain: str, names: frozenset[ProductName] = frozenset()) -> Workshop:
        """For asking what is stale, and for audits; it builds nothing."""
        return Workshop(
            settings=self.settings,
            registry=self.view,
            domain=self.mesh.domains[domain],
            run_id=self.run_id,
            who=who(),
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=names,
        )


@contextmanager
def merged_state(crossing: Crossing, *, code: bool, data: bool) -> Iterator[Together]:
    """The state after a promotion of the kitchen's code, its data, or both; raises CodeConflict."""
    view = MergedView(crossing, crossing.made if data else {})
    run_id = f"merged-{uuid4().hex[:12]}"
    if not code:
        settings = replace(
            crossing.here,
            domains=crossing.there.domains,
            journeys=crossing.there.journeys,
            dbt_project=crossing.there.dbt_project,
        )
        yield Together(crossing, settings, read_mesh(settings), view, "", run_id)
        return
    made = merge_commit(crossing)
    with _code_of(crossing, made, run_id) as settings:
        yield Together(crossing, settings, read_mesh(settings), view, made, run_id)


def merge_commit(crossing: Crossing, message: str = "") -> str:
    """The commit that the other side's branch is to show; its own head if the kitchen has nothing new."""
    top, ours, theirs = crossing.repository, crossing.head, crossing.branch
    found = merge(top, ours, theirs)
    if found.conflicts:
        raise CodeConflict(
            kitchen=crossing.name, paths=found.conflicts, who=tuple(_whose(crossing, found, ours))
        )
    if found.tree == tree_of(top, ours):
        return ours
    told = message or f"Promote kitchen {crossing.name}"
    return commit(top, found.tree, [ours, theirs], told, who=who())


def _whose(crossing: Crossing, found: Merged, ours: str) -> Iterator[str]:
    """Who changed each path on the other side since the kitchen's branch began."""
    for path in found.conflicts:
        last = log_between(crossing.repository, crossing.branch, ours, path, limit=1)
        yield "{who}, {when:.10}: {subject}".format(**last[0]) if last else ""


@contextmanager
def _code_of(crossing: Crossing, made: str, run_id: str) -> Iterator[Settings]:
    """The merged code: in the kitchen's own tree if nobody else changed anything, in one beside it if so."""
    top = crossing.repository
    if tree_of(top, made) == tree_of(top, crossing.branch):
        yield crossing.here
        return
    crossing.here.scratch.mkdir(parents=True, exist_ok=True)
    with tree_beside(crossing.there, top, made, crossing.here.scratch / f"{run_id}-tree") as elsewhere:
        yield replace(
            crossing.here,
            domains=elsewhere.domains,
            journeys=elsewhere.journeys,
            dbt_project=elsewhere.dbt_project,
        )
