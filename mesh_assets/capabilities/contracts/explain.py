"""One clear sentence for what a JSON schema found wrong.

Here: choosing the finding that names the cause, wording it, its place.
Not here: validating (standard).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, allowed_words, close_to, kind_of, shortened
from mesh_assets.words.errors import DocumentMalformed

_TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
#: The eight of the standard.
OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
#: What people write who think of a database, with the standard's own word.
_MEANT = {
    **dict.fromkeys(("columns", "fields"), "properties"),
    **dict.fromkeys(("isNullable", "nullable", "notNull", "mandatory"), "required"),
    **dict.fromkeys(("isUnique",), "unique"),
    **dict.fromkeys(("isPrimaryKey", "primary", "pk"), "primaryKey"),
    **dict.fromkeys(("type", "dataType", "datatype"), "logicalType"),
    **dict.fromkeys(("foreignKeys", "references"), "relationships"),
    **dict.fromkeys(("checks", "tests", "rules"), "quality"),
    **dict.fromkeys(("values", "allowedValues"), "enum"),
}
_OPERATOR_IS_KEY = "The operator itself is the key: write mustBe: 0, mustBeLessThan: 5, …"
_CLOSED = ("additionalProperties", "unevaluatedProperties")


@dataclass(frozen=True)
class _Case:
    """A document, and what it was held against."""

    document: Document
    standard: str
    schema: Mapping[str, Any]


def explained(
    document: Document, errors: Iterable[Any], *, standard: str, schema: Mapping[str, Any]
) -> DocumentMalformed:
    """The first cause among jsonschema's errors, as the error to raise."""
    case = _Case(document, standard, schema)
    causes = [cause for error in errors for cause in _causes(error)]
    # unevaluatedProperties also fires for keys whose subschema failed elsewhere; then no key is unknown.
    real = [cause for cause in causes if cause.validator not in _CLOSED or _unknown(case, cause)] or causes
    first = min(real, key=lambda cause: _order(document, cause))
    more = len({(tuple(cause.absolute_path), cause.validator) for cause in real}) - 1
    error = _worded(case, first)
    if not more:
        return error
    told = f"{error.facts['problem']} ({more} more {'finding' if more == 1 else 'findings'} in this file)"
    return DocumentMalformed(**{**error.facts, "problem": told})


def where(document: Document, path: Iterable[str | int]) -> str:
    """`schema.orders.properties.amount`: a path with names instead of positions where there are names."""
    steps: list[str] = []
    value = document.value
    for step in path:
        value = value[step] if value is not None else None
        if isinstance(step, int):
            named = value if isinstance(value, dict) else {}
            name = next(
                (named[key] for key in ("name", "property", "username") if isinstance(named.get(key), str)),
                None,
            )
            steps.append(name or f"{step + 1}")
        else:
            steps.append(step)
    return ".".join(steps)


def _causes(error: Any) -> Iterator[Any]:
    """The errors at the leaves, following only the branch of a oneOf or anyOf that was meant."""
    if not error.context or _is_operators(error):
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = min(branches.values(), key=_distance)
    for inner in meant:
        yield from _causes(inner)


def _distance(branch: list[Any]) -> tuple[int, int]:
    """How far a value is from a branch: of another type altogether, or with few findings inside."""
    other = sum(1 for error in branch if error.validator in ("type", "const") and not error.path)
    return other, len(branch)


def _order(document: Document, cause: Any) -> tuple[int, int, int]:
    place = document.place(tuple(cause.absolute_path))
    return (0 if cause.validator in _CLOSED else 1, place.line, place.column)


def _worded(case: _Case, cause: Any) -> DocumentMalformed:
    path = tuple(cause.absolute_path)
    at = where(case.document, path)
    subject = f"`{at}`" if at else "the file"
    if cause.validator in _CLOSED:
        return _unknown_key(case, cause, subject)
    if cause.validator == "required":
        return _missing_key(case.document, cause, subject)
    if _is_operators(cause):
        return _wrong_operators(case.document, cause, subject)
    problem, remedy = _value_problem(cause, subject)
    return case.document.malformed(path, problem, remedy)


def _unknown_key(case: _Case, cause: Any, subject: str) -> DocumentMalformed:
    document, path = case.document, tuple(cause.absolute_path)
    unknown = _unknown(case, cause)
    if not unknown:
        return _key_out_of_place(case, cause, subject)
    word = unknown[0]
    allowed = sorted(_keys_of(cause.schema, case.schema))
    near = _MEANT[word] if _MEANT.get(word) in allowed else close_to(word, allowed)
    if word == "operator" and "mustBe" in allowed:
        return document.malformed(
            (*path, word), f"{subject} has the key `operator`", _OPERATOR_IS_KEY, key=True
        )
    remedy = f"Did you mean {near}?" if near else f"Allowed: {', '.join(allowed)}"
    return document.malformed(
        (*path, word),
        f"{subject} has the key `{word}`, which {case.standard} does not know",
        remedy,
        key=True,
    )


