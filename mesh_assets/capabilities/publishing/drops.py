"""The files of a source that some partitions of an asset read.

A week reads its drop and the `late` ones after it, a month the drops of the weeks that overlap it, as far as
they are there; a partition by file reads that file. Not here: which partitions can be built (supply).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mesh_assets.capabilities.contracts.model import Partitioning, Source
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.partitions import file_key, file_key_sql, file_keys
from mesh_assets.capabilities.publishing.sources import folder_of, problem_of
from mesh_assets.capabilities.publishing.supply import arrival_problem, source_files
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.errors import SourceMalformed, SourceMissing
from mesh_assets.words.partitions import MONTH, WEEK, weeks_of
from mesh_assets.words.versions import WHOLE


def files_for(workshop: Workshop, asset: Asset, source: Source, partitions: Sequence[str]) -> list[Path]:
    """The files, each there, decodable and with the declared columns."""
    asked = tuple(key for key in partitions if key != WHOLE)
    cut = asset.partitioning
    if cut is not None and is_keyed(cut, source):
        return [_file(workshop, asset, source, key) for key in asked]
    return source_files(workshop, asset.name, source, _drop_weeks(workshop, cut, source, asked))


def is_keyed(cut: Partitioning | None, source: Source) -> bool:
    """True if each file of the source is one partition of a product that is cut like this."""
    return cut is not None and cut.files is not None and cut.source == source.name


def key_of_file(source: Source, path: Path) -> str:
    return file_key(source.path, path)


def key_column(cut: Partitioning | None, source: Source) -> str:
    """SQL of the column that says which file a row is from, for a product that is cut by them; else ""."""
    return f"{file_key_sql(source.path)} as drop_file" if is_keyed(cut, source) else ""


def _drop_weeks(
    workshop: Workshop, cut: Partitioning | None, source: Source, asked: tuple[str, ...]
) -> tuple[str, ...]:
    if cut is None or not source.weekly or cut.every == WEEK:
        return asked
    # A product by file reads every drop of other sources.
    return drops_of_months(workshop, source, asked) if cut.every == MONTH else ()


def drops_of_months(workshop: Workshop, source: Source, months: tuple[str, ...]) -> tuple[str, ...]:
    """The weeks that overlap these months, as far as their drops are there; all of them if none is."""
    if not source.weekly:
        return ()
    weeks, folder = weeks_of(MONTH, months), folder_of(workshop.settings, source)
    return tuple(week for week in weeks if (folder / source.path.format(week=week)).is_file()) or weeks


def _file(workshop: Workshop, asset: Asset, source: Source, key: str) -> Path:
    assert asset.partitioning is not None and asset.partitioning.files is not None
    path = file_keys(asset.partitioning).get(key)
    if path is None:
        missing = asset.partitioning.files.with_name(asset.partitioning.files.name.replace("{batch}", key))
        raise SourceMissing(product=asset.name, source=source.name, path=missing)
    problem = problem_of(source, path) or arrival_problem(workshop, source)(path)
    if problem:
        raise SourceMalformed(product=asset.name, source=source.name, path=path, problem=problem)
    return path
