"""Column lineage by observation: what a Python recipe asked for while it ran.

Here: the columns of what was asked for, and an observation that a certificate keeps, as lineage.
Not here: watching the recipe (publishing).

A recipe that is the same, and gets the same answers to all that it asked, asks nothing else. What it reads
after one of the answers has changed nobody can tell, so an observation is about one version, and `unsafe`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh_assets.capabilities.lineage.columns import (
    ANY_NAME,
    ColumnLineage,
    How,
    Origin,
    Reads,
    all_columns,
    origins_of,
    stored,
    with_rules,
)
from mesh_assets.capabilities.lineage.model import Asset, Mesh, RecipeKind
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.settings import Settings

#: What an observation is worth.
ONE_RUN = "observed: when what it has read changes, it may read other columns"


@dataclass(frozen=True)
class Seen:
    """What a run of a recipe asked for."""

    #: Input -> the columns that were asked for through its handle; None: all.
    columns: Reads
    #: SQL that ran in its private DuckDB; "" for something that ran without a text.
    statements: tuple[str, ...] = ()
    #: SQL of what it returned, "" where that is no SQL.
    result: str = ""
    #: Why all columns of an input count.
    why: tuple[str, ...] = ()
    #: Views that it was given, `schema.name` -> columns, in lower case.
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def observed_lineage(settings: Settings, mesh: Mesh, name: ProductName, seen: Seen) -> ColumnLineage:
    """What the recipe read in that run, never less."""
    asset = mesh.asset(name)
    if "" in seen.statements:
        return with_rules(asset, all_columns(mesh, name, "it did something in run.con that has no text"))
    reads: dict[ProductName, frozenset[str] | None] = dict(all_columns(mesh, name).reads)
    reads |= {need: seen.columns.get(need, frozenset()) for need in reads}
    columns: Mapping[str, tuple[Origin, ...]] = {}
    why = seen.why
    if seen.statements or seen.result:
        by_text, columns, more = _of_texts(settings, mesh, asset, seen)
        why += more
        for need, read in by_text.items():
            known = reads.get(need, frozenset())
            reads[need] = None if known is None or read is None else known | read
    found = ColumnLineage(name, columns=columns, reads=reads, how=How.OBSERVED, unsafe=(ONE_RUN, *why))
    return with_rules(asset, found)


def _of_texts(
    settings: Settings, mesh: Mesh, asset: Asset, seen: Seen
) -> tuple[dict[ProductName, frozenset[str] | None], Mapping[str, tuple[Origin, ...]], tuple[str, ...]]:
    from mesh_assets.capabilities.lineage.queries import NotUnderstood
    from mesh_assets.capabilities.lineage.relations import table
    from mesh_assets.capabilities.lineage.statements import reads_of, relation_over

    texts = [*seen.statements, *([seen.result] if seen.result else [])]
    names = {str(need).lower(): need for need in asset.inputs}
    promised = {low: stored(settings, mesh, mesh.assets[need]) for low, need in names.items()}
    inputs = {name: table(str(names.get(name, name)), columns) for name, columns in seen.tables.items()}
    inputs |= {name: each for name, each in promised.items() if each.known or name not in inputs}
    found, why = reads_of(texts, inputs)
    reads = {
        names[low]: _spelled(mesh, names[low], columns) for low, columns in found.items() if low in names
    }
    try:
        columns = origins_of(mesh, asset, relation_over(seen.result, inputs), names) if seen.result else {}
    except NotUnderstood:
        columns = {}
    return reads, columns, why


def _spelled(mesh: Mesh, name: ProductName, columns: frozenset[str] | None) -> frozenset[str] | None:
    contract = mesh.assets[name].contract
    written = {each.name.lower(): each.name for each in (contract.columns if contract else ())}
    return None if columns is None else frozenset(written.get(each, each) for each in columns)


def with_observation(known: ColumnLineage, asset: Asset, told: Mapping[str, Any]) -> ColumnLineage:
    """The lineage as a certificate of the same recipe has observed it; what is known without stays."""
    if (
        known.how is not How.ALL
        or asset.recipe.kind is not RecipeKind.PYTHON
        or told.get("how") != "observed"
    ):
        return known
    reads = {
        product_name(name): None if columns is None else frozenset(columns)
        for name, columns in told["reads"].items()
    }
    if set(reads) != set(known.reads):
        return known
    return replace(
        known,
        columns={own: tuple(map(_origin, origins)) for own, origins in told["columns"].items()},
        reads=reads,
        how=How.OBSERVED,
        unsafe=tuple(told["unsafe"]),
        watches=dict.fromkeys(reads, frozenset((ANY_NAME,))),
    )


def _origin(text: str) -> Origin:
    domain, product, column = text.split(".", 2)
    return Origin(product_name(f"{domain}.{product}"), column)
