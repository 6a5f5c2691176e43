"""Which partitions can be built now: those whose deliveries are there and readable.

A week waits for its own file, and for the weeks of products that it is made of. A bad file holds back the
weeks that need it, and no other. Not here: what is stale (stale).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mesh_assets.capabilities.contracts.model import Partitioning, Source
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.through import source_names
from mesh_assets.capabilities.publishing.found import found_equal
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.capabilities.publishing.partitions import cut_of, file_keys, parents_of, source_weeks
from mesh_assets.capabilities.publishing.sources import find_source, folder_of, is_delivery, problem_of
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.errors import MeshError, SourceMalformed, SourceMissing, UpstreamMissing
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import FILE, WEEK
from mesh_assets.words.versions import WHOLE, Version


@dataclass(frozen=True)
class Supply:
    """What of an asset can be built, and what holds back the rest."""

    partitions: tuple[str, ...]
    #: Partition -> what is wrong with a delivery that it needs.
    broken: Mapping[str, MeshError] = field(default_factory=dict)
    #: Partition -> what has not come yet.
    waiting: Mapping[str, MeshError] = field(default_factory=dict)
    #: File -> why builds go on without it.
    set_aside: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> MeshError | None:
        """The first reason why a partition cannot be built; None where there is no partition at all."""
        return next(iter((*self.broken.values(), *self.waiting.values())), None)


def without_held(workshop: Workshop, assets: Sequence[Asset], partitions: set[str]) -> set[str]:
    """Those of the partitions for which the drops of all these assets are there and readable."""
    held: set[str] = set()
    for asset in assets:
        if asset.partitioning is not None and partitions:
            supply = supply_now(workshop, asset, {}, sorted(partitions))
            held |= {*supply.broken, *supply.waiting}
    return partitions - held


def told_aside(set_aside: Mapping[str, str]) -> str:
    """What a person should know of a build that goes on without some files."""
    return "; ".join(f"without {file}, which is set aside: {why}" for file, why in set_aside.items())


def supply_now(
    workshop: Workshop, asset: Asset, inputs: Mapping[ProductName, Version], asked: Sequence[str]
) -> Supply:
    """The partitions among those asked for that can be built; raises nothing."""
    if asset.partitioning is None:
        return Supply((WHOLE,), set_aside=_set_aside_of_whole(workshop, asset))
    known = known_partitions(workshop.registry, asset.name)
    broken: dict[str, MeshError] = {}
    waiting: dict[str, MeshError] = {}
    set_aside: dict[str, str] = {}
    others = {name: version for name, version in inputs.items() if name != asset.name}
    theirs = _partitions_of_inputs(workshop, asset, others)
    if asset.partitioning.every == FILE:
        broken, set_aside = _broken_files(workshop, asset, asked)
    for source in _weekly_sources(workshop, asset):
        looked = _Looked(workshop, asset, source, known)
        for partition in asked:
            error = looked.why_not(partition)
            if error is not None:
                # A week that never came is waited for; one that was read once is missed.
                target = waiting if looked.is_to_come(partition, error) else broken
                target.setdefault(partition, error)
        set_aside.update(looked.problems)
    for partition in asked:
        lacking = _lacking_input(theirs, partition, asset.partitioning)
        if lacking is not None and partition not in broken:
            waiting.setdefault(partition, UpstreamMissing(product=asset.name, upstream=lacking))
    held = {*broken, *waiting}
    return Supply(tuple(each for each in asked if each not in held), broken, waiting, set_aside)


class _Looked:
    """One weekly source, each of its files looked at once."""

    def __init__(self, workshop: Workshop, asset: Asset, source: Source, known: frozenset[str]) -> None:
        self.workshop, self.asset, self.source, self.known = workshop, asset, source, known
        self.folder = folder_of(workshop.settings, source)
        self.said = arrival_problem(workshop, source)
        self.problems: dict[str, str] = {}
        self._seen: dict[str, MeshError | None] = {}
        self._partitions = frozenset(all_partitions(asset.partitioning))
        self._every = asset.partitioning.every if asset.partitioning else WEEK
        head = workshop.registry.head(asset.name) if self._every != WEEK else None
        self._read = frozenset(each.path for each in head.certificate.sources) if head else frozenset()

    def why_not(self, partition: str) -> MeshError | None:
        weeks = source_weeks(self.workshop.domain.domain, self.source.name, partition, self._every)
        own = weeks[: len(weeks) - self.source.late]
        if self._every != WEEK:
            return self._why_not_by_weeks(own)
        for week in weeks:
            error = self._problem(week)
            if error is not None and (week in own or self._was_read(week, partition)):
                return error
        return None

    def _why_not_by_weeks(self, weeks: Sequence[str]) -> MeshError | None:
        """A month is made from its first drop on; a drop that it has read must stay, and be readable."""
        found = [(week, self.source.path.format(week=week)) for week in weeks]
        there = [week for week, file in found if (self.folder / file).is_file() or file in self._read]
        for week in there or weeks[-1:]:
            if (error := self._problem(week)) is not None:
                return error
        return None

    def is_to_come(self, partition: str, error: MeshError) -> bool:
        return isinstance(error, SourceMissing) and partition not in self.known

    def _was_read(self, week: str, partition: str) -> bool:
        """True if a published partition holds rows of that drop: without it they would be lost."""
        return partition in self.known and (week in self.known or week not in self._partitions)

    def _problem(self, week: str) -> MeshError | None:
        if week not in self._seen:
            self._seen[week] = self._look(week)
        return self._seen[week]

    def _look(self, week: str) -> MeshError | None:
        path = self.folder / self.source.path.format(week=week)
        about = {"product": self.asset.name, "source": self.source.name, "path": path}
        if not path.is_file():
            # A drop that nobody has seen: late weeks after the last one are always such.
            missed = self._every != WEEK or week in self._partitions
            return SourceMissing(**about) if missed else None
        problem = problem_of(self.source, path) or self.said(path)
        if not problem:
            return None
        self.problems[str(path.relative_to(self.folder))] = problem
        return SourceMalformed(**about, problem=problem)


def source_files(
    workshop: Workshop, product: ProductName, source: Source, weeks: Sequence[str]
) -> list[Path]:
    """The files that a build of these weeks reads, without those that are set aside."""
    return find_source(
        workshop.settings,
        product,
        source,
        weeks,
        skip=partial(_can_do_without, workshop, product, source, weeks),
        said=arrival_problem(workshop, source),
    )


def _can_do_without(
    workshop: Workshop, product: ProductName, source: Source, weeks: Sequence[str], path: Path, problem: str
) -> bool:
    """A late drop: `supply_now` has held back what read it before. Else: if no published version read it."""
    if weeks and source.weekly:
        return True
    head = workshop.registry.head(product)
    file = str(path.relative_to(folder_of(workshop.settings, source)))
    return head is None or all(file != each.path for each in head.certificate.sources)


def arrival_problem(workshop: Workshop, source: Source) -> Callable[[Path], str]:
    """Why files of a source were set aside when they came; the registry is asked once."""
    folder = folder_of(workshop.settings, source)
    said = {
        (each.file, each.size, each.modified): each.reason
        for each in workshop.registry.set_aside(workshop.domain.domain.name)
        if each.source == source.name
    }

    def problem(path: Path) -> str:
        if not said:
            return ""
        stat = path.stat()
        return said.get((str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns), "")

    return problem


def known_partitions(registry: Registry, product: ProductName) -> frozenset[str]:
    """Partitions that were built, empty ones too."""
    head = registry.head(product)
    if head is None:
        return frozenset()
    keys = head.certificate.input_keys
    return frozenset((*head.certificate.partitions, *keys, *found_equal(registry, head)))


def _broken_files(
    workshop: Workshop, asset: Asset, asked: Sequence[str]
) -> tuple[dict[str, MeshError], dict[str, str]]:
    """(key -> why its file cannot be read, file -> the same in words) of a product that is cut by files."""
    assert asset.partitioning is not None
    source = workshop.domain.domain.source(asset.partitioning.source)
    assert source is not None  # reading the domain has refused unknown sources
    said, folder = arrival_problem(workshop, source), folder_of(workshop.settings, source)
    broken: dict[str, MeshError] = {}
    aside = {}
    for key, path in file_keys(asset.partitioning).items():
        problem = problem_of(source, path) or said(path) if key in asked else ""
        if problem:
            aside[str(path.relative_to(folder))] = problem
            broken[key] = SourceMalformed(product=asset.name, source=source.name, path=path, problem=problem)
    return broken, aside


def _partitions_of_inputs(
    workshop: Workshop, asset: Asset, inputs: Mapping[ProductName, Version]
) -> dict[ProductName, tuple[Partitioning, frozenset[str]]]:
    """How inputs with partitions are cut, and what they have."""
    cuts = {name: cut_of(workshop.settings, version, asset.name.domain) for name, version in inputs.items()}
    return {
        name: (cut, known_partitions(workshop.registry, name))
        for name, cut in cuts.items()
        if cut is not None
    }


def _lacking_input(
    theirs: Mapping[ProductName, tuple[Partitioning, frozenset[str]]], partition: str, mine: Partitioning
) -> ProductName | None:
    """An input that has none of what the partition is made of, and will: what its contract names."""
    for name, (cut, there) in theirs.items():
        wanted = parents_of(partition, mine, cut)
        to_come = [] if wanted is None else [key for key in wanted if _named(cut, key)]
        if to_come and there.isdisjoint(to_come):
            return name
    return None


def _named(cut: Partitioning, key: str) -> bool:
    if cut.every == FILE:
        return True
    return str(cut.first) <= key and (cut.until is None or key < str(cut.until))


def _weekly_sources(workshop: Workshop, asset: Asset) -> Iterator[Source]:
    for name in source_names(workshop.domain, asset):
        source = workshop.domain.domain.source(name)
        if source is not None and source.weekly:
            yield source


def _set_aside_of_whole(workshop: Workshop, asset: Asset) -> dict[str, str]:
    """Files that a product without partitions goes without."""
    found = {}
    for name in source_names(workshop.domain, asset):
        source = workshop.domain.domain.source(name)
        if source is None or not (source.batched or source.weekly):
            continue
        said, folder = arrival_problem(workshop, source), folder_of(workshop.settings, source)
        pattern = source.path.replace("{week}", "*").replace("{batch}", "*")
        for path in sorted(folder.glob(pattern)):
            problem = is_delivery(path) and (problem_of(source, path) or said(path))
            if problem:
                found[str(path.relative_to(folder))] = problem
    return found
