"""Partitions as Dagster knows them: definitions, mappings between products, keys of files.

Here: a product's partitions_def, and which partitions of a parent one is made of, the parent in whatever
location. Not here: the rule itself (publishing/partitions), when it is built (conditions).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import DATED, FILE, WEEK

#: Tags that give a run its partitions, from the first to the last.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

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
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*allow_nonexistent_upstream_partitions")  # beta
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


def kind_of_cut(asset: Asset) -> str | None:
    """What a run can have one of: weeks, months, or the files of one product; None for a whole product."""
    if asset.partitioning is None:
        return None
    every = asset.partitioning.every
    return f"{every} {asset.name}" if every == FILE else every


def range_tags(instance: dg.DagsterInstance, assets: Iterable[Asset], keys: Iterable[str]) -> dict[str, str]:
    """Tags of a run over everything from the first to the last of these keys; {} for none.

    Dagster has the keys of files in the order in which it was told of them, which is not theirs.
    """
    wanted = sorted(keys)
    if not wanted:
        return {}
    cut = next((each for each in assets if each.partitioning and each.partitioning.every == FILE), None)
    if cut is not None:
        tell_of_files(instance, [cut])
        there = instance.get_dynamic_partitions(str(cut.name))
        wanted = [key for key in there if wanted[0] <= key <= wanted[-1]] or wanted
    return {RANGE_START: wanted[0], RANGE_END: wanted[-1]}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - Dagster takes its time zone apart
