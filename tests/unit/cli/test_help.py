"""What a person finds by asking the command itself."""

from __future__ import annotations

from importlib import metadata

import pytest
import typer

from mesh_assets.cli.app import app
from mesh_assets.cli.commands import COMMANDS as LISTED
from mesh_assets.cli.commands import OF_KITCHEN
from mesh_assets.cli.kitchen_names import complete_kitchen
from mesh_assets.cli.terminal import complete_domain, complete_journey, complete_product, complete_target

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


@pytest.mark.parametrize(
    ("setting", "value"), [("MESH_SCALE", "large"), ("MESH_KITCHEN", "gone"), ("MESH_EVENTS_DAYS", "-1")]
)
def test_a_wrong_setting_offers_nothing_and_tells_nothing_on_the_way(
    mesh: Command, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)

    for complete in (complete_target, complete_journey, complete_product, complete_domain, complete_kitchen):
        assert complete("") == []
    assert mesh("products").code == 2


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("mesh bu", ["build"]),
        ("mesh build shop.", ["shop.orders"]),
        ("mesh checks shop.orders --rule amount", ["amount_positive"]),
        ("mesh why shop.orders --rule amount", ["amount_positive"]),
        ("mesh new-product shop.returns --with ", ["sql", "python", "dbt"]),
        ("mesh sources --break dup", ["duplicated_key"]),
    ],
)
def test_the_shell_is_offered_what_can_stand_there(
    mesh: Command,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    typed: str,
    offered: list[str],
) -> None:
    monkeypatch.setenv("_MESH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))

    with pytest.raises(SystemExit):
        app(prog_name="mesh")

    assert capfd.readouterr().out.split() == offered


def test_the_version_is_told(mesh: Command) -> None:
    said = mesh("--version")

    assert (said.code, said.out) == (0, f"mesh_assets {metadata.version('mesh-assets')}\n")


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
