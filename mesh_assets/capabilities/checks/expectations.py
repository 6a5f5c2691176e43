"""A domain's own rules: functions in `expectations.py` that judge a polars frame.

    from mesh_assets import mesh

    @mesh.expectation(columns=["list_price", "net_price"], severity="warning")
    def net_is_below_list(frame):
        \"\"\"A discount never makes a pack dearer.\"\"\"
        return frame["net_price"] <= frame["list_price"]

    @mesh.expectation(columns=["net_price"])
    def prices_are_plausible():
        return pandera.polars.Check.in_range(0, 10_000)

    @mesh.expectation(columns=["pack"], whole_table=True)
    def packs_are_many(frame):
        return frame["pack"].n_unique() > 100

Three forms, told apart by the text alone:
- a function of a frame answers with a boolean Series or expression, true on good rows; null says nothing
  against a row
- the same with `whole_table=True` answers with one bool
- a function of nothing answers with a pandera `Check` for the columns that it names: of one column as in
  `Column(checks=...)`, of several as in `DataFrameSchema(checks=...)`

It sees an eager frame of the columns that it names, all rows at once; with `batches=True` it sees them in
batches, in bounded memory, and promises to judge each row by itself.

What is declared is read from the text of the file: names, columns and severities are known without
importing it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mesh_assets.words.errors import DocumentMalformed, RecipeMalformed
from mesh_assets.words.rules import Place, Rule, Severity

Judge = TypeVar("Judge", bound=Callable[..., Any])
_ARGUMENTS = ("columns", "severity", "dimension", "batches", "whole_table")


def expectation(
    *,
    columns: Sequence[str],
    severity: str = "error",
    dimension: str | None = None,
    batches: bool = False,
    whole_table: bool = False,
) -> Callable[[Judge], Judge]:
    """Mark a function as an expectation; its name becomes the check's name, its docstring the description."""

    def mark(judge: Judge) -> Judge:
        return judge  # everything that is said here is read from the file's text

    return mark


def declared_expectations(path: Path) -> tuple[Rule, ...]:
    """The expectations of a file, as rules, without importing it."""
    if not path.is_file():
        return ()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None) or 1
        raise RecipeMalformed(file=str(path), line=line, problem=f"this is not Python: {error}") from None
    rules = [rule for node in tree.body for rule in _declared(path, node)]
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            raise _malformed(path, rule.place, f"there are two expectations named {rule.id!r}", "Rename one")
        seen[rule.id] = rule
    return tuple(rules)


def _declared(path: Path, node: ast.stmt) -> Iterator[Rule]:
    if not isinstance(node, ast.FunctionDef):
        return
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(call, "attr", getattr(call, "id", None)) == "expectation":
            yield _rule(path, node, decorator)


def _rule(path: Path, node: ast.FunctionDef, decorator: ast.expr) -> Rule:
    place = Place(str(path), decorator.lineno, decorator.col_offset + 1)
    said = _literals(path, decorator, place)
    columns = said.get("columns")
    if (
        not isinstance(columns, list | tuple)
        or not columns
        or not all(isinstance(name, str) for name in columns)
    ):
        raise _malformed(
            path, place, f"columns is {columns!r}", "Name the columns it needs: columns=['a', 'b']"
        )
    severity = said.get("severity", "error")
    if severity not in tuple(Severity):
        raise _malformed(path, place, f"severity is {severity!r}", "Write 'error' or 'warning'")
    return Rule(
        id=node.name,
        kind="pandera",
        columns=tuple(columns),
        description=" ".join(
            (ast.get_docstring(node) or node.name.replace("_", " ")).split("\n\n")[0].split()
        ),
        severity=Severity(severity),
        dimension=said.get("dimension"),
        arguments={"batches": _flag(path, place, said, "batches"), "form": _form(path, node, place, said)},
        place=place,
    )


def _form(path: Path, node: ast.FunctionDef, place: Place, said: dict[str, Any]) -> str:
    """`rows`, `table` or `check`: what the function answers with."""
    whole = _flag(path, place, said, "whole_table")
    taken = len(node.args.posonlyargs) + len(node.args.args)
    if taken > 1 or node.args.kwonlyargs or node.args.vararg or node.args.kwarg:
        raise _malformed(
            path,
            place,
            f"{node.name} takes {ast.unparse(node.args)!r}",
            "Write one parameter, the frame; or none, and return a pandera Check",
        )
    if whole and (not taken or said.get("batches")):
        reason = "sees all rows at once" if taken else "returns a Check, which says itself what it is about"
        raise _malformed(path, place, f"{node.name} {reason}", "Remove whole_table or batches")
    return "table" if whole else "rows" if taken else "check"


def _flag(path: Path, place: Place, said: dict[str, Any], name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise _malformed(path, place, f"{name} is {value!r}", "Write True or False")
    return value


def _literals(path: Path, decorator: ast.expr, place: Place) -> dict[str, Any]:
    if not isinstance(decorator, ast.Call) or decorator.args:
        raise _malformed(path, place, "expectation takes named arguments only", "Write columns=[…]")
    said: dict[str, Any] = {}
    for keyword in decorator.keywords:
        if keyword.arg not in _ARGUMENTS:
            raise _malformed(
                path,
                place,
                f"expectation has no argument {keyword.arg!r}",
                f"Write one of {', '.join(_ARGUMENTS)}",
            )
        try:
            said[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            raise _malformed(
                path, place, f"{keyword.arg} is not a literal", "It is read without running the file"
            ) from None
    return said


def _malformed(path: Path, place: Place | None, problem: str, remedy: str) -> DocumentMalformed:
    line, column = (place.line, place.column) if place else (1, 1)
    return DocumentMalformed(file=path, line=line, column=column, problem=problem, remedy=remedy)
