"""Custom rules of engine `pandera`: a registered pandera check, by name and arguments.

    - type: custom
      engine: pandera
      name: age is plausible
      implementation: {check: in_range, arguments: {min_value: 0, max_value: 120}}

Here: which checks there are, and which arguments each takes; pandera's own stand in a table, a domain's own
(`register_check_method`) are read from the text of `expectations.py` beside the contract.
Not here: running them (checks). Nothing here imports pandera, which costs more than reading every contract.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.implementation import implementation_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.options import check_pattern, check_values
from mesh_assets.capabilities.contracts.site import Site, rule_at
from mesh_assets.words.rules import Rule

_KEYS = ("check", "arguments", "columns", "batches")


@dataclass(frozen=True)
class Known:
    """A check that a rule may name."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    #: True if each row is judged by itself, so that batches find what the whole table would.
    by_row: bool = True


#: Pandera's checks of tables. A test holds this table against pandera's own registry.
BUILTINS: Mapping[str, Known] = {
    "equal_to": Known(("value",)),
    "not_equal_to": Known(("value",)),
    "greater_than": Known(("min_value",)),
    "greater_than_or_equal_to": Known(("min_value",)),
    "less_than": Known(("max_value",)),
    "less_than_or_equal_to": Known(("max_value",)),
    "in_range": Known(("min_value", "max_value"), ("include_min", "include_max")),
    "isin": Known(("allowed_values",)),
    "notin": Known(("forbidden_values",)),
    "str_matches": Known(("pattern",)),
    "str_contains": Known(("pattern",)),
    "str_startswith": Known(("string",)),
    "str_endswith": Known(("string",)),
    "str_length": Known((), ("min_value", "max_value", "exact_value")),
    "unique_values_eq": Known(("values",), by_row=False),
}
#: Pandera's short names.
ALIASES: Mapping[str, str] = {
    "eq": "equal_to",
    "ne": "not_equal_to",
    "gt": "greater_than",
    "ge": "greater_than_or_equal_to",
    "lt": "less_than",
    "le": "less_than_or_equal_to",
    "between": "in_range",
}
_LISTS = frozenset({"allowed_values", "forbidden_values", "values"})
_FLAGS = frozenset({"include_min", "include_max"})
_TEXTS = frozenset({"string", "pattern"})


def pandera_rule(site: Site) -> Rule:
    """The rule; a name, an argument or a value that pandera would not take is refused with file and line."""
    said = implementation_of(site)
    for key in said.written:
        if key not in _KEYS:
            raise said.document.refused(
                (*said.path, key), f"a pandera rule has no key `{key}`", allowed_words(key, _KEYS)
            )
    name, known = _check(said)
    given, columns = _arguments(said, name, known), _columns(said)
    if name in BUILTINS:
        _check_values(said, name, columns, given)
    shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
    return rule_at(
        site,
        kind="pandera_check",
        columns=columns,
        fallback="_".join((*columns, name)),
        said=f"pandera's {name}({shown}) of {' and '.join(columns)}",
        dimension="conformity",
        arguments={"check": name, "arguments": given, "batches": _batches(said, name, known)},
    )


def registered_checks(path: Path) -> Mapping[str, Known]:
    """The checks that a file registers with pandera (`register_check_method`), without importing it."""
    if not path.is_file():
        return {}
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return {}  # reading the file's expectations tells of this, with its line
    return dict(found for node in tree.body for found in _registered(node))


def _registered(node: ast.stmt) -> Iterator[tuple[str, Known]]:
    if not isinstance(node, ast.FunctionDef):
        return
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(call, "attr", getattr(call, "id", None)) != "register_check_method":
            continue
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        taken = {keyword.arg: keyword.value for keyword in keywords}
        yield node.name, Known(optional=_names(taken.get("statistics")), by_row=False)


def _names(listed: ast.expr | None) -> tuple[str, ...]:
    try:
        return tuple(map(str, ast.literal_eval(listed))) if listed is not None else ()
    except ValueError:
        return ()


def _check(said: Site) -> tuple[str, Known]:
    own = registered_checks(Path(said.document.file).parent / "expectations.py")
    name = said.written.get("check")
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    found = (BUILTINS.get(name) or own.get(name)) if isinstance(name, str) else None
    if found is None:
        raise said.document.refused(
            (*said.path, "check"),
            f"`check` is {name!r}, which neither pandera nor expectations.py beside the contract registers",
            allowed_words(name, (*BUILTINS, *own)),
            key=False,
        )
    return str(name), found


