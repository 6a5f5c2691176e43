"""Rules that a property's logicalTypeOptions and enum declare, whether it is a column or inside of one.

Here: lengths, patterns, formats, multiples, counts of items and of properties, enumerated values.
Not here: bounds and time zones (bounds), quality rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mesh_assets.capabilities.contracts.bounds import bound_arguments, check_zone, strict_option
from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words, kind_of, shortened
from mesh_assets.capabilities.contracts.formats import FLOAT_FORMATS, HINTS, INTEGER_FORMATS, TEXT_FORMATS
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.moments import FormatRefused, moment_format
from mesh_assets.capabilities.contracts.nested import ANYTHING, vector_of
from mesh_assets.capabilities.contracts.patterns import PatternMalformed, PatternRefused, plain_pattern
from mesh_assets.capabilities.contracts.types import parsed
from mesh_assets.words.rules import Rule

#: option: (rule kind, what it says)
_KINDS = {
    "minLength": ("min_length", "has at least {} characters"),
    "maxLength": ("max_length", "has at most {} characters"),
    "pattern": ("pattern", "matches {}"),
    "format": ("format", "is of the format {}"),
    "minimum": ("minimum", "is at least {}"),
    "maximum": ("maximum", "is at most {}"),
    "exclusiveMinimum": ("exclusive_minimum", "is above {}"),
    "exclusiveMaximum": ("exclusive_maximum", "is below {}"),
    "multipleOf": ("multiple_of", "is a multiple of {}"),
    "minItems": ("min_items", "has at least {} items"),
    "maxItems": ("max_items", "has at most {} items"),
    "uniqueItems": ("unique_items", "has no item twice"),
    "minProperties": ("min_properties", "has at least {} properties"),
    "maxProperties": ("max_properties", "has at most {} properties"),
    "required": ("required_properties", "has the properties {}"),
    "dimensions": ("dimensions", "has exactly {} numbers"),
}
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
#: Options that say how a column is stored, which its type does, or what bounds mean; they are no rules.
_OF_TYPES = ("timezone", "defaultTimezone", "elementType")
#: Options of a vector that say what made it.
_ADVISORY = ("distanceMetric", "embeddingModel", "embeddingModelVersion")
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "date": (*_BOUNDS, "format"),
    "timestamp": (*_BOUNDS, "format", "timezone", "defaultTimezone"),
    "time": (*_BOUNDS, "format", "timezone", "defaultTimezone"),
    "integer": (*_BOUNDS, "multipleOf", "format"),
    "number": (*_BOUNDS, "multipleOf", "format"),
    "object": ("minProperties", "maxProperties", "required"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "vector": ("dimensions", "elementType", "normalized", *_ADVISORY),
}


def option_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    """One rule for each option; an option that cannot be checked exactly is refused by name."""
    options = document.at((*path, "logicalTypeOptions")) or {}
    check_zone(document, (*path, "logicalTypeOptions"), column)
    for option, value in options.items():
        at = (*path, "logicalTypeOptions", option)
        _check_option(document, at, column, option)
        if _says_nothing_more(document, at, column, options):
            continue
        kind, words = _KINDS[strict_option(options, option)]
        yield column.rule(
            kind,
            words.format(_told(value)),
            kind=_kind_of_format(column) if kind == "format" else kind,
            dimension="conformity",
            arguments=_arguments(document, at, column, option),
            place=document.place(at, key=True),
        )


def option_documentation(document: Document, path: Steps, column: Column) -> Iterator[dict[str, Any]]:
    """Formats that no value can break: kept as documentation, never counted as run."""
    options = document.at((*path, "logicalTypeOptions")) or {}
    said = str(options.get("format"))
    if column.logical_type == "string" and said in HINTS:
        yield {"column": column.root, "name": f"{column.shown}: format {said}", "description": HINTS[said]}


def length_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    """The rule of `physicalType: VARCHAR(18)`: DuckDB stores longer texts in it as well."""
    most = column.longest
    if most is not None:
        yield column.rule(
            "length",
            f"has at most {most} characters, as a VARCHAR({most})",
            kind="max_length",
            dimension="conformity",
            arguments={"value": most},
            place=document.place((*path, "physicalType"), key=True),
        )


def enum_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    """The rule of ODCS 3.2 `enum`: no value outside of the enumeration."""
    entries = document.at((*path, "enum"))
    if entries is None:
        return
    values = [entry["value"] for entry in entries]
    check_values(document, (*path, "enum"), column, values)
    yield column.rule(
        "enum",
        f"is one of {', '.join(map(str, values))}",
        kind="invalid_values",
        dimension="conformity",
        arguments={"operator": "mustBe", "value": 0, "unit": "rows", "validValues": values},
        place=document.place((*path, "enum"), key=True),
    )


def check_pattern(document: Document, path: Steps, pattern: Any) -> str:
    """The pattern as written, if it can run exactly so."""
    if not isinstance(pattern, str):
        raise document.malformed(path, f"the pattern is {kind_of(pattern)}; it must be a text")
    try:
        plain_pattern(pattern)
    except PatternRefused as refused:
        raise document.refused(
            path,
            f"the pattern {shortened(pattern)!r} {refused}",
            "Write it otherwise, as a quality rule of type sql, or in expectations.py",
        ) from None
    except PatternMalformed as error:
        said = f"the pattern {shortened(pattern)!r} is no regular expression: {error}"
        raise document.malformed(path, said) from None
    return pattern


def check_values(document: Document, path: Steps, column: Column, values: list[Any]) -> None:
    """Valid or missing values must be of the column's own kind: '1' is not 1."""
    wanted: dict[str, tuple[type, ...]] = {
        **dict.fromkeys(("string", "date", "timestamp", "time"), (str,)),
        "integer": (int,),
        "number": (int, float, Decimal),
        "boolean": (bool,),
    }
    if column.logical_type == ANYTHING:
        return
    kinds = wanted.get(column.logical_type)
    if kinds is None:
        raise document.refused(
            path,
            f"{column.shown} is of logicalType {column.logical_type}, and listed values are single ones",
            "Move the rule to what is inside of it",
        )
    for value in values:
        if value is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise document.malformed(
                path,
                f"{kind_of(value)} is no value of the column {column.shown}, a {column.logical_type}",
                f"Write '{value}' in quotes" if str in kinds else "Write it without quotes",
            )


