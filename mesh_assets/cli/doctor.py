"""`mesh doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mesh_assets.cli.terminal import print_json, stdout

if TYPE_CHECKING:
    from mesh_assets.capabilities.observability.health import Finding
    from mesh_assets.words.settings import Settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False) -> None:
    """Look at versions, extensions, catalogs, folders and every domain; say what is wrong and how to mend it.

    Exit code 0 if all is well, 1 if something is wrong.

    **Examples**: `mesh doctor` · `mesh doctor --json`
    """
    from mesh_assets.capabilities.observability.health import look_at_all
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    findings = [*look_at_all(settings), *_runs(settings)]
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "[green]ok[/]  " if finding.good else "[bold red]bad[/] "
            stdout().print(f"{mark} {finding.what:<12} {finding.told}", soft_wrap=True)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _runs(settings: Settings) -> Iterator[Finding]:
    """Here, because only orchestration knows of runs, and the other looks stand below it."""
    from mesh_assets.capabilities.observability.health import Finding
    from mesh_assets.capabilities.orchestration.alive import dead_runs

    dead = dead_runs(settings)
    for run_id in dead:
        told = f"run {run_id} died, and Dagster still shows it as started: the next `mesh build` tells it so"
        yield Finding("runs", False, told)
    if not dead:
        yield Finding("runs", True, "none died without a word")
