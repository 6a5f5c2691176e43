"""What a recipe works on: a private DuckDB with its pinned inputs and its sources, thrown away afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.lineage.model import Asset, RecipeKind
from mesh_assets.capabilities.publishing.drops import key_column
from mesh_assets.capabilities.publishing.inputs import narrowed, rows_of_version
from mesh_assets.capabilities.publishing.sources import SourceFile, readable_paths
from mesh_assets.capabilities.publishing.stale import find_sources
from mesh_assets.capabilities.publishing.workshop import Bench, Work, Workshop
from mesh_assets.words.errors import SourceMalformed
from mesh_assets.words.names import ProductName
from mesh_assets.words.partitions import FILE, MONTH, weeks_of

if TYPE_CHECKING:
    import duckdb

#: A pin outlives the longest run; a run that dies leaves its pins to expire.
PIN_LASTS = timedelta(days=1)


@contextmanager
def pinned(workshop: Workshop, work: Work) -> Iterator[None]:
    """Nobody may expire what this build reads."""
    holder = f"run {workshop.run_id} {work.asset.name}"
    versions = {name: version.number for name, version in work.inputs.items()}
    workshop.registry.pin(holder, versions, datetime.now(UTC) + PIN_LASTS)
    try:
        yield
    finally:
        workshop.registry.unpin(holder)


@contextmanager
def set_up_bench(workshop: Workshop, work: Work) -> Iterator[Bench]:
    """A private DuckDB in which every input and source is a view, and a folder for artifacts."""
    asset = work.asset
    artifacts = workshop.scratch / "artifacts" / str(asset.name)
    artifacts.mkdir(parents=True, exist_ok=True)
    con = connect(workshop.settings)
    try:
        for name, version in work.inputs.items():
            con.execute(f'create schema if not exists "{name.domain}"')
            sql = narrowed(rows_of_version(workshop.settings, version), asset.recipe.columns.get(name, ()))
            con.execute(f'create or replace view "{name.domain}"."{name.product}" as {sql}')
        _offer_partitions(con, work)
        yield Bench(
            workshop=workshop,
            asset=asset,
            inputs=work.inputs,
            sources=_source_views(workshop, work, con),
            partitions=work.partitions,
            con=con,
            artifacts=artifacts,
        )
    finally:
        con.close()
        _sweep_staging(workshop, asset)
        shutil.rmtree(artifacts, ignore_errors=True)


def _offer_partitions(con: duckdb.DuckDBPyConnection, work: Work) -> None:
    """What a SQL recipe is asked for: the view `run.partitions`, for dated ones `run.weeks`, for monthly ones
    `run.months` too.
    """
    cut = work.asset.partitioning
    if cut is None:
        return
    con.execute("create schema if not exists run")
    kind = "varchar" if cut.every == FILE else "date"
    offered = {"partitions": work.partitions, "weeks": weeks_of(cut.every, work.partitions)}
    if cut.every == MONTH:
        offered["months"] = work.partitions
    for name, keys in offered.items():
        if keys:
            rows = ", ".join(f"({kind} {literal(key)})" for key in keys)
            column = name.removesuffix("s")
            con.execute(
                f'create or replace view run."{name}" as select * from (values {rows}) as t("{column}")'
            )


def _sweep_staging(workshop: Workshop, asset: Asset) -> None:
    """What the commit did not take, and the run's folder with the last product in it."""
    folder = workshop.settings.staging / workshop.run_id
    shutil.rmtree(folder / str(asset.name), ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()


def _source_views(workshop: Workshop, work: Work, con: duckdb.DuckDBPyConnection) -> dict[str, SourceFile]:
    con.execute("create schema if not exists source")
    files: dict[str, SourceFile] = {}
    for name, paths in find_sources(workshop, work.asset, work.partitions).items():
        source = workshop.domain.domain.source(name)
        assert source is not None
        copies = readable_paths(source, paths, workshop.scratch / str(work.asset.name))
        files[name] = SourceFile(source, copies, con, key_column(work.asset.partitioning, source))
        if work.asset.recipe.kind is not RecipeKind.PROGRAM:  # a program reads the files by itself
            _offer(con, work.asset.name, files[name])
    return files


def _offer(con: duckdb.DuckDBPyConnection, product: ProductName, file: SourceFile) -> None:
    """A source as a view; a file that DuckDB cannot even begin to read is told by its name."""
    import duckdb

    try:
        con.execute(f'create or replace view source."{file.source.name}" as {file.sql}')
    except duckdb.Error as error:
        problem = " ".join(str(error).split())[:400]
        raise SourceMalformed(
            product=product, source=file.source.name, path=file.paths[0], problem=problem
        ) from None
