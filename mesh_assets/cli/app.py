"""The commands put together, and the one place where an error becomes words and an exit code.

Exit codes: 0 done; 1 a promise was broken or an input is malformed (your data); 2 the command, a contract
or a recipe is wrong (your code); 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from mesh_assets.cli.alert import alert
from mesh_assets.cli.arrivals import arrivals
from mesh_assets.cli.build import build
from mesh_assets.cli.checks import checks
from mesh_assets.cli.contract import contract
from mesh_assets.cli.diff import diff
from mesh_assets.cli.doctor import doctor
from mesh_assets.cli.events import events
from mesh_assets.cli.journey import journey, journeys
from mesh_assets.cli.lake import lake
from mesh_assets.cli.look import products, read, show
from mesh_assets.cli.pause import announce, hold, let_go, pause, pauses, resume, withdraw
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
    doctor,
    pause,
    resume,
    pauses,
    hold,
    let_go,
    announce,
    withdraw,
    records,
    dbt_properties,
):
    app.command(name=command.__name__.replace("_", "-"))(command)

app.add_typer(contract, name="contract")
app.add_typer(quarantine, name="quarantine")
app.add_typer(journey, name="journey")
app.add_typer(events, name="events")
app.add_typer(alert, name="alert")
app.add_typer(lake, name="lake")


def main() -> None:
    """Run the command; a mistake of a person's is one clear message and no traceback."""
    try:
        app()
    except MeshError as error:
        stderr().print(f"[bold red]error[/] {_escaped(str(error))}", soft_wrap=True)
        sys.exit(2 if isinstance(error, YourCode) else 1)
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
