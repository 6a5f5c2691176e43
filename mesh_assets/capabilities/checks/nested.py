"""Rules about what is inside of a column: fields of objects, items of arrays, keys and values of maps.

Here: from a rule's path to SQL that is true on each bad row, however deep the value lies.
Not here: what makes a value bad (conditions, formats).

A row counts once, however many bad values it holds. A null object, array or map has nothing inside of it, and
breaks nothing there; whether it may be null is for its own `required` to say.
"""

from __future__ import annotations

from collections.abc import Callable

from mesh_assets.capabilities.checks.stored import CannotRun, StoredColumn, stored_column, text
from mesh_assets.capabilities.checks.subject import Subject
from mesh_assets.capabilities.contracts.types import DuckType, TypeRefused, parsed
from mesh_assets.words.rules import Rule

Path = tuple[str, ...]

#: A step into a collection: (the type that has it, which inner type, SQL of the list of its values).
_COLLECTIONS = {
    "[]": ("LIST", 0, "{}"),
    "{key}": ("MAP", 0, "map_keys({})"),
    "{value}": ("MAP", 1, "map_values({})"),
}


def type_of(found: StoredColumn) -> DuckType:
    """The stored type, taken apart; CannotRun if it is none that a lake stores."""
    try:
        return parsed(found.type)
    except TypeRefused as refused:
        raise CannotRun(f"{found.name!r}: {refused}") from None


def condition_inside(
    found: StoredColumn, path: Path, bad: Callable[[StoredColumn], str], depth: int = 0
) -> str:
    """SQL that is true on the rows that hold, at this path, a value on which `bad` is true."""
    if not path:
        return bad(found)
    step, rest = path[0], path[1:]
    if step not in _COLLECTIONS:
        inner = _field(found, step)
        return f"({found.sql} IS NOT NULL AND {condition_inside(inner, rest, bad, depth)})"
    item, values = _item(found, step, depth)
    return (
        f"len(list_filter({values}, lambda {item.sql}: {condition_inside(item, rest, bad, depth + 1)})) > 0"
    )


def repeated_inside(subject: Subject, rule: Rule) -> str:
    """SQL that is true on the rows that hold a value which is twice among those of the whole product."""
    found = subject.stored[rule.columns[0]]
    values = _values(found, rule.path)
    return (
        f"EXISTS (SELECT 1 FROM (SELECT unnest({values}) AS value) AS own WHERE own.value IN "
        f"(SELECT value FROM (SELECT unnest({values}) AS value FROM {subject.product_sql} AS product) "
        "WHERE value IS NOT NULL GROUP BY value HAVING count(*) > 1))"
    )


def rows_repeated_inside(subject: Subject, rule: Rule) -> int:
    """How many rows of the draft hold such a value."""
    row = subject.con.execute(
        f"SELECT count(*) FROM {subject.relation} AS draft WHERE {repeated_inside(subject, rule)}"
    ).fetchone()
    return int(row[0]) if row else 0


def _values(found: StoredColumn, path: Path, depth: int = 0) -> str:
    """SQL of the list of all values at this path of a row."""
    if not path:
        return f"[{found.sql}]"
    step, rest = path[0], path[1:]
    if step not in _COLLECTIONS:
        return _values(_field(found, step), rest, depth)
    item, values = _item(found, step, depth)
    if not rest:
        return values
    return f"flatten(list_transform({values}, lambda {item.sql}: {_values(item, rest, depth + 1)}))"


def _field(found: StoredColumn, name: str) -> StoredColumn:
    duck = type_of(found)
    if name not in duck.fields:
        raise CannotRun(f"{found.name!r} is stored as {found.type}, which has no field {name!r}")
    inner = str(duck.inner[duck.fields.index(name)])
    return stored_column(f"{found.name}.{name}", inner, f"struct_extract({found.sql}, {text(name)})")


def _item(found: StoredColumn, step: str, depth: int) -> tuple[StoredColumn, str]:
    """One item as a column, named as the variable of a lambda, and the SQL of the list of all of them."""
    kind, place, listed = _COLLECTIONS[step]
    duck = type_of(found)
    if duck.name != kind:
        raise CannotRun(f"{found.name!r} is stored as {found.type}, which is no {kind.lower()}")
    item = stored_column(f"{found.name}{step}", str(duck.inner[place]), f"mesh_item_{depth}")
    return item, listed.format(found.sql)
