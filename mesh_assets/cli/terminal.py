"""What is printed to people, and completion of what they type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def stdout() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A plain table; columns in `right` are numbers."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(*cells(name), justify=justify, overflow="fold", no_wrap=name == columns[0])
    return made


def cells(*values: object) -> list[str]:
    """Values as a table shows them: nothing for None, and no value is taken for markup."""
    from rich.markup import escape

    return ["" if value is None else escape(str(value)) for value in values]


def print_json(value: Any) -> None:
    """For scripts: one document on standard output."""
    print(json.dumps(value, default=str, indent=1))  # noqa: T201


def complete_product(incomplete: str) -> list[str]:
    """Names of products, and of domains, that begin so. Reads folder names only: completion must be quick."""
    from mesh_assets.words.settings import read_settings

    folders = read_settings().domains.glob("*/*/contract.yaml")
    names = {f"{path.parent.parent.name}.{path.parent.name}" for path in folders}
    names |= {name.split(".")[0] for name in names}
    return sorted(name for name in names if name.startswith(incomplete))