def _key_out_of_place(case: _Case, cause: Any, subject: str) -> DocumentMalformed:
    """Keys that the standard has, and not beside the others that stand here."""
    document, path = case.document, tuple(cause.absolute_path)
    words = [word for word in re.findall(r"'([^']+)'", cause.message) if word in (cause.instance or ())]
    if "rule" in words and "metric" not in cause.instance:
        told = f"{subject} has the key `rule`, which {case.standard} calls `metric`"
        return document.malformed((*path, "rule"), told, "Write metric", key=True)
    if not words:
        return document.malformed(path, f"{subject}: {shortened(cause.message, 200)}")
    told = (
        f"{subject} has {', '.join(f'`{word}`' for word in words)}, which cannot stand beside its other keys"
    )
    kind = cause.instance.get("type")
    remedy = f"Remove it, or write another `type` than {kind}" if kind else "Remove it"
    return document.malformed((*path, words[0]), told, remedy, key=True)


def _missing_key(document: Document, cause: Any, subject: str) -> DocumentMalformed:
    path = tuple(cause.absolute_path)
    missing = [key for key in cause.validator_value if key not in cause.instance]
    if missing == ["map"] and "logicalType" not in cause.instance:
        missing = ["logicalType"]
    return document.malformed(path, f"{subject} has no `{missing[0] if missing else '?'}`", "Add it")


def _is_operators(cause: Any) -> bool:
    return cause.validator == "oneOf" and any(
        branch.get("required") == ["mustBe"] for branch in cause.validator_value if isinstance(branch, dict)
    )


def _wrong_operators(document: Document, cause: Any, subject: str) -> DocumentMalformed:
    path = tuple(cause.absolute_path)
    found = [key for key in cause.instance if key in OPERATORS]
    if len(found) == 1:
        value = cause.instance[found[0]]
        shape = "two different numbers, [low, high]" if found[0].endswith("Between") else "a number"
        return document.malformed((*path, found[0]), f"`{found[0]}` is {kind_of(value)}; it must be {shape}")
    if found:
        return document.malformed(
            (*path, found[1]),
            f"{subject} has {len(found)} operators ({', '.join(found)})",
            "Write one rule for each of them",
            key=True,
        )
    strange = next((key for key in cause.instance if key.startswith("must")), None)
    if strange:
        remedy = allowed_words(strange, OPERATORS)
        return document.malformed(
            (*path, strange), f"{subject} has no operator `{strange}`", remedy, key=True
        )
    return document.malformed(path, f"{subject} has no operator", f"Add one of {', '.join(OPERATORS)}")


def _value_problem(cause: Any, subject: str) -> tuple[str, str]:
    """What is wrong with a value, and the remedy."""
    value, wanted, kind = cause.instance, cause.validator_value, cause.validator
    if kind == "type":
        types = [wanted] if isinstance(wanted, str) else list(wanted)
        names = " or ".join(_TYPES.get(name, name) for name in types)
        hint = "Write it in quotes" if "string" in types and isinstance(value, int | float | Decimal) else ""
        return f"{subject} is {kind_of(value)}; it must be {names}", hint
    if kind == "enum":
        return f"{subject} is {kind_of(value)}", allowed_words(value, map(str, wanted))
    if kind == "not" and isinstance(wanted, Mapping) and wanted.get("required") == ["from"]:
        return f"{subject} has a `from`, but a column's relationship begins at the column", "Remove `from`"
    said = {
        "pattern": lambda: f"{subject} is {kind_of(value)}, which does not have the form {wanted}",
        "minimum": lambda: f"{subject} is {value}; it must be at least {wanted}",
        "exclusiveMinimum": lambda: f"{subject} is {value}; it must be above {wanted}",
        "minItems": lambda: f"{subject} has {len(value)} items; it must have at least {wanted}",
        "maxItems": lambda: f"{subject} has {len(value)} items; it must have at most {wanted}",
    }
    return (said[kind]() if kind in said else f"{subject}: {shortened(cause.message, 200)}"), ""


def _unknown(case: _Case, cause: Any) -> list[str]:
    allowed = _keys_of(cause.schema, case.schema)
    return [key for key in cause.instance if key not in allowed] if isinstance(cause.instance, dict) else []


def _keys_of(schema: Any, root: Any) -> set[str]:
    """Every key that a schema names for a mapping, through its references and branches."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        names |= set(part.get("properties", {}))
        waiting += [part[key] for key in ("then", "else") if key in part]
        waiting += [item for key in ("allOf", "anyOf", "oneOf") for item in part.get(key, ())]
        if "$ref" in part:
            waiting.append(_resolved(root, part["$ref"]))
    return names


def _resolved(root: Any, reference: str) -> Any:
    part = root
    for step in reference.removeprefix("#/").split("/"):
        part = part.get(step, {}) if isinstance(part, dict) else {}
    return part
