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
    from mesh_assets.capabilities.observability.health import look_at_all, safely
    from mesh_assets.words.settings import read_settings

    settings = read_settings()
    more = (_stopped, _locations, _runs, _kitchens)
    findings = [*look_at_all(settings), *(each for look in more for each in safely(look, settings))]
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            mark = "[green]ok[/]  " if finding.good else "[bold red]bad[/] "
            stdout().print(f"{mark} {finding.what:<{width}} {finding.told}", soft_wrap=True)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _stopped(settings: Settings) -> Iterator[Finding]:
    """Pauses and holds are no fault of the installation, and explain much."""
    from mesh_assets.capabilities.observability.health import Finding
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        controls = registry.controls()
    for scope, pause in controls.pauses.items():
        yield Finding("pauses", True, f"{scope} is paused {pause.told()}: `mesh resume {scope}`")
    for scope, hold in controls.holds.items():
        yield Finding("pauses", True, f"what uses {scope} is held {hold.told()}: `mesh let-go {scope}`")


def _kitchens(settings: Settings) -> Iterator[Finding]:
    """What is left of kitchens that nobody uses any more."""
    from mesh_assets.capabilities.kitchens.looking import leftovers
    from mesh_assets.capabilities.observability.health import Finding

    if settings.base is not None:
        return
    left = [*leftovers(settings), *_promotions(settings)]
    for told in left:
        yield Finding("kitchens", False, told)
    if not left:
        yield Finding("kitchens", True, "none is half there, and none has outlived its time")


def _promotions(settings: Settings) -> Iterator[str]:
    """Promotions that somebody has to finish: data is shown and code is not, or Dagster knows of nothing."""
    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        for each in registry.unfinished_promotions():
            yield (
                f"promotion {each.id} of kitchen {each.kitchen} is {each.state} since "
                f"{each.began:%Y-%m-%d %H:%M} UTC: `mesh kitchen promote {each.kitchen} --resume`"
            )


def _locations(settings: Settings) -> Iterator[Finding]:
    """Every code location loaded in a process of its own; what is broken is remembered for `mesh status`."""
    from mesh_assets.capabilities.observability.health import Finding
    from mesh_assets.capabilities.observability.locations import notice
    from mesh_assets.capabilities.orchestration.validate import duplicates, validate
    from mesh_assets.capabilities.registry import open_registry

    if not settings.workspace.is_file():
        return  # the look at the workspace has said so
    found = validate(settings)
    problems = {each.location: each.problem for each in found if each.problem}
    with open_registry(settings) as registry:
        notice(registry, problems, loaded={each.location for each in found})
    for name, problem in problems.items():
        yield Finding("location", False, f"{name} would not load: {problem}")
    for told in duplicates(found):
        yield Finding("location", False, told)
    yield Finding("locations", not problems, f"{len(found) - len(problems)} of {len(found)} load")


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
