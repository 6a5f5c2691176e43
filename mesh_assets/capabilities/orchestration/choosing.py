"""What of a batch has to run, and for which partitions; and what an order may not touch.

Here: an order's mode and partitions against what is stale. Not here: what is stale (publishing/stale), why
(publishing/reasons).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.order import needs_of
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.stale import stale_now, unheard
from mesh_assets.capabilities.publishing.supply import supply_now, told_aside
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import Mode, RunOrder
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, BuildOutcome

GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)


@dataclass(frozen=True)
class Site:
    """Where orders are carried out."""

    settings: Settings
    registry: Registry
    mesh: Mesh


def choose(
    site: Site, order: RunOrder, batch: Sequence[ProductName], *, built: Collection[ProductName] = ()
) -> dict[ProductName, tuple[str, ...]]:
    """What of the batch has to run, with the partitions that are known to need it.

    What needs something that runs (in the batch, or in `built`) runs as well: it finds out there.
    """
    workshop = workshop_of(site, order, batch)
    chosen: dict[ProductName, tuple[str, ...]] = {}
    for name in batch:
        found = partitions_to_build(site, order, workshop, site.mesh.assets[name])
        moved = any(need in chosen or need in built for need in needs_of(site.mesh, name))
        if found or (moved and order.mode is not Mode.MISSING):
            chosen[name] = tuple(sorted(found))
    return chosen


def run_range(site: Site, order: RunOrder, chosen: Mapping[ProductName, Iterable[str]]) -> tuple[str, ...]:
    """The partitions that a run over these products is given: all that were asked for, else the stale."""
    found = {part for parts in chosen.values() for part in parts if part != WHOLE}
    if order.partitions or order.first or order.last:
        for name in chosen:
            asked = asked_partitions(site.mesh.assets[name], order)
            found |= set(asked or ()) - {WHOLE}
    return tuple(sorted(found))


def partitions_to_build(site: Site, order: RunOrder, workshop: Workshop, asset: Asset) -> set[str]:
    """Partitions (WHOLE for a product without) that the order has to make."""
    asked = asked_partitions(asset, order)
    wanted = set(all_partitions(asset.partitioning) if asked is None else asked)
    if order.mode is Mode.FORCE:
        return wanted
    if order.mode is Mode.MISSING:
        head = site.registry.head(asset.name)
        return wanted - set(head.certificate.input_keys if head else ())
    return set(stale_now(workshop, asset)) & wanted or _to_confirm(site.registry, asset)


def asked_partitions(asset: Asset, order: RunOrder) -> tuple[str, ...] | None:
    """The partitions of a product that the order speaks of; None if it speaks of none.

    A day means the partition that it lies in: a week's key finds the month of a monthly product.
    """
    if asset.partitioning is None or not (order.partitions or order.first or order.last):
        return None
    keys = all_partitions(asset.partitioning)
    if order.partitions:
        named = set(order.partitions)
        exact = tuple(key for key in keys if key in named)
        return exact or tuple(key for key in keys if any(_holds(keys, key, day) for day in named))
    first, last = order.first or "0000-00-00", order.last or "9999-12-31"
    return tuple(key for key in keys if _day(key) and key <= last and _next(keys, key) > first)


def _holds(keys: Sequence[str], key: str, day: str) -> bool:
    return _day(key) and _day(day) and key <= day < _next(keys, key)


def _next(keys: Sequence[str], key: str) -> str:
    place = keys.index(key) + 1
    return keys[place] if place < len(keys) else "9999-12-31"


def _day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _to_confirm(registry: Registry, asset: Asset) -> set[str]:
    """Nothing may be stale and a run still has something to say.

    After a refused or failed build Dagster shows red; a consumer's changed rule is unheard until it has run.
    """
    last = registry.last_build(asset.name)
    if last is None or (last.outcome in GOOD and not unheard(registry, asset)):
        return set()
    return set(all_partitions(asset.partitioning)[-1:])


def workshop_of(site: Site, order: RunOrder, batch: Sequence[ProductName]) -> Workshop:
    """A workshop that is only asked what is stale."""
    return Workshop(
        settings=site.settings,
        registry=site.registry,
        domain=site.mesh.domains[batch[0].domain],
        run_id="",
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset(batch),
    )


def goes_without(site: Site, name: ProductName) -> str:
    """Which files are set aside that the product would be made of, and why; "" if there are none."""
    workshop = workshop_of(site, RunOrder(names=(name,)), [name])
    asset = site.mesh.assets[name]
    return told_aside(supply_now(workshop, asset, {}, all_partitions(asset.partitioning)).set_aside)


def why_it_does_not_load(site: Site, domain: str) -> str | None:
    """What the domain expects of others is read by its own location, and can be wrong."""
    try:
        check_own_files(site.settings, site.mesh.domains[domain].domain)
    except MeshError as error:
        return str(error)
    return None
