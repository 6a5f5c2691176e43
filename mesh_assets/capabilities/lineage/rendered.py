"""The SQL of a recipe without the tool that runs it: Jinja renders a dbt model with the project's macros.

What a model asks of dbt beyond `ref`, `source`, `var`, `config` and macros of SQL text cannot be told here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import read_text, safe_yaml
from mesh_assets.capabilities.lineage.model import Asset, RecipeKind
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

#: Where a recipe says that it reads another recipe's table, or a source's: the text of the name in its SQL.
SOURCES = "source"


class NotRendered(Exception):
    """The reason, in words."""


def sql_of(settings: Settings, asset: Asset) -> str:
    """The SELECT of a SQL or dbt recipe. Raises NotRendered."""
    text = read_text(asset.recipe.path)
    return _model_sql(settings.dbt_project, asset, text) if asset.recipe.kind is RecipeKind.DBT else text


def table_of(reader: Asset, name: ProductName) -> str:
    """How a recipe's SQL names a product."""
    foreign = reader.recipe.kind is RecipeKind.DBT and name.domain != reader.name.domain
    return f"mesh_{name}" if foreign else str(name)


def source_table(reader: Asset, source: str) -> str:
    """How a recipe's SQL names a source."""
    group = f"{reader.name.domain}_sources" if reader.recipe.kind is RecipeKind.DBT else SOURCES
    return f"{group}.{source}"


def _model_sql(project: Path, asset: Asset, text: str) -> str:
    from jinja2 import TemplateError

    own = asset.name.domain
    words: dict[str, Callable[..., str]] = {
        "ref": lambda model: f"{own}.{model}",
        "source": lambda group, table: f"{group if group == f'{own}_sources' else f'mesh_{group}'}.{table}",
        "config": lambda **_: "",
    }
    variables = _variables(project / "dbt_project.yml")
    macros, calls = _macros(project)
    used = [macros[name] for name in _reached(text, macros, calls)]
    try:
        template = _jinja().from_string("\n".join([*used, text]))
        return str(template.render(**words, var=lambda name, *default: _variable(variables, name, default)))
    except (TemplateError, KeyError, TypeError, ValueError) as error:
        raise NotRendered(f"its Jinja needs dbt: {error}") from None


def _variable(variables: dict[str, Any], name: str, default: tuple[Any, ...]) -> Any:
    if name in variables:
        return variables[name]
    if default:
        return default[0]
    raise KeyError(f"var {name!r} is not in dbt_project.yml")


def _variables(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = safe_yaml(path)
    told = found.get("vars") if isinstance(found, dict) else None
    return dict(told) if isinstance(told, dict) else {}


_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\s*\(.*?\bendmacro\s*-?%\}", re.DOTALL)


def _macros(project: Path) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Name -> text of every macro of the project, and the words that each text has."""
    texts: dict[str, str] = {}
    for path in sorted(project.glob("macros/**/*.sql")):
        for found in _MACRO.finditer(read_text(path)):
            texts[found[1]] = found[0]
    return texts, {name: set(re.findall(r"\w+", text)) for name, text in texts.items()}


def _reached(text: str, macros: dict[str, str], words: dict[str, set[str]]) -> list[str]:
    """Macros that a model can come to call: no others can be a reason not to render it."""
    found: list[str] = []
    waiting = sorted(set(re.findall(r"\w+", text)) & set(macros))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += sorted(words[name] & set(macros))
    return sorted(found)


@lru_cache(maxsize=1)
def _jinja() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # SQL is no HTML: what a model writes is parsed, never shown in a page.
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])
