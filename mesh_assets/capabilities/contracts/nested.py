"""Columns inside of columns: the properties of an object, the items of an array, keys and values of a map.

Here: their names, paths and types, and how their types and that of the column which holds them agree.
Not here: columns of the table (columns), the rules that they declare (rules).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh_assets.capabilities.contracts.dialects import is_engine
from mesh_assets.capabilities.contracts.document import Document, Steps, allowed_words
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.types import (
    VECTOR_ELEMENTS,
    DuckType,
    TypeRefused,
    fits,
    fitting_types,
    logical_type,
    parsed,
    usual_type,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
#: Where each logicalType writes what is inside of it: (steps in the document, step of the path).
_INSIDE: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "array": ((("items",), "[]"),),
    "map": ((("map", "key"), "{key}"), (("map", "value"), "{value}")),
}
_TYPE_NAMES = {"object": "STRUCT", "array": "LIST", "map": "MAP"}
#: Types that may be written without their parts, and where the parts are written then.
_BARE = {
    **dict.fromkeys(("STRUCT", "ROW", "RECORD", "OBJECT"), "properties"),
    **dict.fromkeys(("ARRAY", "LIST"), "items"),
    "MAP": "map",
}
#: A STRUCT in the middle of a type that is written without its fields: `MAP<STRING, STRUCT>`.
_OPEN = DuckType("JSON")
_UNFINISHED = re.compile(r"\b(STRUCT|ROW|RECORD|OBJECT)(?=\s*[,>)])", re.IGNORECASE)
#: The logicalType of a column whose contract promises no type.
ANYTHING = "any"
#: How a column is taken to be stored whose parts nobody describes; any type of that kind will do.
_UNSAID = {"object": "JSON", "array": "JSON[]", "map": "MAP(VARCHAR, JSON)", ANYTHING: "VARCHAR"}
#: pgvector's type.
_VECTOR = re.compile(r"VECTOR\s*\(\s*(\d{1,6})\s*\)\Z")
#: What a column inside of another cannot be.
_OF_THE_TABLE = ("primaryKey", "partitioned")


def typed(document: Document, path: Steps, column: Column, given: DuckType | None = None) -> Column:
    """The column with its types, and with what is inside of it.

    `given` is the type that the physicalType of the column around it says, None if that says none.
    """
    half = _half_said(document, path)
    duck = None if half else _written_type(document, path, column)
    if given is not None and _unfinished(given):
        half = half or (None if given is _OPEN else given)
        given = given if duck and given.name not in (duck.name, _OPEN.name) else None
    duck = duck or given
    longest = duck.longest if duck is not None else None
    if given is not None and duck is not None and str(duck) != str(given):
        raise document.malformed(
            (*path, "physicalType"),
            f"{column.shown} has the physicalType {duck}, and that of {column.root} says {given}",
            "Write one of them",
        )
    logical = _logical(document, path, column, duck or half)
    inside = tuple(_inside(document, path, column, logical, duck or half)) or _bounded_inside(column, duck)
    any_fitting = duck is None and document.alone and logical != "vector"
    if duck is None:
        made = vector_of(document, path, column) if logical == "vector" else _made_of(logical, inside)
        duck = made or _usual(document, path, column, logical)
    return replace(
        column,
        logical_type=logical,
        physical_type=str(duck),
        inside=inside,
        longest=longest,
        any_fitting=any_fitting and not _says_zone(document, path),
    )


def check_runs_inside(document: Document, path: Steps, column: Column) -> None:
    """Raise for what only a column of the table can declare, where it stands inside of one."""
    if not column.path:
        return
    if document.at((*path, "relationships")):
        raise document.refused(
            (*path, "relationships"),
            f"{column.shown} has `relationships`, and only a column of the table can refer to a product",
            "Give it a column of its own, or say it as a quality rule of type sql of the table",
        )
    for number, rule in enumerate(document.at((*path, "quality")) or ()):
        if rule.get("type") in ("sql", "custom"):
            raise document.refused(
                (*path, "quality", number, "type"),
                f"a quality rule of type {rule['type']} stands inside of the column {column.root}",
                f"Move it to the `quality` of {column.root} or of the table, and name {column.shown} in it",
            )


def column_name(document: Document, path: Steps) -> str:
    """The name under which the property at `path` is stored, if it can name a column or a field."""
    written = document.at(path)
    name: str = written["name"]
    stored: str = written.get("physicalName") or name
    if not stored.strip() or "\0" in stored:
        raise document.malformed((*path, "name"), f"{stored!r} is no column name")
    if not _NAME.match(name):
        document.convention(
            document.malformed(
                (*path, "name"),
                f"{name!r} is no column name",
                "Use letters, digits and underscores, and no digit first",
            )
        )
    if stored != name:
        document.convention(
            document.malformed(
                (*path, "physicalName"),
                f"the column {name} has the physicalName {stored!r}, but is stored as {name}",
                "Give both the same name, or leave physicalName out",
            )
        )
    if written.get("semanticType") == "measure":
        raise document.refused(
            (*path, "semanticType"), f"the column {name} is a measure, and the mesh stores columns only"
        )
    return stored


def called_otherwise(written: Mapping[str, Any]) -> str:
    """The contract's own name for a property that is stored under another."""
    name = str(written["name"])
    return name if (written.get("physicalName") or name) != name else ""


