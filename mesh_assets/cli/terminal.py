"""What is printed to people, and completion of what they type."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Literal

import typer

#: Columns of output that is not a terminal.
WIDE = 140

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def stdout(at_least: int = 0) -> Console:
    """As wide as the terminal, not narrower than a table needs; in a file or a pipe wide enough for any."""
    from rich.console import Console

    console = Console(highlight=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    return Console(highlight=False, width=max(console.width if known else WIDE, at_least))


def stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str, *, error: bool = False) -> None:
    """A line as it is; for commands that are over before rich would be imported."""
    print(text, file=sys.stderr if error else sys.stdout)


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


def complete_rule(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of rules of the product that stands before; none if there is no such product, or it is wrong."""
    from mesh_assets.capabilities.lineage.read import read_domain_assets
    from mesh_assets.words.errors import MeshError
    from mesh_assets.words.names import product_name
    from mesh_assets.words.settings import read_settings

    try:
        name = product_name(str(ctx.params.get("product")))
        assets = read_domain_assets(read_settings(), name.domain).assets
    except (MeshError, OSError):
        return []
    rules = [rule.id for asset in assets if asset.name == name for rule in asset.rules]
    return [rule for rule in rules if rule.startswith(incomplete)]


def complete_target(incomplete: str) -> list[str]:
    """Products, domains and journeys; from the names of folders and files."""
    from mesh_assets.words.settings import read_settings

    names = {path.stem for path in read_settings().journeys.glob("*.yaml")}
    return sorted({name for name in names if name.startswith(incomplete)} | {*complete_product(incomplete)})


def complete_journey(incomplete: str) -> list[str]:
    """Names of journeys, from the names of their files."""
    from mesh_assets.words.settings import read_settings

    names = {path.stem for path in read_settings().journeys.glob("*.yaml")}
    return sorted(name for name in names if name.startswith(incomplete))


def complete_product(incomplete: str) -> list[str]:
    """Names of products, and of domains, that begin so. Reads folder names only: completion must be quick."""
    from mesh_assets.words.settings import read_settings

    folders = read_settings().domains.glob("*/*/contract.yaml")
    names = {f"{path.parent.parent.name}.{path.parent.name}" for path in folders}
    names |= {name.split(".")[0] for name in names}
    return sorted(name for name in names if name.startswith(incomplete))
