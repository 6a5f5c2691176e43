"""Rows that point at nothing: foreign keys against the pinned version of their target."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_assets.capabilities.checks.stored import (
    NUMBERS,
    CannotRun,
    Family,
    StoredColumn,
    column,
    identifier,
)
from mesh_assets.capabilities.checks.subject import Subject, columns_of, complete, quoted
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Rule

_EXACT_NUMBERS = NUMBERS - {Family.FLOAT}

Pairs = list[tuple[StoredColumn, StoredColumn]]


def orphan_rows(subject: Subject, rule: Rule) -> int:
    """How many rows that this audit looks at point at a key that the target lacks; a null points at nothing:
    fine.
    """
    row = subject.con.execute(
        f"SELECT count(*) FROM {looked_at(subject, rule)} AS draft WHERE {orphan_condition(subject, rule)}"
    ).fetchone()
    return int(row[0]) if row else 0


def orphans_together(subject: Subject, rules: Sequence[Rule]) -> dict[str, int]:
    """The same for several rules with one target, by id: distinct keys of all of them meet it once.

    CannotRun if the rules' columns are of different types: they then have no keys in common.
    """
    target, pairs = _target(subject, rules[0])
    types = [tuple(subject.stored[name].type for name in rule.columns) for rule in rules]
    if len(set(types)) > 1:
        raise CannotRun("the columns that point at the target are of different types")
    names = [f"k{number}" for number in range(len(pairs))]
    keys = " UNION ALL ".join(_keys(subject, rule, names, number) for number, rule in enumerate(rules))
    counts = ", ".join(f"count(*) FILTER (WHERE mesh_rule = {n}) AS n{n}" for n in range(len(rules)))
    equal = " AND ".join(
        f"target.{other.sql} = keys.{name}" for name, (_, other) in zip(names, pairs, strict=True)
    )
    row = subject.con.execute(
        f"SELECT {', '.join(f'coalesce(sum(n{n}), 0)::BIGINT' for n in range(len(rules)))} "
        f"FROM (SELECT {', '.join(names)}, {counts} FROM ({keys}) GROUP BY {', '.join(names)}) AS keys "
        f"WHERE NOT EXISTS (SELECT 1 FROM {target} AS target WHERE {equal})"
    ).fetchone()
    return {rule.id: int(count) for rule, count in zip(rules, row or (), strict=True)}


def _keys(subject: Subject, rule: Rule, names: Sequence[str], number: int) -> str:
    own = zip(quoted(rule.columns), names, strict=True)
    chosen = ", ".join(f"{column} AS {name}" for column, name in own)
    return (
        f"SELECT {chosen}, {number} AS mesh_rule FROM {looked_at(subject, rule)} AS draft "
        f"WHERE {complete(rule.columns)}"
    )


def orphan_condition(subject: Subject, rule: Rule) -> str:
    """SQL that is true on the draft's rows (alias `draft`) that point at nothing."""
    target, pairs = _target(subject, rule)
    whole = complete(rule.columns, "draft")
    equal = " AND ".join(f"target.{identifier(other.name)} = draft.{own.sql}" for own, other in pairs)
    return f"({whole} AND NOT EXISTS (SELECT 1 FROM {target} AS target WHERE {equal}))"


def looked_at(subject: Subject, rule: Rule) -> str:
    """The rows whose keys are looked up: all of the product, or the draft's if the others are known to hold.

    Others hold if their audit met the same version of the target. The product itself as target is never the
    same: this draft replaces keys that other partitions may point at.
    """
    same = rule.id in subject.kept_elsewhere and _product(rule) != subject.contract.product
    return subject.relation if subject.elsewhere is None or same else subject.product_sql


def target_of(rule: Rule) -> tuple[str, ...]:
    """What a rule points at: product and columns."""
    return (str(rule.arguments.get("to_product")), *map(str, rule.arguments.get("to_columns") or ()))


def _target(subject: Subject, rule: Rule) -> tuple[str, Pairs]:
    product = _product(rule)
    relation = subject.product_sql if product == subject.contract.product else subject.references.get(product)
    if relation is None:
        raise CannotRun(f"there is no version of {product} to compare with")
    names = tuple(rule.arguments.get("to_columns") or ())
    if not names or len(names) != len(rule.columns):
        raise CannotRun(f"it compares {len(rule.columns)} column(s) with {len(names)} of {product}")
    found = columns_of(subject.con, relation)
    pairs = [
        (subject.stored[own], column(found, other)) for own, other in zip(rule.columns, names, strict=True)
    ]
    for own, other in pairs:
        comparable(own, other, product)
    return relation, pairs


def _product(rule: Rule) -> ProductName:
    target = rule.arguments.get("to_product")
    return target if isinstance(target, ProductName) else product_name(str(target))


def comparable(own: StoredColumn, other: StoredColumn, product: ProductName) -> None:
    """DuckDB would cast '01' to 1 to compare it with a number, and so check what is not stored."""
    alike = own.family == other.family and (own.family is not Family.OTHER or own.type == other.type)
    if not alike and not {own.family, other.family} <= _EXACT_NUMBERS:
        raise CannotRun(
            f"{own.name!r} is stored as {own.type} and {product}.{other.name} as {other.type}: not comparable"
        )