def placed_inside(column: Column) -> list[tuple[Steps, Column]]:
    """All columns inside of this one, each with its steps in the document below it; outer ones first."""
    found: list[tuple[Steps, Column]] = []
    for number, each in enumerate(column.inside):
        step = each.path[-1]
        below: Steps = {"[]": ("items",), "{key}": ("map", "key"), "{value}": ("map", "value")}.get(
            step, ("properties", number)
        )
        found += [(below, each), *(((*below, *more), inner) for more, inner in placed_inside(each))]
    return found


def vector_of(document: Document, path: Steps, column: Column) -> DuckType:
    """How a vector is stored: a list of its elements; DuckDB's arrays of a fixed length no lake keeps."""
    element = (document.at((*path, "logicalTypeOptions")) or {}).get("elementType", "float32")
    if element not in VECTOR_ELEMENTS:
        raise document.refused(
            (*path, "logicalTypeOptions", "elementType"),
            f"the vector {column.shown} has elements of {element}, which DuckDB does not have",
            f"Allowed: {', '.join(VECTOR_ELEMENTS)}",
            key=False,
        )
    return DuckType("LIST", (DuckType(VECTOR_ELEMENTS[element]),))


def _written_type(document: Document, path: Steps, column: Column) -> DuckType | None:
    written = document.at((*path, "physicalType"))
    if written is None:
        return None
    word = str(written).strip().upper()
    parts = document.at((*path, _BARE.get(word, "")))
    if parts is not None or (word in _BARE and document.alone):
        return None  # `STRUCT` alone: `properties` say of what
    if word.partition("(")[0] == "ENUM" and document.at((*path, "enum")):
        return DuckType("VARCHAR")  # the values are a rule of their own (options)
    if _VECTOR.match(word) and document.at((*path, "logicalType")) == "vector":
        return _pgvector(document, path, column, int(_VECTOR.sub(r"\1", word)))
    try:
        return parsed(written, engines(document))
    except TypeRefused as refused:
        raise document.refused(
            (*path, "physicalType"),
            f"the physicalType of the column {column.shown}: {refused}",
            key=False,
        ) from None


def _half_said(document: Document, path: Steps) -> DuckType | None:
    """The type of an array or a map of objects whose fields stand under `items` or `map` alone."""
    written = str(document.at((*path, "physicalType")) or "")
    outer = _BARE.get(re.split(r"\W", written.strip().upper(), maxsplit=1)[0], "")
    if outer not in ("items", "map") or document.at((*path, outer)) is None or "JSON" in written.upper():
        return None
    text, unfinished = _UNFINISHED.subn("JSON", written)
    try:
        return _opened(parsed(text, engines(document))) if unfinished else None
    except TypeRefused:
        return None  # the type as it is written says why


