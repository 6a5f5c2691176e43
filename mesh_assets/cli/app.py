"""The commands put together, and the one place where an error becomes words and an exit code.

Exit codes: 0 done; 1 a promise was broken or an input is malformed (your data); 2 the command, a contract
or a recipe is wrong (your code); 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from mesh_assets.cli.as_typed import spare_validators
from mesh_assets.cli.commands import COMMANDS
from mesh_assets.cli.kitchen_names import complete_kitchen
from mesh_assets.cli.later import AtNeed
from mesh_assets.cli.terminal import say, stderr
from mesh_assets.words.errors import ExtraMissing, MeshError, YourCode

INTERRUPTED = 130
#: Package -> the extra of this one that brings it.
EXTRAS = {"psycopg": "postgres", "joserfc": "oidc", "ibis": "ibis"}


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


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"mesh_assets {version('mesh-assets')}")
        raise typer.Exit


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
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
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
        _end(error)
    except Exception as error:
        from mesh_assets.capabilities.lake.told import in_words

        ours = in_words(error) or _beside_the_mesh(error)
        if ours is None:
            raise
        _end(ours)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has turned Ctrl-C into its exit code, without a word
            told = (
                "interrupted; what was published stays. Go on with the command again, or `mesh run --resume`"
            )
            stderr().print(told, soft_wrap=True)
        raise


def _end(error: MeshError) -> NoReturn:
    stderr().print(f"[bold red]error[/] {_escaped(str(error))}", soft_wrap=True)
    sys.exit(2 if isinstance(error, YourCode) else 1)


def _beside_the_mesh(error: Exception) -> MeshError | None:
    """For a package that is an extra, and for what SQLite says of a file that is none of its own: asked by
    name, so that nothing is imported.
    """
    kind, said = type(error), str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return ExtraMissing(package=error.name, extra=EXTRAS[error.name])
    if kind.__name__ != "DatabaseError" or not ("not a database" in said or "is malformed" in said):
        return None
    from mesh_assets.words.settings import read_settings
    from mesh_assets.words.stores import RegistryDamaged

    return RegistryDamaged(where=read_settings().registry, problem=said.splitlines()[0])


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
