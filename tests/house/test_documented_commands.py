"""Commands in the documentation are commands: every line that a person may copy is parsed as `mesh` would."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from mesh_assets.cli.app import app
from mesh_assets.words.settings import PROJECT

PAGES = (*sorted((PROJECT / "docs").glob("*.md")), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md")
BLOCK = re.compile(r"```(?:bash|console)\n(.*?)```", re.DOTALL)
#: What ends a command on its line: a pipe, a file, the next command.
ENDS = {"|", ">", ">>", "2>", "&", "&&", ";"}


def lines(page: Path) -> Iterator[list[str]]:
    """The words behind `mesh` of every command in the page's blocks, but for those with a `…` in them."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for command in line.split(" && "):
                if command.strip().startswith("mesh ") and "…" not in command.split("#")[0]:
                    words = shlex.split(command, comments=True)[1:]
                    end = next((at for at, word in enumerate(words) if word in ENDS), len(words))
                    yield words[:end]


def slip(words: list[str]) -> str:
    """What `mesh` would say against these words before it does anything; "" if nothing."""
    command: Any = typer.main.get_command(app)
    context, name = None, "mesh"
    try:
        while True:
            context = command.make_context(name, words, parent=context)
            words = [*getattr(context, "_protected_args", ()), *context.args]
            if not hasattr(command, "resolve_command") or not words:
                return ""
            name, command, words = command.resolve_command(context, words)
    except typer.Exit:
        return ""
    except Exception as error:
        told = str(getattr(error, "message", error)) or type(error).__name__
        return "" if "does not exist" in told else told  # of a file that the page supposes


def test_commands_in_the_documentation_are_commands() -> None:
    found = [(page.name, words) for page in PAGES for words in lines(page)]
    wrong = {f"{page}: mesh {shlex.join(words)}": told for page, words in found if (told := slip(words))}

    assert wrong == {}
    assert len(found) > 200


def test_a_command_that_is_none_is_found() -> None:
    assert "No such command" in slip(["biuld"])
    assert "No such option" in slip(["kitchen", "open", "try", "--kopy"])
    assert slip(["read"]) != ""
