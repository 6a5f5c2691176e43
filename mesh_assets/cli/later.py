"""Commands whose modules are imported when they are called: one command pays for no other's."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


class Later(TyperCommand):
    """A command's name, and its line in the list of commands."""

    def __init__(self, place: str, line: str, *, name: str = "") -> None:
        """`place` is `module:function` of this room, or `module:group`."""
        self._module, self._attribute = place.split(":")
        super().__init__(name or self._attribute.replace("_", "-"), help=line)

    def load(self) -> Any:
        """The command itself, with its options and its whole help."""
        found = getattr(import_module(f"mesh_assets.cli.{self._module}"), self._attribute)
        around = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=self.name)
        else:
            around.command(self.name)(found)
        return typer.main.get_group(around).commands[str(self.name)]


class AtNeed(TyperGroup):
    """A group that lists its later commands by their lines, and loads the one that is called."""

    later: ClassVar[tuple[Later, ...]] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for each in self.later:
            self.add_command(each)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Later) else command, rest
