"""The commands put together, and the one place where an error becomes words and an exit code.

Exit codes: 0 done; 1 a promise was broken or an input is malformed (your data); 2 the command, a contract
or a recipe is wrong (your code); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mesh_assets.cli.alert import alert
from mesh_assets.cli.arrivals import arrivals
from mesh_assets.cli.build import build
from mesh_assets.cli.checks import checks
from mesh_assets.cli.contract import contract
from mesh_assets.cli.diff import diff
from mesh_assets.cli.doctor import doctor
from mesh_assets.cli.events import events
from mesh_assets.cli.follow import access, follow
from mesh_assets.cli.impact import impact
from mesh_assets.cli.journey import journey, journeys
from mesh_assets.cli.kitchen import complete_kitchen, kitchen
from mesh_assets.cli.kitchen_diff import diff as diff_of_kitchen
from mesh_assets.cli.kitchen_promote import approve, promote, promotions, rebase, undo
from mesh_assets.cli.kitchen_run import run as run_in_kitchen
from mesh_assets.cli.kitchen_schedules import schedules as schedules_of_kitchen
from mesh_assets.cli.lake import lake
from mesh_assets.cli.lineage import lineage
from mesh_assets.cli.look import products, read, show
from mesh_assets.cli.pause import announce, hold, let_go, pause, pauses, resume, withdraw
from mesh_assets.cli.portal import portal, up
from mesh_assets.cli.quarantine import quarantine
from mesh_assets.cli.records import records
from mesh_assets.cli.reproduce import reproduce
from mesh_assets.cli.rollback import rollback
from mesh_assets.cli.run import run
from mesh_assets.cli.scaffold import new_domain, new_product
from mesh_assets.cli.serve import dbt_properties, dev, sources
from mesh_assets.cli.status import status
from mesh_assets.cli.terminal import stderr
from mesh_assets.cli.versions import pin, pins, tag, unpin, versions
from mesh_assets.cli.where import where
from mesh_assets.cli.why import why
from mesh_assets.words.errors import MeshError, YourCode

INTERRUPTED = 130

app = typer.Typer(
    name="mesh",
    help="A data mesh you can run: build products under contract, read them, and see why one was refused.",
    epilog="Start with `mesh build`, then `mesh products` and `mesh dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for command in (
    build,
    run,
    journeys,
    status,
    products,
    show,
    lineage,
    impact,
    checks,
    why,
    read,
    versions,
    tag,
    pin,
    unpin,
    pins,
    where,
    diff,
    rollback,
    reproduce,
    new_domain,
    new_product,
    sources,
    arrivals,
    dev,
    up,
    doctor,
    pause,
    resume,
    pauses,
    hold,
    let_go,
    announce,
    withdraw,
    records,
    follow,
    dbt_properties,
):
    app.command(name=command.__name__.replace("_", "-"))(command)

app.add_typer(contract, name="contract")
app.add_typer(quarantine, name="quarantine")
app.add_typer(journey, name="journey")
app.add_typer(events, name="events")
app.add_typer(alert, name="alert")
app.add_typer(lake, name="lake")
app.add_typer(kitchen, name="kitchen")
kitchen.command("run")(run_in_kitchen)
kitchen.command("schedules")(schedules_of_kitchen)
kitchen.command("diff")(diff_of_kitchen)
for each in (approve, promote, rebase, promotions, undo):
    kitchen.command()(each)
app.add_typer(portal, name="portal")
app.add_typer(access, name="access")


@app.callback()
def place(
    within: Annotated[
        str | None,
        typer.Option(
            "--kitchen",
            "-k",
            envvar="MESH_KITCHEN",
            help="Work in this kitchen; any command can.",
            autocompletion=complete_kitchen,
        ),
    ] = None,
) -> None:
    """What stands before the command is where it works: in production, or in a kitchen."""
    if within:
        os.environ["MESH_KITCHEN"] = within
        for name in [name for name in os.environ if name.startswith("MESH_SECRET_")]:
            del os.environ[name]  # production's secrets are not for code that is being tried
        console = stderr()
        if console.is_terminal:
            console.print(f"[black on yellow] kitchen {_escaped(within)} [/]")


def main() -> None:
    """Run the command; a mistake of a person's is one clear message and no traceback."""
    try:
        app()
    except MeshError as error:
        stderr().print(f"[bold red]error[/] {_escaped(str(error))}", soft_wrap=True)
        sys.exit(2 if isinstance(error, YourCode) else 1)
    except OSError as error:
        from mesh_assets.words.stores import disk_refused

        refused = disk_refused(error)
        if refused is None:
            raise
        stderr().print(f"[bold red]error[/] {_escaped(str(refused))}", soft_wrap=True)
        sys.exit(1)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has turned Ctrl-C into its exit code, without a word
            told = (
                "interrupted; what was published stays. Go on with the command again, or `mesh run --resume`"
            )
            stderr().print(told, soft_wrap=True)
        raise


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
