"""Taking over into a kitchen what moved on the other side: its code by a merge, its data by new heads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import uuid4

from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.mended_rows import take_corrections
from mesh_assets.capabilities.kitchens.merged import merge_commit
from mesh_assets.capabilities.kitchens.repository import (
    attempt,
    bring_files,
    is_in,
    move_branch,
    refuse_unclean,
)
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.code import who as whoever
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.stale import stale_now
from mesh_assets.capabilities.publishing.together import Together, publish_together
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.capabilities.registry.taking import Taken
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import CodeConflict, SettleByHand
from mesh_assets.words.versions import BuildOutcome, Version


@dataclass(frozen=True)
class Rebased:
    """What the kitchen has taken over."""

    products: tuple[ProductName, ...]
    #: Of those, the ones of which it had made versions itself: they are to be made anew.
    own: tuple[ProductName, ...]
    #: The commit that its branch is at now, "" if the code was as it should be.
    commit: str = ""


def rebase(crossing: Crossing) -> Rebased:
    """Code first: raises CodeConflict with nothing changed, and TreeNotClean."""
    commit = _take_code(crossing) if crossing.has_code else ""
    return _take_data(crossing, commit)


def _take_code(crossing: Crossing) -> str:
    top, head, branch = crossing.repository, crossing.head, crossing.branch
    if is_in(top, head, branch):
        return ""
    tree = crossing.kitchen.code
    refuse_unclean(tree, f"the code of kitchen {crossing.name}", f"Commit them: `git -C {tree} commit -a`")
    try:
        made = merge_commit(crossing, f"Rebase kitchen {crossing.name}")
    except CodeConflict as conflict:
        attempt(tree, "merge", "--no-commit", "--no-ff", head)  # leaves its marks where a person works
        raise SettleByHand(
            kitchen=crossing.name, paths=", ".join(conflict.facts["paths"]), tree=tree
        ) from None
    if not move_branch(tree, branch, made):
        return _take_code(crossing)
    bring_files(tree, branch, made)
    return made


def _take_data(crossing: Crossing, commit: str) -> Rebased:
    moved = moved_heads(crossing)
    own = tuple(name for name in moved if name in crossing.made)
    heads = crossing.theirs.head_versions()
    take_over(crossing, {name: heads[name] for name in moved if name in heads}, f"rebase-{uuid4().hex[:12]}")
    return Rebased(tuple(moved), own, commit)


def moved_heads(crossing: Crossing) -> list[ProductName]:
    """Products of which the other side shows another version than the kitchen has taken over."""
    shown = crossing.theirs.heads()
    found = []
    for name, number in sorted(shown.items()):
        taken = crossing.taken(name)
        if taken is None or taken.number != number:
            found.append(name)
    return found


def take_over(crossing: Crossing, found: Mapping[ProductName, Version], run_id: str) -> None:
    """Let the kitchen show these versions of the other side, and keep them from expiring."""
    if not found:
        return
    taken: list[Taken] = []
    numbers = {name: version.number for name, version in found.items()}
    crossing.theirs.keep_all(crossing.kitchen.holder, numbers, crossing.kitchen.expires)
    for name, version in found.items():
        last = crossing.theirs.last_build(name)
        equal = (
            last
            if last and last.outcome is BuildOutcome.UNCHANGED and last.version == version.number
            else None
        )
        taken.append(Taken(version, version.stored or crossing.there.environment, equal))
    crossing.own.take_over(taken, who=whoever(), run_id=run_id)
    take_corrections(crossing, found)


def make_anew(crossing: Crossing, names: Collection[ProductName]) -> Together | None:
    """Make what is stale of these and of what uses them, where the kitchen may write, as one release there;
    None if nothing is.
    """
    settings, mesh = crossing.here, read_mesh(crossing.here)
    run_id = f"remake-{uuid4().hex[:12]}"

    def workshop(domain: str, selected: frozenset[ProductName], registry: Registry) -> Workshop:
        return Workshop(
            settings=settings,
            registry=registry,
            domain=mesh.domains[domain],
            run_id=run_id,
            who=whoever(),
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=selected,
        )

    found = [name for name in in_order(mesh, mesh.downstream(names)) if mesh.assets[name].in_lake]
    wanted = [name for name in found if not settings.writable or name.domain in settings.writable]
    stale = any(
        stale_now(workshop(name.domain, frozenset([name]), crossing.own), mesh.assets[name])
        for name in wanted
    )
    return publish_together(mesh, wanted, crossing.own, workshop) if stale else None
