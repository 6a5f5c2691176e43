"""What a contract promises, as rules that can be checked.

Here: every rule of a contract in the order in which it is written, with its place.
Not here: the forms one by one (options, quality, relationships), running them (checks).

Exact or refused: a form that the mesh does not run is refused by name, with file and line; none is skipped.
Severity: `warning`, `warn`, `info`, `low`, `minor` warn; `error`, `critical`, `blocker`, `high`, `major`,
`medium`, and no word at all, block.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, Steps
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.nested import check_runs_inside, placed_inside
from mesh_assets.capabilities.contracts.options import (
    enum_rules,
    length_rules,
    option_documentation,
    option_rules,
)
from mesh_assets.capabilities.contracts.quality import documentation_rules, quality_rules
from mesh_assets.capabilities.contracts.relationships import foreign_key_rules
from mesh_assets.capabilities.contracts.site import snake_case
from mesh_assets.capabilities.contracts.sla import ServiceLevel
from mesh_assets.words.rules import Rule, products_of

#: The id of the rule that every product gets unless its contract has a rowCount rule of its own.
NOT_EMPTY = "row_count_above_zero"
#: The id of the rule that every product gets: names and physical types, as stored.
AS_PROMISED = "columns_as_promised"


@dataclass(frozen=True)
class Promises:
    """The rules of a contract, and what it says about quality in prose only."""

    rules: tuple[Rule, ...]
    #: [{column, name, description}] of `type: text`, which documents and is never run.
    documentation: tuple[dict[str, Any], ...]


def promises_of(
    document: Document,
    table: Steps,
    columns: tuple[Column, ...],
    levels: Sequence[ServiceLevel] = (),
) -> Promises:
    """Every rule that the properties, their options, quality, relationships and service levels declare."""
    rules = [*_key_rules(document, table, columns)]
    documentation = [*documentation_rules(document, table, None)]
    for number, column in enumerate(columns):
        path = (*table, "properties", number)
        for below, each in (((), column), *placed_inside(column)):
            rules += _property_rules(document, (*path, *below), each, columns)
            documentation += option_documentation(document, (*path, *below), each)
            documentation += documentation_rules(document, (*path, *below), each)
    rules += quality_rules(document, table, None, columns)
    rules += foreign_key_rules(document, table, None, columns)
    rules += [rule for level in levels for rule in level.rules]
    if not any(rule.kind == "row_count" and _speaks_of_none(rule) for rule in rules):
        rules.insert(0, _not_empty(document, table))
    if columns:
        rules.insert(0, _as_promised(document, table, columns))
    rules = _with_reads(_numbered(document, table, rules))
    _refuse_twins(document, rules)
    return Promises(tuple(rules), tuple(documentation))


def _property_rules(
    document: Document, path: Steps, column: Column, columns: tuple[Column, ...]
) -> Iterator[Rule]:
    """What a column, or a property inside of one, declares."""
    check_runs_inside(document, path, column)
    yield from _column_rules(document, path, column)
    yield from length_rules(document, path, column)
    yield from option_rules(document, path, column)
    yield from enum_rules(document, path, column)
    yield from quality_rules(document, path, column, columns)
    yield from foreign_key_rules(document, path, column, columns)


def _with_reads(rules: Sequence[Rule]) -> list[Rule]:
    """A query may read products that other rules of its file name, and no more; here: those that it does."""
    named = dict.fromkeys(name for rule in rules for name in products_of(rule))
    found = []
    for rule in rules:
        query = str(rule.arguments.get("query"))
        read = [str(name) for name in named if rule.kind == "sql" and name.product in query]
        found.append(replace(rule, arguments={**rule.arguments, "reads": read}) if read else rule)
    return found


def _as_promised(document: Document, table: Steps, columns: tuple[Column, ...]) -> Rule:
    types = {column.name: column.physical_type for column in columns}
    fitting = {column.name: found for column in columns if (found := _fitting(document, column))}
    return Rule(
        id=AS_PROMISED,
        kind="physical_types",
        columns=(),
        description="The columns are those of the contract, each stored as its physicalType",
        dimension="conformity",
        arguments={"types": types, "fitting": fitting} if fitting else {"types": types},
        place=document.place((*table, "properties"), key=True),
    )


def _fitting(document: Document, column: Column) -> dict[str, Any] | None:
    """What a column without a physicalType may be stored as, as plain values; None: as its type alone."""
    inside = {each.path[-1]: found for each in column.inside if (found := _fitting(document, each))}
    if not column.any_fitting:
        return None
    exact = {each.path[-1]: {"type": each.physical_type} for each in column.inside}
    # ODCS 3.0 had no timestamp: its `date` says both, and times.
    older = column.logical_type == "date" and str(document.value["apiVersion"]).startswith("v3.0")
    return {"logical": "moment" if older else column.logical_type, "inside": {**exact, **inside}}


def _speaks_of_none(rule: Rule) -> bool:
    """Whether a rowCount rule says if there may be no row at all; `mustBeLessThan: 1000` does not."""
    operator, value = rule.arguments["operator"], rule.arguments["value"]
    if operator == "mustNotBeBetween":
        return bool(value[0] <= 0 <= value[1])
    if operator == "mustNotBe":
        return bool(value == 0)
    if operator == "mustBeLessThan":
        return bool(value <= 1)
    return bool(operator != "mustBeLessOrEqualTo" or value < 1)


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
        yield column.rule(
            "required",
            "is never null",
            kind="required",
            dimension="completeness",
            place=document.place((*path, "required"), key=True),
        )
    if column.unique:
        yield column.rule(
            "unique",
            "has no value twice",
            kind="unique",
            dimension="uniqueness",
            place=document.place((*path, "unique"), key=True),
        )


def _numbered(document: Document, table: Steps, rules: list[Rule]) -> list[Rule]:
    """Quality rules without a name, of which several would be called the same: sql, sql_2, sql_3."""
    rules = [replace(rule, id=re.sub(r"\W+", "_", rule.id)) for rule in rules]
    properties = document.at((*table, "properties")) or ()
    owners = [table, *((*table, "properties", at) for at in range(len(properties)))]
    written = [each for owner in owners for each in document.at((*owner, "quality")) or ()]
    named = {snake_case(str(each["name"])) for each in written if each.get("name")}
    seen: Counter[str] = Counter()
    numbered: list[Rule] = []
    for rule in rules:
        seen[rule.id] += 1
        twin = seen[rule.id] > 1 and rule.id not in named and rule.kind != "foreign_key"
        numbered.append(replace(rule, id=f"{rule.id}_{seen[rule.id]}") if twin else rule)
    return numbered


def _refuse_twins(document: Document, rules: list[Rule]) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        twin = first.setdefault(rule.id.lower(), rule)
        if twin is not rule:
            raise _twice(document, rule, twin)


def _twice(document: Document, rule: Rule, twin: Rule) -> Exception:
    before = f"here and in line {twin.place.line if twin.place else '?'}"
    problem, remedy = (
        f"two rules have the name {rule.id!r}, {before}",
        "Give each quality rule a `name` of its own",
    )
    if rule.kind == twin.kind == "foreign_key":
        link = f"{', '.join(rule.columns)} to {rule.arguments['to_product']}"
        problem = f"the relationship of {link} is written twice, {before}"
        remedy = "Keep one: of the property, or of the table"
    error = document.malformed((), problem, remedy)
    if rule.place is None:
        return error
    return type(error)(**{**error.facts, "line": rule.place.line, "column": rule.place.column})
