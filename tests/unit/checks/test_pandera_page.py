"""The page about pandera shows what happens."""

from __future__ import annotations

import re
from pathlib import Path

import mesh_assets

PAGE = Path(mesh_assets.__file__).parents[1] / "docs" / "pandera.md"


def test_the_notebook_of_the_page_prints_what_the_page_says(capsys):
    blocks = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    notebook: dict[str, object] = {}

    for language, text in blocks:
        if language == "python":
            exec(compile(text, str(PAGE), "exec"), notebook)
        else:
            assert capsys.readouterr().out == text
