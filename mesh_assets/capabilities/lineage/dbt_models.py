"""What a dbt model reads: its `ref` and `source` calls, from its text. dbt is not asked: it takes seconds.

The syntax tree of Jinja has the say. Importing Jinja takes 0.1 s of each code location that has models, so
models in the everyday form, nothing but calls with texts and other calls in them, are read without it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import read_text
from mesh_assets.words.errors import RecipeMalformed

_TEXT = r"""'[^'\\]*'|"[^"\\]*\""""
#: `{{ … }}` without braces in it, or the marks of _CALL, unless in a text.
_BLOCK = re.compile(r"""\{\{-?((?:[^'"{}@#]|TEXT)*?)-?\}\}""".replace("TEXT", _TEXT))
#: A call whose arguments are texts (#0) or calls (@) that were replaced already.
_CALL = re.compile(r"([A-Za-z_]\w*)\(\s*((?:#\d+|@)(?:\s*,\s*(?:#\d+|@))*)?\s*\)")

Call = tuple[str, tuple[str, ...], int]


def dbt_calls(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The literal `ref('x')` and `source('a', 'b')` calls of a dbt model."""
    text = read_text(path)
    refs: list[str] = []
    sources: list[tuple[str, str]] = []
    calls = _everyday_calls(text)
    for name, literals, line in calls if calls is not None else _calls_by_jinja(path, text):
        wanted = 1 if name == "ref" else 2
        if len(literals) != wanted:
            raise RecipeMalformed(
                file=str(path), line=line, problem=f"{name}() takes {wanted} literal string(s)"
            )
        if name == "ref":
            refs.append(literals[0])
        else:
            sources.append((literals[0], literals[1]))
    return tuple(dict.fromkeys(refs)), tuple(dict.fromkeys(sources))


def _everyday_calls(text: str) -> list[Call] | None:
    """None for a model that says more than calls with literal texts: that is for Jinja."""
    if any(mark in _BLOCK.sub("", text) for mark in ("{{", "{%", "{#")):
        return None
    found: list[Call] = []
    for block in _BLOCK.finditer(text):
        calls = _calls_in(block[1], line=text.count("\n", 0, block.start()) + 1)
        if calls is None:
            return None
        found += calls
    return found


def _calls_in(expression: str, line: int) -> list[Call] | None:
    """Innermost first: each call found is replaced by a mark, until one mark is all that is left."""
    texts = [written[1:-1] for written in re.findall(_TEXT, expression)]
    numbers = count()
    rest = re.sub(_TEXT, lambda _: f"#{next(numbers)}", expression).strip()
    found: list[Call] = []
    while call := _CALL.search(rest):
        arguments = re.findall(r"#\d+|@", call[2] or "")
        if call[1] in ("ref", "source"):
            if "@" in arguments:
                return None
            found.append((call[1], tuple(texts[int(each[1:])] for each in arguments), line))
        rest = f"{rest[: call.start()]}@{rest[call.end() :]}"
    return found if rest == "@" else None


def _calls_by_jinja(path: Path, text: str) -> list[Call]:
    """A call with an argument that is no literal has none here: its number of literals is wrong."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _jinja().parse(text)
    except TemplateSyntaxError as error:
        raise RecipeMalformed(
            file=str(path), line=error.lineno, problem=f"this model is not Jinja: {error.message}"
        ) from None
    found: list[Call] = []
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("ref", "source"):
            literals = tuple(each.value for each in call.args if isinstance(each, nodes.Const))
            found.append((call.node.name, literals if len(literals) == len(call.args) else (), call.lineno))
    return found


@lru_cache(maxsize=1)
def _jinja() -> Any:
    from jinja2 import Environment

    return Environment(extensions=["jinja2.ext.do"], autoescape=True)  # only parsed, never rendered
