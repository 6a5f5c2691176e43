"""`mesh build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.terminal import complete_product, print_json, stderr, stdout, table
from mesh_assets.words.versions import BuildOutcome, BuildRecord

if TYPE_CHECKING:
    from collections.abc import Collection

    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings

#: The table of a build is not folded: a narrower terminal wraps its lines.
TABLE_WIDTH = 100

COLOURS = {
    BuildOutcome.PUBLISHED: "green",
    BuildOutcome.UNCHANGED: "dim",
    BuildOutcome.REFUSED: "bold red",
    BuildOutcome.FAILED: "bold red",
    BuildOutcome.SKIPPED: "yellow",
}


def build(
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
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Build products and all that they need, across domains, in order; publish what passes its contract.

    Exit code 0 if everything asked for is published or unchanged, 1 if something was refused or failed.

    **Examples**: `mesh build` · `mesh build hcp` · `mesh build drug.brand+` · `mesh build
    prescriptions.rx_fill --week 2024-01-01`
    """
    _set("MESH_SCALE", scale)
    _set("MESH_REAL", real)
    from mesh_assets.capabilities.lineage.order import select
    from mesh_assets.capabilities.lineage.read import read_mesh
    from mesh_assets.capabilities.orchestration.coordinate import Order
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    mesh = read_mesh(settings)
    chosen = set(select(mesh, selection or ["*"]))
    names = chosen if only else mesh.upstream(chosen)
    _check_weeks(mesh, names, week or [])
    order = Order(names=tuple(sorted(names)), weeks=tuple(sorted(week or ())), force=force, jobs=jobs)
    records = _build(settings, mesh, order, quiet=as_json)
    if as_json:
        print_json([_plain(record) for record in records])
    else:
        _tell(records)
    if any(record.outcome not in (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED) for record in records):
        raise typer.Exit(1)


def _check_weeks(mesh: Mesh, names: Collection[ProductName], weeks: list[str]) -> None:
    """Weeks must be partitions of what is built, and follow each other: a run is a range of them."""
    from mesh_assets.capabilities.publishing.keys import all_partitions

    if not weeks:
        return
    partitionings = [mesh.assets[name].partitioning for name in names]
    known = [all_partitions(each) for each in partitionings if each]
    if not known:
        raise typer.BadParameter("nothing that is selected has partitions", param_hint="--week")
    for week in weeks:
        if all(week not in each for each in known):
            told = f"{week!r} is no partition; they are Mondays from {known[0][0]} to {known[0][-1]}"
            raise typer.BadParameter(told, param_hint="--week")
    first, last = known[0].index(min(weeks)), known[0].index(max(weeks))
    if last - first + 1 != len(set(weeks)):
        raise typer.BadParameter("weeks of one build must follow each other", param_hint="--week")


def _set(name: str, value: object) -> None:
    """An option is the environment variable of the same name: runs in other processes must see it too."""
    if value is not None:
        os.environ[name] = str(value)


def _build(settings: Settings, mesh: Mesh, order: Any, *, quiet: bool) -> list[BuildRecord]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from mesh_assets.capabilities.orchestration.coordinate import coordinate
    from mesh_assets.capabilities.registry import open_registry

    console = stderr()
    names = [name for name in order.names if mesh.assets[name].in_lake]
    with (
        open_registry(settings) as registry,
        Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[now]}"),
            console=console,
            disable=quiet,
        ) as progress,
    ):
        _make_sources(settings, progress)
        bars = {
            domain: progress.add_task(
                domain, total=len([n for n in names if n.domain == domain]), now="", start=False
            )
            for domain in _in_order(mesh, names)
        }

        def on_start(name: Any) -> None:
            progress.start_task(bars[name.domain])
            progress.update(bars[name.domain], now=f"{name.product} …")

        def on_end(record: BuildRecord) -> None:
            bar = bars[record.product.domain]
            progress.start_task(bar)
            progress.update(bar, advance=1, now=f"{record.product.product} {record.outcome}")
            if progress.finished or progress.tasks[bar].finished:
                progress.stop_task(bar)
            if not console.is_terminal and not quiet:
                console.print(f"{record.product} {record.outcome}")

        return coordinate(settings, registry, mesh, order, on_start=on_start, on_end=on_end)


def _make_sources(settings: Settings, progress: Any) -> None:
    """The example's operational systems deliver; a folder that somebody named (MESH_SOURCES) is left to
    them.
    """
    if settings.sources != settings.home / "sources":
        return
    from mesh_assets.operational.write import write_sources, written

    bar = progress.add_task("sources", total=None, now="")

    def told(what: str, done: int, of: int) -> None:
        progress.update(bar, completed=done, total=of, now=what)

    scale, real = written(settings.sources)
    write_sources(
        settings.sources,
        scale=settings.scale or scale or 1.0,
        real=settings.real or real,
        progress=told,
    )
    task = progress.tasks[bar]
    progress.update(bar, completed=task.total or 1, total=task.total or 1, now="")


def _in_order(mesh: Mesh, names: list[Any]) -> list[str]:
    from mesh_assets.capabilities.lineage.order import in_order

    return list(dict.fromkeys(name.domain for name in in_order(mesh, names)))


def _tell(records: list[BuildRecord]) -> None:
    console = stdout(at_least=TABLE_WIDTH)
    # A column only where it says something: most meshes have nothing in quarantine.
    aside = ["quarantined"] if any(record.details.get("quarantined") for record in records) else []
    numbers = ["version", "rows", *aside, "passed", "warned", "failed", "seconds"]
    shown = table("product", "outcome", *numbers, right=tuple(numbers), fold=False)
    for record in records:
        shown.add_row(
            str(record.product),
            f"[{COLOURS[record.outcome]}]{record.outcome}[/]",
            "" if record.version is None else str(record.version),
            "" if record.rows is None else f"{record.rows:,}",
            *(f"[yellow]{record.details.get('quarantined') or ''}[/]" for _ in aside),
            str(record.passed or ""),
            f"[yellow]{record.warned}[/]" if record.warned else "",
            f"[bold red]{record.failed}[/]" if record.failed else "",
            f"{record.seconds:.1f}",
        )
    console.print(shown)
    for record in records:
        if record.outcome in (BuildOutcome.REFUSED, BuildOutcome.FAILED):
            console.print(f"[bold red]{record.outcome}[/] {_escape(record.message)}", soft_wrap=True)
        elif record.outcome is BuildOutcome.UNCHANGED and record.message:
            console.print(f"[yellow]held[/] {_escape(record.message)}", soft_wrap=True)
    counts = {outcome: sum(record.outcome is outcome for record in records) for outcome in BuildOutcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    console.print(f"{len(records)} products and private assets: {told}")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _plain(record: BuildRecord) -> dict[str, Any]:
    facts = {**vars(record), "product": str(record.product), "outcome": str(record.outcome)}
    facts["quarantined"] = facts.pop("details").get("quarantined", 0)
    return facts
