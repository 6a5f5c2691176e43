"""Rows that point at nothing: foreign keys against the pinned version of their target."""

from __future__ import annotations

from mesh_assets.capabilities.checks.stored import (
    NUMBERS,
    CannotRun,
    Family,
    StoredColumn,
    column,
    identifier,
)
from mesh_assets.capabilities.checks.subject import Subject, columns_of
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Rule

_EXACT_NUMBERS = NUMBERS - {Family.FLOAT}


def orphan_rows(subject: Subject, rule: Rule) -> int:
    """How many rows of the draft point at a key that the target lacks; a null points at nothing: fine."""
    row = subject.con.execute(
        f"SELECT count(*) FROM {subject.relation} AS draft WHERE {orphan_condition(subject, rule)}"
    ).fetchone()
    return int(row[0]) if row else 0


def orphan_condition(subject: Subject, rule: Rule) -> str:
    """SQL that is true on the draft's rows (alias `draft`) that point at nothing."""
    target, pairs = _target(subject, rule)
    complete = " AND ".join(f"draft.{own.sql} IS NOT NULL" for own, _ in pairs)
    equal = " AND ".join(f"target.{identifier(other.name)} = draft.{own.sql}" for own, other in pairs)
    return f"({complete} AND NOT EXISTS (SELECT 1 FROM {target} AS target WHERE {equal}))"


def _target(subject: Subject, rule: Rule) -> tuple[str, list[tuple[StoredColumn, StoredColumn]]]:
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
        _comparable(own, other, product)
    return relation, pairs


def _product(rule: Rule) -> ProductName:
    target = rule.arguments.get("to_product")
    return target if isinstance(target, ProductName) else product_name(str(target))


def _comparable(own: StoredColumn, other: StoredColumn, product: ProductName) -> None:
    """DuckDB would cast '01' to 1 to compare it with a number, and so check what is not stored."""
    alike = own.family == other.family and (own.family is not Family.OTHER or own.type == other.type)
    if not alike and not {own.family, other.family} <= _EXACT_NUMBERS:
        raise CannotRun(
            f"{own.name!r} is stored as {own.type} and {product}.{other.name} as {other.type}: not comparable"
        )
