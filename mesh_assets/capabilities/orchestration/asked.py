"""From what a person typed to an order: targets, their neighbours, partitions that exist."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.order import select
from mesh_assets.capabilities.orchestration.choosing import asked_partitions
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.words.errors import UnknownProduct
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import NoSuchPartition, RunOrder, UnknownTarget


def targets(
    mesh: Mesh, asked: Iterable[str], journeys: Mapping[str, Collection[ProductName]]
) -> set[ProductName]:
    """The assets that targets name: products, domains, `*`, journeys; `+x` and `x+` with their neighbours."""
    found: set[ProductName] = set()
    for text in asked:
        bare = text.strip().strip("+")
        if bare in journeys:
            found |= set(journeys[bare])
            continue
        try:
            found |= set(select(mesh, [text]))
        except UnknownProduct:
            known = [*mesh.domains, *map(str, mesh.assets), *journeys]
            near = difflib.get_close_matches(bare, known, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise UnknownTarget(name=bare, hint=hint) from None
    return found


def check_partitions(mesh: Mesh, order: RunOrder) -> None:
    """Partitions that were asked for must exist, and follow each other: a run has a range of them."""
    if not (order.partitions or order.first or order.last):
        return
    _check_days(order)
    assets = [mesh.assets[name] for name in order.names if mesh.assets[name].partitioning]
    if not assets:
        raise NoSuchPartition(problem="nothing that is selected has partitions")
    for key in order.partitions:
        one = RunOrder(names=(), partitions=(key,))
        if not any(asked_partitions(asset, one) for asset in assets):
            keys = all_partitions(assets[0].partitioning)
            told = f"{key!r} is no partition; those of {assets[0].name} go from {keys[0]} to {keys[-1]}"
            raise NoSuchPartition(problem=told)
    asked = [(asset, asked_partitions(asset, order) or ()) for asset in assets]
    if not any(found for _, found in asked):
        raise NoSuchPartition(
            problem=f"no partition lies between {order.first or '…'} and {order.last or '…'}"
        )
    for asset, found in asked:
        keys = all_partitions(asset.partitioning)
        if found and keys.index(max(found)) - keys.index(min(found)) + 1 != len(found):
            raise NoSuchPartition(
                problem=f"partitions of one run follow each other; {asset.name} has others between "
                f"{min(found)} and {max(found)}. Use --from and --to, or one run for each"
            )


def _check_days(order: RunOrder) -> None:
    for option, day in (("--from", order.first), ("--to", order.last)):
        try:
            date.fromisoformat(day or "2000-01-01")
        except ValueError:
            raise NoSuchPartition(problem=f"{option} is {day!r}, which is no day; write 2024-01-01") from None
    if order.first and order.last and order.first > order.last:
        raise NoSuchPartition(problem=f"--from {order.first} lies after --to {order.last}")
