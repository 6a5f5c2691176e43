"""What one run takes next, from what waits and what runs: pure functions, for orders and for their plans."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import needs_of, ready_batch
from mesh_assets.capabilities.orchestration.partitions import kind_of_cut
from mesh_assets.words.names import ProductName


def next_batch(
    mesh: Mesh,
    *,
    waiting: Sequence[ProductName],
    unfinished: Collection[ProductName],
    busy: Collection[str],
) -> list[ProductName]:
    """All that is left of some domain, if it can be built now; a part of one only when nothing else can move.

    A run costs seconds to start (and dbt more), so a domain is built in as few runs as its neighbours allow.
    Domains in `busy` have a run already.
    """
    parts = []
    for domain in dict.fromkeys(name.domain for name in waiting):
        if domain in busy:
            continue
        batch = ready_batch(mesh, domain=domain, waiting=waiting, unfinished=unfinished)
        batch = of_one_kind(mesh, batch)
        if batch and len(batch) == sum(name.domain == domain for name in waiting):
            return batch
        parts.append(batch)
    return max(parts, key=len, default=[]) if not busy else []


def of_one_kind(mesh: Mesh, batch: Sequence[ProductName]) -> list[ProductName]:
    """The part of a batch that has one kind of partition, with what has none: a run has one range of keys."""
    kind: str | None = None
    taken: list[ProductName] = []
    for name in batch:
        mine = kind_of_cut(mesh.assets[name])
        left = any(need in batch and need not in taken for need in needs_of(mesh, name))
        if left or (mine and kind and mine != kind):
            continue
        kind = kind or mine
        taken.append(name)
    return taken


def waves(mesh: Mesh, names: Sequence[ProductName]) -> list[list[list[ProductName]]]:
    """The order as levels: batches of a level need nothing of each other, and side by side are one step."""
    waiting, found = list(names), []
    while waiting:
        level: list[list[ProductName]] = []
        taken: set[ProductName] = set()
        while batch := next_batch(
            mesh,
            waiting=[name for name in waiting if name not in taken],
            unfinished=waiting,
            busy=[each[0].domain for each in level],
        ):
            level.append(batch)
            taken |= set(batch)
        found.append(level)
        waiting = [name for name in waiting if name not in taken]
    return found
