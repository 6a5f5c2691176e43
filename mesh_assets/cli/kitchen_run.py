"""`mesh kitchen run`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesh_assets.cli.kitchen import JsonOption, Name
from mesh_assets.cli.kitchen_names import root_settings
from mesh_assets.cli.terminal import as_typed_here, cells, print_json, stdout

if TYPE_CHECKING:
    from mesh_assets.capabilities.kitchens.running import KitchenRun, Step

COLOURS = {
    "made": "green",
    "same": "dim",
    "skipped": "cyan",
    "audited": "cyan",
    "outside": "yellow",
    "wrong": "bold red",
    "failed": "bold red",
    "blocked": "yellow",
}


def run(
    name: Name,
    audit_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of what is skipped, the share that is made all the same.")
    ] = 0.1,
    no_skip: Annotated[bool, typer.Option("--no-skip", help="Make all that uses what changed.")] = False,
    seed: Annotated[str, typer.Option(help="For the same choice of audits again.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make what the kitchen's change touches, in order: what reads no changed column is skipped.

    Exit code 0 if all is well, 1 if something was refused, failed, or was skipped and should not have been.

    **Examples**: `mesh kitchen run try` · `mesh kitchen run try --audit-share 1` ·
    `mesh kitchen run try --json`
    """
    from mesh_assets.capabilities.kitchens.running import Plan, run_kitchen
    from mesh_assets.words.kitchens import WrongSkip
    from mesh_assets.words.settings import in_kitchen

    settings = in_kitchen(root_settings(), name)
    tell = _quiet if as_json else partial(_tell, name)
    done = run_kitchen(settings, Plan(audit_share, no_skip, seed), tell)
    _tell_dagster(settings, done)
    if as_json:
        print_json(plain_run(done))
    else:
        _sum_up(done)
    if done.wrong:
        raise WrongSkip(kitchen=name, products=tuple(map(str, done.wrong)))
    if not done.good:
        raise typer.Exit(1)


def plain_run(done: KitchenRun) -> dict[str, Any]:
    """For scripts."""
    steps = [{**vars(each), "product": str(each.product)} for each in done.steps]
    return {"run": done.run_id, "good": done.good, "seconds": round(done.seconds, 3), "steps": steps}


def _tell_dagster(settings: Any, done: KitchenRun) -> None:
    """Only where somebody has looked at the kitchen in Dagster: importing it takes longer than most runs."""
    if not done.built or not (settings.dagster_home / "seeded.json").is_file():
        return
    from mesh_assets.capabilities.orchestration.kitchen_home import tell_built

    tell_built(settings, done.built)


def _quiet(_: Step) -> None:
    """What is printed at the end is enough."""


def _tell(kitchen: str, step: Step) -> None:
    colour, name = COLOURS[step.verdict], cells(step.product)[0]
    version = f" version {step.version}" if step.version and step.verdict == "made" else ""
    why = as_typed_here(cells(step.why)[0], kitchen)
    told = f"[{colour}]{step.verdict:<8}[/] {name}{version} [dim]{why}[/]"
    stdout().print(told, soft_wrap=True)


def _sum_up(done: KitchenRun) -> None:
    counts: dict[str, int] = {}
    for each in done.steps:
        counts[each.verdict.value] = counts.get(each.verdict.value, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing to do"
    stdout().print(f"{told}; {done.seconds:.1f} s")