def _unfinished(duck: DuckType) -> bool:
    return duck is _OPEN or any(map(_unfinished, duck.inner))


def _opened(duck: DuckType) -> DuckType:
    return _OPEN if duck.name == "JSON" else replace(duck, inner=tuple(map(_opened, duck.inner)))


def engines(document: Document) -> tuple[str, ...]:
    """The types of the contract's servers that have words of their own for types."""
    servers = document.value.get("servers") or ()
    return tuple(dict.fromkeys(each["type"].lower() for each in servers if is_engine(str(each.get("type")))))


def _pgvector(document: Document, path: Steps, column: Column, length: int) -> DuckType:
    """`vector(3)`, as pgvector writes it: `dimensions` beside it is the rule."""
    dimensions = (document.at((*path, "logicalTypeOptions")) or {}).get("dimensions")
    if dimensions != length:
        raise document.malformed(
            (*path, "physicalType"),
            f"the vector {column.shown} has {length} dimensions here, and its options say {dimensions}",
            "Write the same number",
        )
    return vector_of(document, path, column)


def _bounded_inside(column: Column, duck: DuckType | None) -> tuple[Column, ...]:
    """What only the type describes and holds to a length: `STRUCT(code VARCHAR(3))`."""
    if duck is None or duck.bounded is None or duck.longest is not None:
        return ()
    steps = {"LIST": ("[]",), "MAP": ("{key}", "{value}")}.get(duck.name, duck.fields)
    found = []
    for step, each in zip(steps, duck.inner, strict=True):
        inner = Column(
            name=step,
            logical_type=logical_type(str(each)),
            physical_type=str(each),
            path=(*column.path, step),
            part_of=column.root,
            longest=each.longest,
        )
        found.append(replace(inner, inside=_bounded_inside(inner, each)))
    return tuple(found)


def _says_zone(document: Document, path: Steps) -> bool:
    """`timezone` says which of the two kinds of moments it is: then nothing else fits."""
    return "timezone" in (document.at((*path, "logicalTypeOptions")) or {})


def _logical(document: Document, path: Steps, column: Column, duck: DuckType | None) -> str:
    logical: str | None = document.at((*path, "logicalType"))
    if logical is None:
        keys = {"properties": "object", "items": "array", "map": "map"}
        said = next((kind for key, kind in keys.items() if document.at((*path, key)) is not None), None)
        if duck is not None or said is not None:
            return logical_type(str(duck)) if duck is not None else str(said)
        bare = _BARE.get(str(document.at((*path, "physicalType"))).strip().upper())
        if bare is not None:
            return {"properties": "object", "items": "array", "map": "map"}[bare]
        untyped = f"the column {column.shown} has no `logicalType` and no `physicalType`"
        document.convention(document.malformed(path, untyped, "Add both"))
        return ANYTHING
    if duck is None or fits(logical, str(duck)) or _fits_otherwise(document, path, logical, duck):
        return logical
    unfit = document.malformed(
        (*path, "physicalType"),
        f"the column {column.shown} is of logicalType {logical}, which is not stored as {duck}",
        f"Allowed for {logical}: {', '.join(fitting_types(logical))}",
    )
    if logical == "date" and fits("timestamp", str(duck)):
        # ODCS 3.1 has a timestamp of its own, and its examples write `date` for columns of moments still.
        document.convention(unfit)
        return logical
    raise unfit


def _fits_otherwise(document: Document, path: Steps, logical: str, duck: DuckType) -> bool:
    if logical not in ("date", "timestamp", "time"):
        return False
    if duck.name == "VARCHAR":  # a text, if its form is said
        return bool((document.at((*path, "logicalTypeOptions")) or {}).get("format"))
    # ODCS 3.0 had no timestamp: its `date` says both, and times.
    older = str(document.value["apiVersion"]).startswith("v3.0") and logical == "date"
    return older and (fits("timestamp", str(duck)) or fits("time", str(duck)))


