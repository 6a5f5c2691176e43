"""Rules that a property's logicalTypeOptions and enum declare.

Here: lengths, patterns, bounds, multiples, enumerated values.
Not here: quality rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, kind_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.rules import Rule

_KINDS = {
    "minLength": ("min_length", "has at least {} characters"),
    "maxLength": ("max_length", "has at most {} characters"),
    "pattern": ("pattern", "matches {}"),
    "minimum": ("minimum", "is at least {}"),
    "maximum": ("maximum", "is at most {}"),
    "exclusiveMinimum": ("exclusive_minimum", "is above {}"),
    "exclusiveMaximum": ("exclusive_maximum", "is below {}"),
    "multipleOf": ("multiple_of", "is a multiple of {}"),
}
_MOMENTS = {"date": date.fromisoformat, "timestamp": datetime.fromisoformat, "time": time.fromisoformat}

#: Forms of ECMA 262 that RE2, DuckDB's engine, does not have: look-around and back-references.
_NOT_RE2 = re.compile(r"\(\?(?:<?[=!])|(?<!\\)(?:\\\\)*\\[1-9]")
_UNICODE_CLASS = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)")


def option_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    """One rule for each option; an option that the mesh does not check is refused by name."""
    options = document.at((*path, "logicalTypeOptions")) or {}
    for option, value in options.items():
        at = (*path, "logicalTypeOptions", option)
        if option not in _KINDS:
            raise document.refused(
                at,
                f"the option `{option}` of the column {column.name} is not checked by the mesh yet",
                "Remove it, or say it as a quality rule of type sql",
            )
        if isinstance(value, bool):
            _check_flag_of_old(document, at, options, option)
            continue
        kind, words = _KINDS[_strict(options, option)]
        yield Rule(
            id=f"{column.name}_{kind}",
            kind=kind,
            columns=(column.name,),
            description=f"{column.name} {words.format(value)}",
            dimension="conformity",
            arguments={"value": _checked(document, at, column, option)},
            place=document.place(at, key=True),
        )


def enum_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    """The rule of ODCS 3.2 `enum`: no value outside of the enumeration."""
    entries = document.at((*path, "enum"))
    if entries is None:
        return
    values = [entry["value"] for entry in entries]
    check_values(document, (*path, "enum"), column, values)
    yield Rule(
        id=f"{column.name}_enum",
        kind="invalid_values",
        columns=(column.name,),
        description=f"{column.name} is one of {', '.join(map(str, values))}",
        dimension="conformity",
        arguments={"operator": "mustBe", "value": 0, "unit": "rows", "validValues": values},
        place=document.place((*path, "enum"), key=True),
    )


def check_pattern(document: Document, path: Steps, pattern: Any) -> str:
    """The pattern, if DuckDB's RE2 can run it as written."""
    if not isinstance(pattern, str):
        raise document.malformed(path, f"the pattern is {kind_of(pattern)}; it must be a text")
    found = _NOT_RE2.search(pattern)
    if found:
        raise document.refused(
            path,
            f"the pattern {pattern!r} uses {found.group()!r}, and DuckDB's regular expressions (RE2) have no "
            "look-around and no back-references",
            "Write it without, or as a quality rule of type sql",
        )
    try:
        re.compile(_UNICODE_CLASS.sub("x", pattern).replace("(?<", "(?P<"))
    except re.error as error:
        raise document.malformed(path, f"the pattern {pattern!r} is no regular expression: {error}") from None
    return pattern


def check_values(document: Document, path: Steps, column: Column, values: list[Any]) -> None:
    """Valid or missing values must be of the column's own kind: '1' is not 1."""
    wanted: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "date": (str,),
        "timestamp": (str,),
        "time": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
    }
    kinds = wanted.get(column.logical_type)
    for value in values:
        if value is None or kinds is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise document.malformed(
                path,
                f"{kind_of(value)} is no value of the column {column.name}, a {column.logical_type}",
                f"Write '{value}' in quotes" if str in kinds else "Write it without quotes",
            )


def _strict(options: dict[str, Any], option: str) -> str:
    """ODCS 3.0 wrote `maximum: 100, exclusiveMaximum: true` for what 3.1 writes `exclusiveMaximum: 100`."""
    other = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(option, "")
    return other if options.get(other) is True else option


def _check_flag_of_old(document: Document, path: Steps, options: dict[str, Any], option: str) -> None:
    bound = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}.get(option)
    if options[option] and (bound is None or bound not in options):
        raise document.malformed(path, f"`{option}: true` has no `{bound}` beside it", key=True)


def _checked(document: Document, path: Steps, column: Column, option: str) -> Any:
    value = document.at(path)
    if option == "pattern":
        return check_pattern(document, path, value)
    if column.logical_type in _MOMENTS:
        return _moment(document, path, column, value)
    return value


def _moment(document: Document, path: Steps, column: Column, value: Any) -> str:
    readers = [_MOMENTS[column.logical_type]]
    if column.logical_type == "date" and column.physical_type.startswith("TIMESTAMP"):
        readers.append(datetime.fromisoformat)
    for reader in readers:
        try:
            reader(value)
        except (TypeError, ValueError):
            continue
        return str(value)
    raise _no_moment(document, path, column, value)


def _no_moment(document: Document, path: Steps, column: Column, value: Any) -> DocumentMalformed:
    form = {"date": "2024-12-31", "timestamp": "2024-12-31T23:59:59", "time": "23:59:59"}[column.logical_type]
    return document.malformed(
        path,
        f"{kind_of(value)} is no {column.logical_type}, and the column {column.name} is one",
        f"Write e.g. '{form}'",
    )
