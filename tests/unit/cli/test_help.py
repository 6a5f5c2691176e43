"""What a person finds by asking the command itself."""

from __future__ import annotations

import pytest
import typer

from mesh_assets.cli.app import app
from mesh_assets.cli.commands import COMMANDS as LISTED
from mesh_assets.cli.commands import OF_KITCHEN
from mesh_assets.cli.terminal import complete_product

from .conftest import Command

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples(mesh: Command, name: str) -> None:
    said = mesh(name, "--help")

    assert "Examples" in said.out
    assert f"mesh {name}" in said.out.split("Examples")[1]
    assert said.code == 0


def test_help_lists_every_command(mesh: Command) -> None:
    said = mesh("--help")

    assert [name for name in COMMANDS if name not in said.out] == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["books", "books.revenue", "shop", "shop.orders"]),
        ("s", ["shop", "shop.orders"]),
        ("shop.", ["shop.orders"]),
        ("x", []),
    ],
)
def test_names_of_domains_and_products_are_completed(mesh: Command, typed: str, offered: list[str]) -> None:
    assert complete_product(typed) == offered


def test_the_list_of_commands_says_what_each_command_says_first() -> None:
    said = {each.help: " ".join(each.load().help.split("\n\n")[0].split()) for each in (*LISTED, *OF_KITCHEN)}

    assert {line: first for line, first in said.items() if line != first} == {}, "mend cli/commands.py"


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        (("versions", "shop.orders", "--limit"), "requires an argument"),
        (("read", "shop.orders", "--limit", "many"), "integer"),
        (("pause", "--nothing"), "No such option"),
        (("biuld",), "Did you mean 'build'"),
        (("kitchen", "promte", "try"), "Did you mean 'promote'"),
    ],
)
def test_what_cannot_be_understood_is_told_and_nothing_is_done(
    mesh: Command, typed: tuple[str, ...], refused: str
) -> None:
    said = mesh(*typed)

    assert said.code == 2
    assert refused in said.err