def _check_option(document: Document, path: Steps, column: Column, option: str) -> None:
    allowed = _ALLOWED.get(column.logical_type, ())
    if option in allowed:
        return
    raise document.refused(
        path,
        f"the column {column.shown} is of logicalType {column.logical_type}, which has no option `{option}`",
        allowed_words(option, allowed) if allowed else "Remove it",
    )


def _says_nothing_more(document: Document, path: Steps, column: Column, options: dict[str, Any]) -> bool:
    """True for an option that declares no rule of its own."""
    option = str(path[-1])
    value = options[option]
    if option == "normalized" and value:
        raise document.refused(
            path,
            f"{column.shown} is `normalized`, and no length of floats is exactly 1",
            "Say how close it must be: a quality rule of type sql",
        )
    if option in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
        _check_flag_of_old(document, path, options)
        return True
    if option == "format" and column.logical_type == "string" and value in HINTS:
        return True
    return option in (*_OF_TYPES, *_ADVISORY) or value is False


def _check_flag_of_old(document: Document, path: Steps, options: dict[str, Any]) -> None:
    """ODCS 3.0: `exclusiveMaximum: true` makes the `maximum` beside it a strict one."""
    option = str(path[-1])
    bound = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}[option]
    if options[option] and bound not in options:
        raise document.malformed(path, f"`{option}: true` has no `{bound}` beside it", key=True)


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _kind_of_format(column: Column) -> str:
    if column.logical_type in ("integer", "number"):
        return "number_format"
    return "format" if column.logical_type == "string" else "moment_format"


