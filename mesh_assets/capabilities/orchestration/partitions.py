"""Partitions as Dagster knows them: definitions, mappings between products, keys of files.

Here: a product's partitions_def, and which partitions of a parent one is made of, the parent in whatever
location. Not here: the rule itself (publishing/partitions), when it is built (conditions).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import DATED, FILE, WEEK

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset


def partitions(name: ProductName, cut: Partitioning | None) -> dg.PartitionsDefinition[str] | None:
    """Weeks by their Monday, months by their first day, both in UTC; files as they are told of."""
    if cut is None:
        return None
    if cut.every == FILE:
        return dg.DynamicPartitionsDefinition(name=str(name))
    start, end = _midnight(cut.first), _midnight(cut.until) if cut.until else None
    if cut.every == WEEK:
        return dg.WeeklyPartitionsDefinition(start_date=start, end_date=end, day_offset=1)
    return dg.MonthlyPartitionsDefinition(start_date=start, end_date=end)


def mapping(child: Partitioning | None, parent: Partitioning | None) -> dg.PartitionMapping | None:
    """Which partitions of the parent one of the child is made of, as `parents_of` says; None: Dagster's own.

    The first and the last week may have days outside of all months: keys that do not exist are no error.
    """
    if child is None or parent is None:
        return None
    if child.every in DATED and parent.every in DATED:
        return dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
    if child.every == parent.every == FILE and child.source == parent.source:
        return dg.IdentityPartitionMapping()
    return dg.AllPartitionMapping()


def tell_of_files(
    instance: dg.DagsterInstance, assets: Iterable[Asset]
) -> dict[ProductName, tuple[str, ...]]:
    """Make the keys of files that came known to Dagster; those that are new, by product."""
    from mesh_assets.capabilities.publishing.keys import all_partitions

    told: dict[ProductName, tuple[str, ...]] = {}
    for asset in assets:
        if asset.partitioning is None or asset.partitioning.every != FILE:
            continue
        known = set(instance.get_dynamic_partitions(str(asset.name)))
        new = tuple(key for key in all_partitions(asset.partitioning) if key not in known)
        if new:
            instance.add_dynamic_partitions(str(asset.name), list(new))
            told[asset.name] = new
    return told


def range_of(instance: dg.DagsterInstance, name: ProductName, keys: Sequence[str]) -> tuple[str, str] | None:
    """First and last of these keys of files, in the order in which Dagster was told of them."""
    wanted = set(keys)
    there = [key for key in instance.get_dynamic_partitions(str(name)) if key in wanted]
    return (there[0], there[-1]) if there else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - Dagster takes its time zone apart
