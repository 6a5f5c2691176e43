"""How old the newest value of a column may be: a service level whose `element` is a column, as a rule.

Here: finding the columns of an `element`, the rule for each.
Not here: service levels of the whole product (sla).

The rule is the mesh's own kind `freshness`. It runs whenever the product is built, and warns: keeping readers
on an older version makes no row younger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Document, Steps, close_to
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.periods import told
from mesh_assets.words.rules import Rule, Severity

#: DuckDB types that are moments.
_MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
#: Units of the mesh's own kind `freshness`, the largest first.
_UNITS = {"days": timedelta(days=1), "hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}


@dataclass(frozen=True)
class Elements:
    """What an SLA's `element` names of one table; no columns: the table as a whole."""

    columns: tuple[Column, ...] = ()
    #: True if it names other objects of the contract only.
    elsewhere: bool = False


def elements(document: Document, path: Steps, table: Steps, columns: tuple[Column, ...]) -> Elements:
    """The columns in `element` (`object`, `object.property`, `property`, several with commas)."""
    at: Steps = (*path, "element")
    written = document.at(at)
    if written is None:
        at, written = ("slaDefaultElement",), document.at(("slaDefaultElement",))
    if written is None:
        return Elements()
    own = {document.at((*table, key)) for key in ("name", "physicalName")} - {None}
    objects = {each.get("name") for each in document.value.get("schema") or ()}
    objects |= {each.get("physicalName") for each in document.value.get("schema") or ()} - {None}
    found: list[Column] = []
    mine = False
    for each in (part.strip() for part in str(written).split(",")):
        first, _, rest = each.partition(".")
        if first in objects - own:
            continue
        mine = True
        if each in own:
            return Elements()
        found.append(_column(document, at, each, rest if first in own else each, columns))
    return Elements(tuple(dict.fromkeys(found)), elsewhere=not mine)


def _column(document: Document, at: Steps, each: str, name: str, columns: tuple[Column, ...]) -> Column:
    first, dot, rest = name.partition(".")
    if dot and first in {column.name for column in columns}:
        raise document.refused(
            at, f"the element {each!r} is inside of the column {first}", "Name a column", key=False
        )
    if dot:
        objects = [str(found.get("name")) for found in document.value.get("schema") or ()]
        near = close_to(first, objects)
        raise document.malformed(
            at,
            f"the element {each!r} names no object of the contract",
            f"Did you mean {near}.{rest}?" if near else f"It has {', '.join(objects)}",
        )
    return column_named(document, at, name, columns)


def age_rule(document: Document, path: Steps, name: str, column: Column, within: timedelta) -> Rule:
    """The newest value of the column is at most so old, when the product is built."""
    if column.physical_type not in _MOMENTS:
        raise document.refused(
            (*path, "element"),
            f"the SLA {name} asks for the age of {column.name}, which is stored as {column.physical_type}",
            f"Name a column of type {', '.join(_MOMENTS)}",
            key=False,
        )
    unit, value = next((unit, within / span) for unit, span in _UNITS.items() if not within % span)
    written: dict[str, Any] = document.at(path)
    return Rule(
        id=f"{column.name}_{name}",
        kind="freshness",
        columns=(column.name,),
        description=written.get("description") or f"The newest {column.name} is at most {told(within)} old",
        severity=Severity.WARNING,
        dimension="timeliness",
        arguments={
            "clock": "build",
            "unit": unit,
            "operator": "mustBeLessOrEqualTo",
            "value": int(value),
        },
        place=document.place(path),
    )
