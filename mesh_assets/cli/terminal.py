"""What is printed to people, and completion of what they type."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from mesh_assets.words.kitchens import NAME

#: Columns of output that is not a terminal.
WIDE = 140
#: What an engine counts to.
LARGEST = 2**31 - 1
#: A command in a text, but for those that name their kitchen themselves.
_COMMAND = re.compile(r"`mesh (?!kitchen |--kitchen |-k )")

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mesh_assets.words.settings import Settings


def stdout(at_least: int = 0) -> Console:
    """As wide as the terminal, not narrower than a table needs; in a file or a pipe wide enough for any."""
    console = _printer()(highlight=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    return _printer()(highlight=False, width=max(console.width if known else WIDE, at_least))


def stderr() -> Console:
    return _printer()(stderr=True, highlight=False)


@cache
def _printer() -> type[Console]:
    from rich.console import Console

    class Printer(Console):
        """Texts name commands as they have to be typed; tables, which hold data, are as they are."""

        def print(self, *objects: Any, **how: Any) -> None:
            told = (as_typed_here(each) if isinstance(each, str) else each for each in objects)
            super().print(*told, **how)

    return Printer


def say(text: str, *, error: bool = False) -> None:
    """A line as it is; for commands that are over before rich would be imported."""
    print(as_typed_here(text), file=sys.stderr if error else sys.stdout)


def as_typed_here(text: str, kitchen: str = "") -> str:
    """The commands in a text as somebody in this kitchen has to type them; default: where this one runs."""
    name = kitchen or os.environ.get("MESH_KITCHEN", "")
    return _COMMAND.sub(f"`mesh --kitchen {name} ", text) if NAME.match(name) else text


def strong(text: str) -> str:
    """Bold on a terminal."""
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[1m{text}\x1b[0m"


def table(*columns: str, right: tuple[str, ...] = (), fold: bool = True) -> Table:
    """A plain table; columns in `right` are numbers. Without `fold` values stay on a line."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(
            *cells(name), justify=justify, overflow="fold", no_wrap=not fold or name == columns[0]
        )
    return made


def cells(*values: object) -> list[str]:
    """Values as a table shows them: nothing for None, and no value is taken for markup."""
    from rich.markup import escape

    return ["" if value is None else escape(str(value)) for value in values]


def print_json(value: Any) -> None:
    """For scripts: one document on standard output."""
    print(json.dumps(value, default=str, indent=1))  # noqa: T201


def settings_if_sound() -> Settings | None:
    """For completion: nothing is offered where a setting is wrong; the command itself says which."""
    from mesh_assets.words.errors import MeshError
    from mesh_assets.words.settings import read_settings

    try:
        return read_settings()
    except (MeshError, OSError):
        return None


def place_to_write(path: Path | None) -> Path | None:
    """A file that the command can make, told before anything is computed for it."""
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{path} is a folder")
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.absolute().parent}")
    if path is not None and not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written")
    return path


def complete_rule(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of rules of the product that stands before; none if there is no such product, or it is wrong."""
    from mesh_assets.capabilities.lineage.read import read_domain_assets
    from mesh_assets.words.errors import MeshError
    from mesh_assets.words.names import product_name

    settings = settings_if_sound()
    if settings is None:
        return []
    # Of an option without its value yet the parser makes nothing: what stands before it is left as typed.
    before = [str(ctx.params.get("product")), *map(str, ctx.args)]
    try:
        name = product_name(next((word for word in before if "." in word), ""))
        assets = read_domain_assets(settings, name.domain).assets
    except (MeshError, OSError):
        return []
    rules = [rule.id for asset in assets if asset.name == name for rule in asset.rules]
    return [rule for rule in rules if rule.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Products, domains and journeys; from the names of folders and files."""
    return sorted({*complete_journey(incomplete), *complete_product(incomplete)})


def complete_journey(incomplete: str) -> list[str]:
    """Names of journeys, from the names of their files."""
    settings = settings_if_sound()
    names = {path.stem for path in settings.journeys.glob("*.yaml")} if settings else ()
    return sorted(name for name in names if name.startswith(incomplete))


def complete_domain(incomplete: str) -> list[str]:
    """Names of domains."""
    from mesh_assets.capabilities.lineage.read import domain_names

    settings = settings_if_sound()
    return [name for name in domain_names(settings) if name.startswith(incomplete)] if settings else []


def complete_product(incomplete: str) -> list[str]:
    """Names of products, and of domains, that begin so. Reads folder names only: completion must be quick."""
    settings = settings_if_sound()
    folders = settings.domains.glob("*/*/contract.yaml") if settings else ()
    names = {f"{path.parent.parent.name}.{path.parent.name}" for path in folders}
    names |= {name.split(".")[0] for name in names}
    return sorted(name for name in names if name.startswith(incomplete))
