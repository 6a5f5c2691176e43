"""`mesh sources`, `mesh dev`, `mesh dbt-properties`: what surrounds a build."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.terminal import stderr, stdout

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings


def _complete_defect(incomplete: str) -> list[str]:
    from mesh_assets.operational.defects import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def sources(
    scale: Annotated[float | None, typer.Option(help="Size: 0.1 for trials, 1 is a million fills.")] = None,
    break_with: Annotated[
        str | None,
        typer.Option(
            "--break",
            help="Plant this defect in a drop (`--break list` names them).",
            autocompletion=_complete_defect,
        ),
    ] = None,
    mend: Annotated[bool, typer.Option("--mend", help="Take every planted defect back.")] = False,
    week: Annotated[
        str | None, typer.Option(help="Deliver one week's files: its Monday, or `next` for one more.")
    ] = None,
) -> None:
    """Write the example's source drops; plant a defect in one to see the mesh refuse it, and mend it.

    **Examples**: `mesh sources --scale 0.1` · `mesh sources --break duplicated_key` · `mesh sources --mend` ·
    `mesh sources --week next`
    """
    from mesh_assets.operational.defects import KINDS, plant
    from mesh_assets.operational.defects import mend as mend_sources
    from mesh_assets.operational.write import write_sources, written
    from mesh_assets.words.settings import read_settings

    if scale is not None:
        os.environ["MESH_SCALE"] = str(scale)
    settings = read_settings()
    console = stdout()
    if break_with == "list":
        for kind in KINDS:
            console.print(kind)
        return
    if break_with and break_with not in KINDS:
        raise typer.BadParameter(f"{break_with!r}: write one of {', '.join(KINDS)}", param_hint="--break")
    if break_with:
        planted = plant(settings.sources, break_with)
        console.print(
            f"planted {break_with} in {planted.source}; see who notices: `mesh build`", soft_wrap=True
        )
    elif week:
        _deliver(settings, week)
    elif mend:
        mend_sources(settings.sources)
        console.print("every planted defect is taken back")
    else:
        before, real = written(settings.sources)
        write_sources(settings.sources, scale=settings.scale or before or 1.0, real=settings.real or real)
        console.print(f"sources are in {settings.sources}", soft_wrap=True)


def _deliver(settings: Settings, week: str) -> None:
    """The files of one week, each under its name when it is whole."""
    from datetime import date

    from mesh_assets.operational.weeks import COUNT, FURTHER, key_of, week_number
    from mesh_assets.operational.write import next_week, write_week, written

    try:
        number = next_week(settings.sources) if week == "next" else week_number(date.fromisoformat(week))
    except ValueError:
        number = None
    if number is None or number >= COUNT + FURTHER:
        last = key_of(COUNT + FURTHER - 1)
        raise typer.BadParameter(
            f"{week!r}: write a Monday from {key_of(0)} to {last}, or next while there is one",
            param_hint="--week",
        )
    before, _ = written(settings.sources)
    for file in write_week(settings.sources, number, scale=settings.scale or before or 1.0):
        stdout().print(f"delivered {file}", soft_wrap=True)


def dev(
    one_process: Annotated[
        bool, typer.Option("--one-process", help="All domains in one code location: a quarter of the memory.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The UI's port, on this machine only.")] = 3000,
) -> None:
    """Open the Dagster UI over this mesh, with its sensors running; the same runs as `mesh build` shows.

    **Examples**: `mesh dev` · `mesh dev --one-process --port 3001`
    """
    from mesh_assets.capabilities.lineage.workspace import code_locations
    from mesh_assets.capabilities.orchestration.alive import tell_of_dead_runs
    from mesh_assets.capabilities.orchestration.instance import prepare_dagster_home
    from mesh_assets.capabilities.orchestration.server import become_dagster_dev
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    if not one_process:
        code_locations(settings.workspace)  # raises for a slip in it, with its line
    prepare_dagster_home(settings)
    tell_of_dead_runs(settings)  # or they would keep their places in the queue
    stderr().print(f"the mesh in Dagster: http://127.0.0.1:{port}")
    what = ("-m", "mesh_assets.everything") if one_process else ("-w", str(settings.workspace))
    become_dagster_dev(settings, port, *what)


def dbt_properties(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file is not as the contracts say.")
    ] = False,
) -> None:
    """Write dbt's properties (descriptions, types, tests, sources) from the contracts.

    **Examples**: `mesh dbt-properties` · `mesh dbt-properties --check` in CI
    """
    from mesh_assets.capabilities.lineage.dbt_files import dbt_property_files
    from mesh_assets.words.settings import read_settings

    stale = []
    for path, text in dbt_property_files(read_settings()).items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            path.write_text(text, encoding="utf-8")
    for path in stale:
        stdout().print(f"{'stale' if check else 'written'}: {path}", soft_wrap=True)
    if check and stale:
        stderr().print("contracts and dbt disagree; run `mesh dbt-properties`")
        raise typer.Exit(1)
