"""The commands put together, and the one place where an error becomes words and an exit code.

Exit codes: 0 done; 1 a promise was broken or an input is malformed (your data); 2 the command, a contract
or a recipe is wrong (your code); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mesh_assets.cli.as_typed import spare_validators
from mesh_assets.cli.commands import COMMANDS
from mesh_assets.cli.kitchen_names import complete_kitchen
from mesh_assets.cli.later import AtNeed
from mesh_assets.cli.terminal import stderr
from mesh_assets.words.errors import MeshError, YourCode

INTERRUPTED = 130


class _Commands(AtNeed):
    later = COMMANDS


spare_validators()
app = typer.Typer(
    name="mesh",
    cls=_Commands,
    help="A data mesh you can run: build products under contract, read them, and see why one was refused.",
    epilog="Start with `mesh build`, then `mesh products` and `mesh dev`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


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