def _arguments(said: Site, name: str, known: Known) -> dict[str, Any]:
    given = said.written.get("arguments") or {}
    at = (*said.path, "arguments")
    if not isinstance(given, dict):
        raise said.document.malformed(
            at, f"`arguments` is {kind_of(given)}", "Write them by name, e.g. {min_value: 0}"
        )
    allowed = (*known.required, *known.optional)
    for key in given:
        if key not in allowed:
            remedy = allowed_words(key, allowed) if allowed else "Remove it"
            raise said.document.refused((*at, key), f"{name} has no argument `{key}`", remedy)
    missing = [key for key in known.required if given.get(key) is None]
    if missing or (name == "str_length" and not given):
        wanted = " and ".join(f"`{key}`" for key in missing) or "min_value, max_value or exact_value"
        raise said.document.malformed(at, f"{name} needs the argument {wanted}")
    return dict(given)


def _columns(said: Site) -> tuple[str, ...]:
    named, at = said.written.get("columns"), (*said.path, "columns")
    if said.column is not None:
        if named not in (None, [said.column.name]):
            raise said.document.malformed(at, "a rule of several columns is a rule of the table", key=True)
        return (said.column.name,)
    if not isinstance(named, list) or not named:
        raise said.document.malformed(
            said.path, "a pandera rule of the table names no `columns`", "Add columns: [...]"
        )
    return tuple(
        column_named(said.document, (*at, number), name, said.columns).name
        for number, name in enumerate(named)
    )


def _batches(said: Site, name: str, known: Known) -> bool:
    batches, at = said.written.get("batches", known.by_row), (*said.path, "batches")
    if not isinstance(batches, bool):
        raise said.document.malformed(at, f"`batches` is {kind_of(batches)}; write true or false")
    if batches and name in BUILTINS and not known.by_row:
        raise said.document.malformed(at, f"{name} needs all rows at once", "Remove it", key=True)
    return batches


def _check_values(said: Site, name: str, columns: tuple[str, ...], given: Mapping[str, Any]) -> None:
    """What pandera would compare with the columns must be of their kind: it would answer false, or raise."""
    about = [column for column in said.columns if column.name in columns]
    for key, value in given.items():
        at = (*said.path, "arguments", key)
        _check_form(said, at, key, value)
        if key == "pattern":
            check_pattern(said.document, at, value)
        elif name == "str_length":
            _check_length(said, at, value)
        elif key not in (*_FLAGS, *_TEXTS):
            for column in about:
                check_values(said.document, at, column, value if key in _LISTS else [value])
    if name.startswith("str_"):
        _check_texts(said, name, about)
    _check_together(said, name, given)


def _check_together(said: Site, name: str, given: Mapping[str, Any]) -> None:
    """What pandera itself refuses, when it makes the check."""
    at, low, high = (*said.path, "arguments"), given.get("min_value"), given.get("max_value")
    if name == "in_range" and not low < high:  # type: ignore[operator]  # both are required
        raise said.document.malformed(at, f"min_value, {low!r}, is not below max_value, {high!r}")
    if name == "str_length" and None not in (low, high) and low > high:  # type: ignore[operator]
        raise said.document.malformed(at, f"min_value, {low!r}, is above max_value, {high!r}")
    if name == "str_length" and "exact_value" in given and len(given) > 1:
        raise said.document.malformed(at, "exact_value stands alone, without min_value and max_value")


def _check_form(said: Site, at: Steps, key: str, value: Any) -> None:
    if key in _LISTS and (not isinstance(value, list) or not value):
        raise said.document.malformed(at, f"`{key}` is {kind_of(value)}; it must be a list of values")
    if key in _FLAGS and not isinstance(value, bool):
        raise said.document.malformed(at, f"`{key}` is {kind_of(value)}; write true or false")
    if key in _TEXTS and not isinstance(value, str):
        raise said.document.malformed(at, f"`{key}` is {kind_of(value)}; it must be a text")


def _check_length(said: Site, at: Steps, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise said.document.malformed(at, f"`{at[-1]}` is {kind_of(value)}; it must be a length, 0 or more")


def _check_texts(said: Site, name: str, about: list[Column]) -> None:
    for column in about:
        if column.logical_type != "string":
            raise said.document.malformed(
                (*said.path, "check"), f"{name} is about texts, and {column.name} is a {column.logical_type}"
            )
