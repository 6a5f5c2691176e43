"""What a recipe declares, read from its text: no recipe is imported or run to know what it needs.

A code location would otherwise load every engine that any recipe uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import parse, read_text
from mesh_assets.capabilities.lineage.model import Recipe, RecipeKind
from mesh_assets.words.errors import MeshError, RecipeMalformed
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Place

SQL_HEADER = re.compile(r"^--\s*(input|source):\s*(\S+)\s*$")
PROGRAM_KEYS = ("command", "inputs", "sources", "code", "columns")
NOT_LITERAL = (
    "inputs and sources must be written as literal lists of strings: "
    "they are read without importing the recipe"
)
TOOLS = ("altair", "duckdb", "matplotlib", "pandas", "plotly", "polars", "pyarrow", "xlsxwriter")


def python_recipe(path: Path, name: ProductName, shared_code: tuple[Path, ...]) -> Recipe:
    """Read `@mesh.recipe(inputs=[…], sources=[…])` above the function that has the product's name."""
    tree = _parsed(path)
    function = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name.product), None
    )
    if function is None:
        raise RecipeMalformed(
            file=str(path),
            line=1,
            problem=f"there is no function {name.product!r}; a recipe's function has its product's name",
        )
    declared = _decorator_arguments(path, function)
    return Recipe(
        kind=RecipeKind.PYTHON,
        path=path,
        inputs=_names(path, function.lineno, declared.get("inputs", [])),
        sources=tuple(declared.get("sources", [])),
        place=Place(str(path), function.lineno),
        code=(path, *shared_code),
        tools=_imported_tools(tree),
        columns=_columns(path, function.lineno, declared),
    )


def sql_recipe(path: Path) -> Recipe:
    """Read the `-- input:` and `-- source:` lines at the head of a SQL recipe."""
    inputs: list[ProductName] = []
    sources: list[str] = []
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        found = SQL_HEADER.match(text.strip())
        if found and found[1] == "input":
            inputs.extend(_names(path, line, [found[2]]))
        elif found:
            sources.append(found[2])
    return Recipe(
        kind=RecipeKind.SQL,
        path=path,
        inputs=tuple(inputs),
        sources=tuple(sources),
        place=Place(str(path), 1),
        code=(path,),
        tools=("duckdb",),
    )


def program_recipe(path: Path) -> Recipe:
    """Read `program.yaml`: the command of a foreign program and what it is to be given."""
    document = parse(str(path), read_text(path))
    told = document.value
    for key in told:
        if key not in PROGRAM_KEYS:
            remedy = f"Write: {', '.join(PROGRAM_KEYS)}"
            raise document.malformed((key,), f"{key!r} is not known here", remedy, key=True)
        if key != "columns" and not _texts(told[key]):
            raise document.malformed((key,), f"`{key}` is not a list of texts")
    if not told.get("command"):
        raise document.malformed((), "`command` is missing", 'Write: command: ["{python}", "program.py"]')
    folder = path.parent.parent
    code = [folder / name for name in told.get("code", [])] or [
        folder / part for part in told["command"] if (folder / part).is_file()
    ]
    return Recipe(
        kind=RecipeKind.PROGRAM,
        path=path,
        inputs=_names(path, document.place(("inputs",)).line, told.get("inputs", [])),
        sources=tuple(told.get("sources", [])),
        place=Place(str(path), 1),
        code=(path, *code),
        command=tuple(told["command"]),
        columns=_columns(path, document.place(("columns",)).line, told),
    )


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(read_text(path), filename=str(path))
    except SyntaxError as error:
        raise RecipeMalformed(
            file=str(path), line=error.lineno or 1, problem=f"this is not Python: {error.msg}"
        ) from None


def _decorator_arguments(path: Path, function: ast.FunctionDef) -> Mapping[str, Any]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("mesh.recipe", "recipe"):
            return _literal_lists(path, decorator)
        if ast.unparse(decorator) in ("mesh.recipe", "recipe"):
            return {}
    raise RecipeMalformed(
        file=str(path), line=function.lineno, problem=f"write @mesh.recipe(…) above {function.name}()"
    )


def _literal_lists(path: Path, decorator: ast.Call) -> Mapping[str, Any]:
    """The decorator's arguments; one that is misspelt would otherwise be an input that nobody waits for."""
    declared: dict[str, Any] = {}
    problem = "write the arguments of @mesh.recipe by name: inputs=[…], sources=[…]" if decorator.args else ""
    for keyword in decorator.keywords:
        if keyword.arg not in ("inputs", "sources", "columns"):
            problem = f"{keyword.arg!r} is not known to @mesh.recipe; it takes inputs, sources and columns"
            continue
        try:
            declared[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            declared[keyword.arg] = []
            problem = NOT_LITERAL
        if keyword.arg != "columns" and not _texts(declared[keyword.arg]):
            problem = NOT_LITERAL
    if problem:
        raise RecipeMalformed(file=str(path), line=decorator.lineno, problem=problem)
    return declared


def _columns(path: Path, line: int, declared: Mapping[str, Any]) -> dict[ProductName, tuple[str, ...]]:
    """Input -> the columns that the recipe is given, where it says so."""
    told = declared.get("columns") or {}
    problem = ""
    if not isinstance(told, dict) or not all(_texts(names) and names for names in told.values()):
        problem = 'write columns as literals: {"hcp.hcp_master": ["npi", "zip5"]}, at least one of each'
    elif stray := [name for name in told if name not in declared.get("inputs", ())]:
        problem = f"columns names {stray[0]!r}, which is not in inputs"
    if problem:
        raise RecipeMalformed(file=str(path), line=line, problem=problem)
    names = _names(path, line, list(told))
    return {name: tuple(columns) for name, columns in zip(names, told.values(), strict=True)}


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _names(path: Path, line: int, texts: list[str]) -> tuple[ProductName, ...]:
    try:
        return tuple(product_name(text) for text in texts)
    except MeshError as error:
        raise RecipeMalformed(file=str(path), line=line, problem=str(error)) from None


def _imported_tools(tree: ast.Module) -> tuple[str, ...]:
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return tuple(tool for tool in TOOLS if tool in roots)
