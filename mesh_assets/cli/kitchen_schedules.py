"""`mesh kitchen schedules`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mesh_assets.cli.kitchen import JsonOption, Name
from mesh_assets.cli.kitchen_names import root_settings
from mesh_assets.cli.terminal import cells, print_json, stdout, table


def schedules(
    name: Name,
    dry: Annotated[bool, typer.Option("--dry", help="Show what each would run now; nothing starts.")] = False,
    live: Annotated[str, typer.Option(help="Let them run for so long: 1h, 2d.")] = "",
    off: Annotated[bool, typer.Option("--off", help="End that now.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Schedules and sensors of a kitchen: off unless told otherwise; live ones write to the kitchen alone.

    Without an option: until when they run. `--dry` goes on from where production's are, and keeps nothing.

    **Examples**: `mesh kitchen schedules try --dry` · `mesh kitchen schedules try --live 1h`
    """
    from mesh_assets.capabilities.orchestration import kitchen_schedules as kept
    from mesh_assets.words.kitchens import time_to_live
    from mesh_assets.words.settings import in_kitchen

    if sum((dry, bool(live), off)) > 1:
        raise typer.BadParameter("one of --dry, --live and --off")
    os.environ["MESH_KITCHEN"] = name
    settings = in_kitchen(root_settings(), name)
    if dry:
        ticks = kept.dry_run(settings)
        if as_json:
            print_json([vars(each) for each in ticks])
            return
        shown = table("name", "kind", "would run", "why nothing")
        for each in ticks:
            shown.add_row(*cells(each.name, each.kind, ", ".join(each.runs), each.told))
        stdout().print(shown)
        return
    if live:
        kept.go_live(settings, time_to_live(live))
    if off:
        kept.end_live(settings)
    until = kept.live_until(settings)
    if as_json:
        print_json({"kitchen": name, "live_until": until})
        return
    told = f"run until {until:%Y-%m-%d %H:%M} UTC" if until else "are off"
    stdout().print(f"schedules and sensors of kitchen {name} {told}")
