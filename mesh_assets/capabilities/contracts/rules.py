"""What a contract promises, as rules that can be checked.

Here: every rule of a contract in the order in which it is written, with its place.
Not here: the forms one by one (options, quality, relationships), running them (checks).

Exact or refused: a form that the mesh does not run is refused by name, with file and line; none is skipped.
Severity: `warning`, `warn`, `info`, `low`, `minor` warn; `error`, `critical`, `blocker`, `high`, `major`,
`medium`, and no word at all, block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.options import enum_rules, option_rules
from mesh_assets.capabilities.contracts.quality import documentation_rules, quality_rules
from mesh_assets.capabilities.contracts.relationships import foreign_key_rules
from mesh_assets.words.rules import Rule

#: The id of the rule that every product gets unless its contract has a rowCount rule of its own.
NOT_EMPTY = "row_count_above_zero"


@dataclass(frozen=True)
class Promises:
    """The rules of a contract, and what it says about quality in prose only."""

    rules: tuple[Rule, ...]
    #: [{column, name, description}] of `type: text`, which documents and is never run.
    documentation: tuple[dict[str, Any], ...]


def promises_of(document: Document, table: Steps, columns: tuple[Column, ...]) -> Promises:
    """Every rule that the properties, their options, quality and relationships declare."""
    rules = [*_key_rules(document, table, columns)]
    documentation = [*documentation_rules(document, table, None)]
    for number, column in enumerate(columns):
        path = (*table, "properties", number)
        rules += _column_rules(document, path, column)
        rules += option_rules(document, path, column)
        rules += enum_rules(document, path, column)
        rules += quality_rules(document, path, column, columns)
        rules += foreign_key_rules(document, path, column, columns)
        documentation += documentation_rules(document, path, column)
    rules += quality_rules(document, table, None, columns)
    rules += foreign_key_rules(document, table, None, columns)
    if not any(rule.kind == "row_count" for rule in rules):
        rules.insert(0, _not_empty(document, table))
    _refuse_twins(document, rules)
    return Promises(tuple(rules), tuple(documentation))


def _not_empty(document: Document, table: Steps) -> Rule:
    return Rule(
        id=NOT_EMPTY,
        kind="row_count_positive",
        columns=(),
        description="The product has at least one row",
        dimension="completeness",
        place=document.place(table),
    )


def _key_rules(document: Document, table: Steps, columns: tuple[Column, ...]) -> Iterator[Rule]:
    placed = sorted(
        (column.key_position, column.name, at) for at, column in enumerate(columns) if column.key_position
    )
    if not placed:
        return
    names = tuple(name for _, name, _ in placed)
    yield Rule(
        id="primary_key",
        kind="primary_key",
        columns=names,
        description=(
            f"{' and '.join(names)} {'identifies' if len(names) == 1 else 'identify'} one row, never null"
        ),
        dimension="uniqueness",
        place=document.place((*table, "properties", placed[0][2], "primaryKey"), key=True),
    )


def _column_rules(document: Document, path: Steps, column: Column) -> Iterator[Rule]:
    if column.required:
        yield Rule(
            id=f"{column.name}_required",
            kind="required",
            columns=(column.name,),
            description=f"{column.name} is never null",
            dimension="completeness",
            place=document.place((*path, "required"), key=True),
        )
    if column.unique:
        yield Rule(
            id=f"{column.name}_unique",
            kind="unique",
            columns=(column.name,),
            description=f"{column.name} has no value twice",
            dimension="uniqueness",
            place=document.place((*path, "unique"), key=True),
        )


def _refuse_twins(document: Document, rules: list[Rule]) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        twin = first.setdefault(rule.id.lower(), rule)
        if twin is not rule:
            raise _twice(document, rule, twin)


def _twice(document: Document, rule: Rule, twin: Rule) -> Exception:
    error = document.malformed(
        (),
        f"two rules have the name {rule.id!r}, here and in line {twin.place.line if twin.place else '?'}",
        "Give each quality rule a `name` of its own",
    )
    if rule.place is None:
        return error
    return type(error)(**{**error.facts, "line": rule.place.line, "column": rule.place.column})