def _arguments(document: Document, path: Steps, column: Column, option: str) -> dict[str, Any]:
    value = document.at(path)
    if option in _BOUNDS:
        return bound_arguments(document, path, column)
    if option in ("minLength", "maxLength", "pattern"):
        _require_text(document, path, column, option)
    if option == "pattern":
        check_pattern(document, path, value)
    elif option == "format":
        _check_format(document, path, column, value)
    elif option in ("minProperties", "maxProperties", "required"):
        _check_properties(document, path, column, option)
    elif option == "dimensions":
        _check_vector(document, path, column)
    return {} if option == "uniqueItems" else {"value": value}


def _require_text(document: Document, path: Steps, column: Column, option: str) -> None:
    if column.physical_type != "VARCHAR":
        raise document.refused(
            path,
            f"the column {column.shown} is stored as {column.physical_type}, and `{option}` is about text",
            "Write physicalType: VARCHAR, or remove it",
        )


def _check_format(document: Document, path: Steps, column: Column, value: Any) -> None:
    if not isinstance(value, str):
        raise document.malformed(path, f"the format is {kind_of(value)}; it must be a text")
    if column.logical_type == "string":
        if value not in TEXT_FORMATS:
            told = f"the column {column.shown} has the format {value!r}, which the mesh does not know"
            raise document.refused(path, told, allowed_words(value, (*TEXT_FORMATS, *HINTS)), key=False)
        if column.physical_type != value.upper():  # a UUID is one by its type
            _require_text(document, path, column, "format")
    elif column.logical_type in ("integer", "number"):
        _check_number_format(document, path, column, value)
    else:
        _check_moment_format(document, path, column, value)


def _check_number_format(document: Document, path: Steps, column: Column, value: str) -> None:
    known = tuple(INTEGER_FORMATS if column.logical_type == "integer" else FLOAT_FORMATS)
    if value not in known:
        told = f"the column {column.shown} has the format {value!r}, which no {column.logical_type} has"
        raise document.malformed(path, told, allowed_words(value, known))
    if value in FLOAT_FORMATS and column.physical_type not in ("FLOAT", "DOUBLE"):
        raise document.refused(
            path,
            f"the column {column.shown} is stored as {column.physical_type}, and {value} is a binary float",
            f"Write physicalType: {FLOAT_FORMATS[value]}, or remove the format",
            key=False,
        )


def _check_moment_format(document: Document, path: Steps, column: Column, value: str) -> None:
    try:
        said = moment_format(value)
    except FormatRefused as refused:
        raise document.refused(path, f"the column {column.shown}: {refused}", key=False) from None
    stored = column.physical_type if column.physical_type != "VARCHAR" else column.logical_type.upper()
    wanted = (
        "a time of day" if stored.startswith("TIME") and stored[4:9] != "STAMP" else "year, month and day"
    )
    if said.has_date != (wanted != "a time of day") or (not said.has_date and "hour" not in said.fields):
        raise document.refused(
            path,
            f"the column {column.shown} is a {column.logical_type}, and the format {value!r} does not tell "
            f"{wanted}" + (" alone" if wanted == "a time of day" else ""),
            "Write e.g. yyyy-MM-dd, yyyy-MM-dd'T'HH:mm:ss or HH:mm:ss",
            key=False,
        )


def _check_properties(document: Document, path: Steps, column: Column, option: str) -> None:
    fields = parsed(column.physical_type).fields
    if not fields:
        raise document.refused(
            path,
            f"{column.shown} is stored as {column.physical_type}, and the mesh does not look into it",
            "Write physicalType: STRUCT(…), or `properties`",
        )
    for number, name in enumerate(document.at(path) if option == "required" else ()):
        if name not in fields:
            told = f"{column.shown} has no property {name!r}"
            raise document.malformed((*path, number), told, allowed_words(name, fields))


def _check_vector(document: Document, path: Steps, column: Column) -> None:
    options = document.at(path[:-1])
    wanted = vector_of(document, path[:-2], column)
    if "elementType" in options and str(wanted) != column.physical_type:
        raise document.malformed(
            (*path[:-1], "elementType"),
            f"the vector {column.shown} has elements of {options['elementType']} and is stored as "
            f"{column.physical_type}",
            f"Write physicalType: {wanted}, or leave it out",
        )
