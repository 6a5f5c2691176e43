"""What a recipe in SQL says once its templates are filled in: a dbt model with names instead of calls.

References become the tables that they mean. Macros of the project that give text are filled in; what depends
on a run (which weeks, which variables) stays as a comment with its call. Rendered in jinja's sandbox: a model
is a domain's own code, and this is another process than its build.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

LARGEST = 200_000
_MACRO = re.compile(r"{%-?\s*macro\s+(\w+).*?{%-?\s*endmacro\s*-?%}", re.DOTALL)
#: What only dbt can answer while it runs; a macro that asks for it is not filled in.
_OF_A_RUN = re.compile(r"\b(return|var|modules|exceptions|adapter|run_query|execute|graph)\b")


def rendered(text: str, domain: str, project: Path) -> str:
    """The model's SQL; "" if it cannot be filled in, or has nothing to fill in."""
    if len(text) > LARGEST or "{" not in text:
        return ""
    macros = "".join(_plain_macros(project))
    environment = SandboxedEnvironment(extensions=["jinja2.ext.do"], autoescape=False)
    try:
        environment.globals.update(_words(environment, macros + text, domain))
        return _tidy(environment.from_string(macros + text).render())
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError):
        return ""


def _plain_macros(project: Path) -> list[str]:
    found = []
    for path in sorted(project.glob("macros/**/*.sql")):
        text = path.read_text(encoding="utf-8")
        found += [match.group(0) for match in _MACRO.finditer(text) if not _OF_A_RUN.search(match.group(0))]
    return found


def _words(environment: SandboxedEnvironment, text: str, domain: str) -> dict[str, Callable[..., str]]:
    """Every function that the text calls: references are tables, the rest is left standing."""
    tree = environment.parse(text)
    known = {macro.name for macro in tree.find_all(nodes.Macro)}
    called = {call.node.name for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
    words: dict[str, Callable[..., str]] = {name: _standing(name) for name in called - known}
    words["ref"] = lambda *names: f'{domain}."{names[-1]}"'
    words["source"] = lambda group, table: f'{group}."{table}"'
    words["config"] = lambda **_: ""
    return words


def _standing(name: str) -> Callable[..., str]:
    def call(*given: Any, **named: Any) -> str:
        told = [repr(each) for each in given] + [f"{key}={value!r}" for key, value in named.items()]
        inside = ", ".join(told).replace("*/", "")
        return f"/* {name}({inside}) */"

    return call


def _tidy(text: str) -> str:
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", text).strip() + "\n"
