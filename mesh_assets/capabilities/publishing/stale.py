"""What a build has to do: pin the inputs, look at the sources, compare keys with what is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.through import lake_inputs, source_names
from mesh_assets.capabilities.publishing.corrected_files import correction_versions
from mesh_assets.capabilities.publishing.drops import files_for, is_keyed, key_of_file
from mesh_assets.capabilities.publishing.found import found_equal as found_equal
from mesh_assets.capabilities.publishing.holds import held_keys
from mesh_assets.capabilities.publishing.keys import (
    all_partitions,
    input_keys,
    stale_partitions,
)
from mesh_assets.capabilities.publishing.partitions import source_weeks
from mesh_assets.capabilities.publishing.sources import source_version
from mesh_assets.capabilities.publishing.supply import Supply, supply_now
from mesh_assets.capabilities.publishing.workshop import SourceVersions, Workshop
from mesh_assets.words.errors import MeshError, UpstreamMissing
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import DATED
from mesh_assets.words.rules import Rule
from mesh_assets.words.versions import WHOLE, SourceVersion, Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry


def read_heads(workshop: Workshop, asset: Asset) -> dict[ProductName, Version]:
    """The version of every input that readers see now; an input without one stops the build."""
    found: dict[ProductName, Version] = {}
    for name in lake_inputs(workshop.domain, asset):
        version = workshop.registry.head(name)
        if version is None:
            raise UpstreamMissing(product=asset.name, upstream=name)
        found[name] = version
    return found


def find_sources(workshop: Workshop, asset: Asset, partitions: Sequence[str]) -> dict[str, list[Path]]:
    """The files of every source for these partitions, verified."""
    found: dict[str, list[Path]] = {}
    for name in source_names(workshop.domain, asset):
        source = workshop.domain.domain.source(name)
        assert source is not None  # reading the domain has refused unknown sources
        found[name] = files_for(workshop, asset, source, partitions)
    return found


def source_versions(workshop: Workshop, asset: Asset, files: Mapping[str, Sequence[Path]]) -> SourceVersions:
    """Size and checksum of every file, filed under the partitions that read it; corrected rows are files
    as well.
    """
    versions: dict[str, dict[str, list[SourceVersion]]] = {}
    for name, paths in files.items():
        source = workshop.domain.domain.source(name)
        assert source is not None
        seen = {path: source_version(workshop.settings, source, path) for path in paths}
        if is_keyed(asset.partitioning, source):
            versions[name] = {key_of_file(source, path): [version] for path, version in seen.items()}
        elif source.weekly and asset.partitioning is not None and asset.partitioning.every in DATED:
            versions[name] = _by_week(workshop, asset.partitioning, name, seen)
        else:
            versions[name] = {WHOLE: list(seen.values())}
    return {**versions, **correction_versions(workshop.settings, asset.name)}


def _by_week(
    workshop: Workshop, cut: Partitioning, name: str, seen: Mapping[Path, SourceVersion]
) -> dict[str, list[SourceVersion]]:
    """The files of a weekly source, under each partition that reads them."""
    found = {}
    for partition in all_partitions(cut):
        weeks = source_weeks(workshop.domain.domain, name, partition, cut.every)
        found[partition] = [
            version for path, version in seen.items() if any(week in path.name for week in weeks)
        ]
    return found


def keys_now(
    workshop: Workshop, asset: Asset, inputs: Mapping[ProductName, Version], sources: SourceVersions
) -> dict[str, str]:
    return input_keys(workshop.domain, asset, inputs=inputs, sources=sources, settings=workshop.settings)


def known_keys(workshop: Workshop, asset: Asset) -> list[Mapping[str, str]]:
    """Keys whose result is known: those of the head, of a later build that found nothing new, and those that
    a rollback holds.
    """
    head = workshop.registry.head(asset.name)
    if head is None:
        return []
    known = [head.certificate.input_keys, found_equal(workshop.registry, head)]
    return [*known, held_keys(workshop.registry, head)]


def unheard(registry: Registry, asset: Asset) -> bool:
    """True if a consumer's rule about the product was written or changed since it was last held against it.

    Such a rule is in no key: it makes nothing stale, and asks for another look at what is published.
    """
    if not asset.expected:
        return False
    heard = {each.result.rule.id: _said(each.result.rule) for each in registry.standings(asset.name)}
    return any(heard.get(rule.id) != _said(rule) for rule in asset.expected)


def _said(rule: Rule) -> str:
    """What a rule demands, and not where it stands in its file; as the registry keeps it."""
    demand = [rule.kind, rule.columns, rule.path, rule.severity, rule.dimension, rule.description]
    return json.dumps([*demand, dict(rule.arguments)], sort_keys=True, default=str)


def stale_now(workshop: Workshop, asset: Asset) -> tuple[str, ...]:
    """Partitions of the asset that a build would make now; all of them if what it needs is not there."""
    if workshop.force:
        return workshop.weeks or all_partitions(asset.partitioning)
    try:
        inputs = read_heads(workshop, asset)
        supply = supply_now(workshop, asset, inputs, all_partitions(asset.partitioning))
        if not supply.partitions:
            return all_partitions(asset.partitioning)
        files = find_sources(workshop, asset, supply.partitions)
    except MeshError:
        return all_partitions(asset.partitioning)
    keys = keys_now(workshop, asset, inputs, source_versions(workshop, asset, files))
    stale = stale_partitions(keys, known_keys(workshop, asset))
    return tuple(partition for partition in stale if partition in supply.partitions)


def asked_partitions(workshop: Workshop, asset: Asset) -> tuple[str, ...]:
    """The partitions that a run is given, else all."""
    return (workshop.weeks if asset.partitioning else None) or all_partitions(asset.partitioning)


def partitions_to_make(
    workshop: Workshop, asset: Asset, keys: Mapping[str, str], supply: Supply
) -> tuple[str, ...]:
    """The stale ones of those whose deliveries are there; all of these if the recipe has to run."""
    if workshop.force:
        return supply.partitions
    stale = set(stale_partitions(keys, known_keys(workshop, asset)))
    return tuple(partition for partition in supply.partitions if partition in stale)
