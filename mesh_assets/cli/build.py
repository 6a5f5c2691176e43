"""`mesh build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.progress import GOOD, Progress, plain_record, shown, tell_records
from mesh_assets.cli.terminal import complete_product, print_json
from mesh_assets.words.versions import BuildRecord

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.words.orders import RunOrder
    from mesh_assets.words.settings import Settings


def build(  # noqa: PLR0913, PLR0917 - its options
    selection: Annotated[
        list[str] | None,
        typer.Argument(
            help="Products (hcp.hcp_master) or domains (hcp); `x+` adds what uses x. Default: everything.",
            autocompletion=complete_product,
        ),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Not what the selection needs, only itself.")] = False,
    force: Annotated[bool, typer.Option(help="Run recipes even where nothing changed.")] = False,
    week: Annotated[
        list[str] | None,
        typer.Option(help="Only these partitions (a Monday, 2024-01-01); repeat for several."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(help="Size of the example's generated sources: 0.1 is for trials, 1 the default."),
    ] = None,
    real: Annotated[
        Path | None, typer.Option(help="A folder with real CMS files, in the place of generated ones.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs side by side.")] = 2,
    together: Annotated[
        bool, typer.Option("--together", help="Release all in one go, or none: readers see no half of it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Build products and all that they need, across domains, in order; publish what passes its contract.

    Exit code 0 if everything asked for is published or unchanged, 1 if something was refused or failed.

    **Examples**: `mesh build` · `mesh build hcp` · `mesh build drug.brand+` · `mesh build
    prescriptions.rx_fill --week 2024-01-01` · `mesh build drug.brand payer.plan --together`
    """
    _set("MESH_SCALE", scale)
    _set("MESH_REAL", real)
    from mesh_assets.capabilities.lineage.order import select
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.orchestration.asked import check_partitions
    from mesh_assets.words.orders import Mode, RunOrder
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    mesh = read_mesh(settings)
    chosen = set(select(mesh, selection or ["*"]))
    order = RunOrder(
        names=tuple(sorted(chosen if only else mesh.upstream(chosen))),
        mode=Mode.FORCE if force else Mode.STALE,
        partitions=tuple(sorted(week or ())),
        jobs=jobs,
        asked=tuple(selection or ["*"]),
        started_by="mesh build",
    )
    check_partitions(mesh, order)
    run = _build_together if together else _build
    _end(run(settings, mesh, order, quiet=as_json), as_json=as_json)


def _end(records: tuple[BuildRecord, ...], *, as_json: bool) -> None:
    if as_json:
        print_json([plain_record(record) for record in records])
    else:
        tell_records(records)
    if any(record.outcome not in GOOD for record in records):
        raise typer.Exit(1)


def _set(name: str, value: object) -> None:
    """An option is the environment variable of the same name: runs in other processes must see it too."""
    if value is not None:
        os.environ[name] = str(value)


def _build(settings: Settings, mesh: Mesh, order: RunOrder, *, quiet: bool) -> tuple[BuildRecord, ...]:
    """The example's sources first, then the order, in processes of this command: no server is needed."""
    from mesh_assets.capabilities.orchestration.choosing import Site
    from mesh_assets.capabilities.orchestration.launch_here import RunsHere
    from mesh_assets.capabilities.orchestration.orders import Desk, give
    from mesh_assets.capabilities.registry import open_registry

    names = [name for name in order.names if mesh.assets[name].in_lake]
    with open_registry(settings) as registry, shown(Progress(names), quiet=quiet) as progress:
        _make_sources(settings, progress)
        return give(Desk(Site(settings, registry, mesh), RunsHere(settings), progress.tell), order).records


def _build_together(
    settings: Settings, mesh: Mesh, order: RunOrder, *, quiet: bool
) -> tuple[BuildRecord, ...]:
    """One process and one release, whatever domains the products are of."""
    from mesh_assets.capabilities.orchestration.together import release_together
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.words.orders import Mode

    names = [name for name in order.names if mesh.assets[name].in_lake]
    with open_registry(settings) as registry, shown(Progress(names), quiet=quiet) as progress:
        _make_sources(settings, progress)
        return release_together(
            settings,
            registry,
            mesh,
            names,
            weeks=order.partitions,
            force=order.mode is Mode.FORCE,
            on_start=lambda name: progress.tell("product_started", {"product": str(name)}),
        ).records


def _make_sources(settings: Settings, progress: Progress) -> None:
    """The example's operational systems deliver; a folder that somebody named (MESH_SOURCES) is left to
    them.
    """
    if settings.sources != settings.home / "sources":
        return
    from mesh_assets.operational.write import write_sources, written

    def told(what: str, done: int, of: int) -> None:
        if not progress.lines:
            progress.note(f"writing sources: {what} {done}/{of}")

    scale, real = written(settings.sources)
    write_sources(
        settings.sources,
        scale=settings.scale or scale or 1.0,
        real=settings.real or real,
        progress=told,
    )
    progress.note("")