def _inside(
    document: Document, path: Steps, column: Column, logical: str, duck: DuckType | None
) -> list[Column]:
    _refuse_elsewhere(document, path, column, logical)
    if logical == "object":
        return _fields(document, path, column, duck)
    found = []
    for place, (steps, step) in enumerate(_INSIDE.get(logical, ())):
        if document.at((*path, *steps)) is not None:
            given = duck.inner[place] if duck is not None else None
            found.append(_below(document, (*path, *steps), column, step, given))
    return found


def _fields(document: Document, path: Steps, column: Column, duck: DuckType | None) -> list[Column]:
    written = document.at((*path, "properties")) or ()
    if written and duck is not None and duck.name == "JSON":
        raise document.refused(
            (*path, "properties"),
            f"the column {column.shown} is stored as JSON, and the mesh does not look into JSON",
            "Write physicalType: STRUCT(…), or leave it out",
        )
    found: dict[str, Column] = {}
    for number in range(len(written)):
        at = (*path, "properties", number)
        name = column_name(document, at)
        if name.lower() in (seen.lower() for seen in found):
            raise document.malformed((*at, "name"), f"{column.shown} has {name} twice", "Keep one of them")
        if duck is not None and name not in duck.fields:
            raise document.malformed(
                (*at, "name"),
                f"the physicalType of {column.shown} has no field {name!r}",
                allowed_words(name, duck.fields),
            )
        given = duck.inner[duck.fields.index(name)] if duck is not None else None
        found[name] = _below(document, at, column, name, given)
    return list(found.values())


def _below(document: Document, path: Steps, around: Column, step: str, given: DuckType | None) -> Column:
    written = document.at(path)
    inner = Column(
        name=step,
        called=called_otherwise(written) if "name" in written else "",
        logical_type="",
        physical_type="",
        description=written.get("description") or "",
        required=written.get("required", False),
        unique=written.get("unique", False),
        classification=written.get("classification"),
        tags=tuple(written.get("tags") or ()),
        path=(*around.path, step),
        part_of=around.root,
    )
    for key in _OF_THE_TABLE:
        if written.get(key):
            raise document.refused(
                (*path, key), f"{inner.shown} has `{key}`, which only a column of the table can have"
            )
    return typed(document, path, inner, given)


def _refuse_elsewhere(document: Document, path: Steps, column: Column, logical: str) -> None:
    """`items` of what is no array would be rules that nothing runs."""
    for key, kind in (("properties", "object"), ("items", "array"), ("map", "map")):
        if document.at((*path, key)) is not None and logical != kind:
            raise document.malformed(
                (*path, key),
                f"the column {column.shown} is of logicalType {logical} and has `{key}`",
                f"Only logicalType: {kind} has `{key}`",
                key=True,
            )


def _made_of(logical: str, inside: tuple[Column, ...]) -> DuckType | None:
    """The type of a column that says only what is inside of it."""
    if not inside:
        return None
    fields = tuple(each.name for each in inside) if logical == "object" else ()
    return DuckType(_TYPE_NAMES[logical], tuple(parsed(each.physical_type) for each in inside), fields)


def _usual(document: Document, path: Steps, column: Column, logical: str) -> DuckType:
    options = document.at((*path, "logicalTypeOptions")) or {}
    zoned = {"timestamp": "TIMESTAMP WITH TIME ZONE", "time": "TIME WITH TIME ZONE"}.get(logical)
    usual = zoned if zoned and options.get("timezone") is True else usual_type(logical)
    if usual is None:
        document.convention(
            document.malformed(
                (*path, "logicalType"),
                f"the column {column.shown} is of logicalType {logical} and has no `physicalType`",
                f"Add it: {', '.join(fitting_types(logical)) or 'no DuckDB type of a lake fits ' + logical}",
                key=True,
            )
        )
    return parsed(usual or _UNSAID[logical])
