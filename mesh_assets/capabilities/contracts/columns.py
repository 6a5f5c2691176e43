"""A contract's properties as columns.

Here: names and keys of the columns of the one table that a contract describes.
Not here: types and what is inside of a column (nested), the rules that its properties declare (rules), the
document around them (read).
"""

from __future__ import annotations

from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps, close_to, kind_of
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.nested import called_otherwise, column_name, typed


def columns_of(document: Document, table: Steps) -> tuple[Column, ...]:
    """The columns in the order in which the contract writes them."""
    properties = document.at((*table, "properties"))
    if not properties:
        if properties is None or not document.alone:
            document.convention(
                document.malformed(table, "the table has no `properties`", "Name at least one column")
            )
        return ()
    positions = _key_positions(document, table)
    columns: list[Column] = []
    seen: dict[str, str] = {}
    for number in range(len(properties)):
        path = (*table, "properties", number)
        column = _column(document, path, positions.get(number))
        twin = seen.setdefault(column.name.lower(), column.name)
        if len(seen) <= number:
            same = "" if twin == column.name else f" ({twin} is the same column for SQL)"
            raise document.malformed(
                (*path, "name"), f"the column {column.name!r} is written twice{same}", "Keep one of them"
            )
        columns.append(column)
    return tuple(columns)


def _column(document: Document, path: Steps, key_position: int | None) -> Column:
    written = document.at(path)
    column = Column(
        name=column_name(document, path),
        called=called_otherwise(written),
        logical_type="",
        physical_type="",
        description=written.get("description") or "",
        required=written.get("required", False),
        unique=written.get("unique", False),
        key_position=key_position,
        classification=written.get("classification"),
        tags=tuple(written.get("tags") or ()),
    )
    return typed(document, path, column)


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
        if name in (column.called or column.name, column.name):
            return column
    names = [column.name for column in columns]
    near = close_to(str(name), names)
    raise document.malformed(
        path,
        f"{kind_of(name)} is no column of the table",
        f"Did you mean {near}?" if near else f"It has {', '.join(names)}",
    )
