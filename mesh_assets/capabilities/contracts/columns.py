"""A contract's properties as columns.

Here: names, types, keys of the columns of the one table that a contract describes.
Not here: the rules that its properties declare (rules), the document around them (read).
"""

from __future__ import annotations

import re
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, close_to, kind_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.types import (
    TypeRefused,
    fits,
    fitting_types,
    logical_type,
    physical_type,
    usual_type,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
#: Rules inside of nested values; the mesh does not look into them yet.
_RULE_KEYS = (
    "required",
    "unique",
    "logicalTypeOptions",
    "quality",
    "relationships",
    "enum",
    "primaryKey",
    "properties",
)


def columns_of(document: Document, table: Steps) -> tuple[Column, ...]:
    """The columns in the order in which the contract writes them."""
    properties = document.at((*table, "properties"))
    if not properties:
        raise document.malformed(table, "the table has no `properties`", "Name at least one column")
    positions = _key_positions(document, table)
    columns: list[Column] = []
    seen: dict[str, str] = {}
    for number, written in enumerate(properties):
        path = (*table, "properties", number)
        column = _column(document, path, positions.get(number))
        twin = seen.setdefault(column.name.lower(), column.name)
        if len(seen) <= number:
            same = "" if twin == column.name else f" ({twin} is the same column for SQL)"
            raise document.malformed(
                (*path, "name"), f"the column {written['name']!r} is written twice{same}", "Keep one of them"
            )
        columns.append(column)
    return tuple(columns)


def _column(document: Document, path: Steps, key_position: int | None) -> Column:
    written = document.at(path)
    name = written["name"]
    if not _NAME.match(name):
        raise document.malformed(
            (*path, "name"),
            f"{name!r} is no column name",
            "Use letters, digits and underscores, and no digit first",
        )
    if written.get("physicalName", name) != name:
        raise document.malformed(
            (*path, "physicalName"),
            f"the column {name} has the physicalName {written['physicalName']!r}, but is stored as {name}",
            "Give both the same name, or leave physicalName out",
        )
    _refuse_what_is_not_stored(document, path, name)
    logical, physical = _types(document, path)
    return Column(
        name=name,
        logical_type=logical,
        physical_type=physical,
        description=written.get("description", ""),
        required=written.get("required", False),
        unique=written.get("unique", False),
        key_position=key_position,
        classification=written.get("classification"),
        tags=tuple(written.get("tags", ())),
    )


def _types(document: Document, path: Steps) -> tuple[str, str]:
    written = document.at(path)
    name, logical, physical = written["name"], written.get("logicalType"), written.get("physicalType")
    if physical is None:
        return _without_physical(document, path, name, logical)
    try:
        spelled = physical_type(physical)
    except TypeRefused as refused:
        raise document.malformed(
            (*path, "physicalType"), f"the column {name} has the physicalType {refused}"
        ) from None
    if logical is None:
        return logical_type(spelled), spelled
    # ODCS 3.0 had no timestamp: its `date` says both.
    older = document.value["apiVersion"].startswith("v3.0") and logical == "date"
    if not fits(logical, spelled) and not (older and fits("timestamp", spelled)):
        raise document.malformed(
            (*path, "physicalType"),
            f"the column {name} is of logicalType {logical}, which is not stored as {spelled}",
            f"Allowed for {logical}: {', '.join(fitting_types(logical))}",
        )
    return logical, spelled


def _without_physical(document: Document, path: Steps, name: str, logical: str | None) -> tuple[str, str]:
    if logical is None:
        raise document.malformed(
            path, f"the column {name} has no `logicalType` and no `physicalType`", "Add both"
        )
    usual = usual_type(logical)
    if usual is None:
        raise document.malformed(
            (*path, "logicalType"),
            f"the column {name} is of logicalType {logical} and has no `physicalType`",
            f"Add it: {', '.join(fitting_types(logical)) or 'no DuckDB type of a lake fits ' + logical}",
            key=True,
        )
    return logical, usual


def _refuse_what_is_not_stored(document: Document, path: Steps, name: str) -> None:
    written = document.at(path)
    if written.get("semanticType") == "measure":
        raise document.refused(
            (*path, "semanticType"), f"the column {name} is a measure, and the mesh stores columns only"
        )
    if "properties" in written:
        raise document.refused(
            (*path, "properties"),
            f"the column {name} has nested `properties`, which the mesh does not check yet",
            "Write physicalType: STRUCT(…) and a sql rule",
        )
    nested = [("items",), ("map", "key"), ("map", "value")]
    for steps in nested:
        inner = document.at((*path, *steps))
        for key in _RULE_KEYS:
            if isinstance(inner, dict) and inner.get(key):
                raise document.refused(
                    (*path, *steps, key),
                    f"`{key}` inside of the column {name} is not checked by the mesh yet",
                )


def _key_positions(document: Document, table: Steps) -> dict[int, int]:
    """The 1-based key position of each property by its number."""
    keys: list[tuple[int, int | None]] = []
    for number, written in enumerate(document.at((*table, "properties"))):
        position = written.get("primaryKeyPosition", -1)
        if not written.get("primaryKey", False):
            if position > 0:
                raise document.malformed(
                    (*table, "properties", number, "primaryKeyPosition"),
                    f"the column {written['name']} has a primaryKeyPosition and is not in the primary key",
                    "Add primaryKey: true",
                )
            continue
        keys.append((number, position if position > 0 else None))
    if all(position is None for _, position in keys):
        return {number: place for place, (number, _) in enumerate(keys, start=1)}
    return _written_positions(document, table, keys)


def _written_positions(
    document: Document, table: Steps, keys: list[tuple[int, int | None]]
) -> dict[int, int]:
    positions: dict[int, int] = {}
    for number, position in keys:
        path = (*table, "properties", number)
        if position is None:
            raise document.malformed(
                (*path, "primaryKey"), "other key columns have a primaryKeyPosition, this has not"
            )
        if position in positions.values() or position > len(keys):
            raise document.malformed(
                (*path, "primaryKeyPosition"),
                f"primaryKeyPosition is {position}; {len(keys)} key columns take 1 to {len(keys)}, each once",
            )
        positions[number] = position
    return positions


def column_named(document: Document, path: Steps, name: Any, columns: tuple[Column, ...]) -> Column:
    """The column of this name; or the error, with the name that was probably meant."""
    for column in columns:
        if column.name == name:
            return column
    names = [column.name for column in columns]
    near = close_to(str(name), names)
    raise document.malformed(
        path,
        f"{kind_of(name)} is no column of the table",
        f"Did you mean {near}?" if near else f"It has {', '.join(names)}",
    )
