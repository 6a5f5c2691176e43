"""Columns and their types: what was promised, what a query has, what a lake can keep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mesh_assets.words.errors import WrongColumns

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from mesh_assets.words.names import ProductName

#: (name, DuckDB type) in order.
Columns = tuple[tuple[str, str], ...]

#: What Parquet or DuckLake cannot keep as it is; 128-bit integers would come back as DOUBLE.
UNSTORABLE = re.compile(r"\b(U?HUGEINT|ENUM|UNION|BIT|BIGNUM|TIME_NS)\b|\[\d+\]|^\"NULL\"|^NULL")


def describe(relation: DuckDBPyRelation) -> Columns:
    """The columns of a relation."""
    return tuple(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))


def agreed(product: ProductName, actual: Columns, promised: Sequence[tuple[str, str]] | None) -> Columns:
    """The columns to store, in the contract's order; raises WrongColumns when others were promised."""
    if promised is None:
        wrong = tuple(
            f"{name} is {kind}, which no lake can keep" for name, kind in actual if _unstorable(kind)
        )
        if wrong:
            raise WrongColumns(product=product, missing=(), unexpected=(), mistyped=wrong)
        return actual
    wanted = {name: canonical(kind) for name, kind in promised}
    found = dict(actual)
    missing = tuple(name for name in wanted if name not in found)
    unexpected = tuple(name for name in found if name not in wanted)
    mistyped = tuple(
        f"{name} is {found[name]}, the contract says {kind}"
        for name, kind in wanted.items()
        if name in found and (found[name] != kind or _unstorable(kind))
    )
    if missing or unexpected or mistyped:
        raise WrongColumns(product=product, missing=missing, unexpected=unexpected, mistyped=mistyped)
    return tuple(wanted.items())


def as_made(
    product: ProductName,
    actual: Columns,
    promised: Sequence[tuple[str, str]],
    partition_column: str | None = None,
) -> Columns:
    """The columns as the query has them, those of the contract first and in its order.

    Whether they are the promised ones is for the audit to say. Raises WrongColumns where nothing can be
    written that the audit could look at: a type that no lake keeps, a partition column that is none.
    """
    found, wanted = dict(actual), {name: canonical(kind) for name, kind in promised}
    wrong = [
        f"{name} is {kind}, which no lake can keep"
        + (f"; the contract says {wanted[name]}" if name in wanted else "")
        for name, kind in actual
        if _unstorable(kind)
    ]
    if partition_column is not None and found.get(partition_column) != wanted.get(partition_column):
        seen = found.get(partition_column, "missing")
        wrong.append(f"{partition_column} is {seen}, the contract parts by {wanted.get(partition_column)}")
    if wrong:
        raise WrongColumns(product=product, missing=(), unexpected=(), mistyped=tuple(wrong))
    ordered = [name for name in wanted if name in found] + [name for name in found if name not in wanted]
    return tuple((name, found[name]) for name in ordered)


def canonical(kind: str) -> str:
    """A type as DuckDB writes it (`DECIMAL(12, 2)` is `DECIMAL(12,2)`); what is no type is left alone."""
    import duckdb

    try:
        return str(duckdb.sqltype(kind))
    except duckdb.Error:
        return kind


def changes(old: Columns, new: Columns) -> tuple[Columns, tuple[str, ...]]:
    """How stored columns differ from new ones: those added, and in words those removed or of another type."""
    before, after = dict(old), dict(new)
    added = tuple((name, kind) for name, kind in new if name not in before)
    removed = tuple(f"{name} is removed" for name in before if name not in after)
    retyped = tuple(
        f"{name} was {kind} and is {after[name]}"
        for name, kind in before.items()
        if name in after and after[name] != kind
    )
    return added, (*removed, *retyped)


def refuse_changed(product: ProductName, written: Columns, wanted: Columns) -> None:
    """Raise WrongColumns if files came out with other types than were asked for."""
    kinds: Mapping[str, str] = dict(written)
    mistyped = tuple(
        f"{name} was stored as {kinds.get(name, 'nothing')}, the query has {kind}"
        for name, kind in wanted
        if kinds.get(name) != kind
    )
    if mistyped:
        raise WrongColumns(product=product, missing=(), unexpected=(), mistyped=mistyped)


def _unstorable(kind: str) -> bool:
    return UNSTORABLE.search(kind) is not None
