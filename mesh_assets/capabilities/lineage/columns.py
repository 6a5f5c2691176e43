"""Which columns of which inputs a product is made from, and which of them it reads at all.

Here: the answer for any recipe, and when an input's change cannot touch a product. Not here: reading SQL
(queries), what a change of code touches (impact).

`reads` is never less than the truth. A product is a function of the *joint* projection of each input onto the
columns that it reads (as a bag of rows, no columns: the number of rows): while that is unchanged, making it
again gives the same. What cannot be told is all columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.model import Asset, Mesh, RecipeKind
from mesh_assets.capabilities.lineage.order import needs_of
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.rules import Rule
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.relations import Relation

Reads = Mapping[ProductName, frozenset[str] | None]

#: Watched by a recipe that may have looked at which columns there are.
ANY_NAME = "*"

#: Arguments of a rule that name columns of the product which it compares with.
_NAMING = ("to_column", "to_columns", "to_by")


class How(StrEnum):
    """Where the knowledge is from."""

    #: From the SQL.
    PARSED = "parsed"
    #: The recipe says so, and is given no other columns.
    DECLARED = "declared"
    #: The run that made the version asked for these columns only.
    OBSERVED = "observed"
    #: Not known: every column of every input counts as read.
    ALL = "all"


@dataclass(frozen=True, order=True)
class Origin:
    product: ProductName
    column: str

    def __str__(self) -> str:
        return f"{self.product}.{self.column}"


@dataclass(frozen=True)
class ColumnLineage:
    product: ProductName
    #: Own column -> the columns whose values it is made from. Empty where `how` is not PARSED.
    columns: Mapping[str, tuple[Origin, ...]] = field(default_factory=dict)
    #: Input (private dbt models seen through) -> columns read, those of joins, filters, groups and rules of
    #: the audit included. None: all columns, also those that are not there yet. Empty: its number of rows.
    reads: Reads = field(default_factory=dict)
    how: How = How.ALL
    #: Constructs that make a static verdict worth little, or why all columns count; () for nothing.
    unsafe: tuple[str, ...] = ()
    #: Input -> names that it has not, and that would change the meaning of the recipe if it had. ANY_NAME: so
    #: would any other columns, types or order of columns.
    watches: Mapping[ProductName, frozenset[str]] = field(default_factory=dict)


def column_lineage(settings: Settings, mesh: Mesh, name: ProductName) -> ColumnLineage:
    """What is known of an asset's columns without running it."""
    asset = mesh.asset(name)
    if asset.recipe.columns:
        found = _declared(mesh, asset)
    elif asset.recipe.kind in (RecipeKind.SQL, RecipeKind.DBT):
        found = _parsed(settings, mesh, asset)
    else:
        found = all_columns(
            mesh, name, f"a {asset.recipe.kind} recipe that does not say which columns it reads"
        )
    return with_rules(asset, found)


def all_columns(mesh: Mesh, name: ProductName, *why: str) -> ColumnLineage:
    """The answer where nothing is known."""
    needs = [need for need in sorted(needs_of(mesh, name)) if mesh.assets[need].in_lake]
    return ColumnLineage(name, reads=dict.fromkeys(needs), unsafe=why)


def relation_of_asset(settings: Settings, mesh: Mesh, name: ProductName) -> Relation:
    """What a SQL or dbt recipe yields, its stored inputs as tables. Raises NotUnderstood or NotRendered."""
    from mesh_assets.capabilities.lineage.queries import relation_of
    from mesh_assets.capabilities.lineage.relations import table, views_of_run
    from mesh_assets.capabilities.lineage.rendered import source_table, sql_of, table_of

    asset = mesh.assets[name]
    tables = {
        source_table(asset, each).lower(): table(f"{name.domain}:{each}", None)
        for each in asset.recipe.sources
    }
    tables |= views_of_run() if asset.recipe.kind is RecipeKind.SQL else {}
    for need in asset.inputs:
        other = mesh.assets[need]
        found = stored(settings, mesh, other) if other.in_lake else relation_of_asset(settings, mesh, need)
        tables[table_of(asset, need).lower()] = found
    return relation_of(sql_of(settings, asset), tables)


def decisive(
    lineage: ColumnLineage,
    producer: ProductName,
    *,
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> tuple[str, ...] | None:
    """The columns of an input whose joint projection, the same before and after, proves that the product need
    not be made again; () is its number of rows. None: no projection proves it.

    `before` and `after` are the input's columns in order with their types.
    """
    if producer not in lineage.reads:
        return None
    read = lineage.reads[producer]
    if read is None:
        return tuple(before) if list(before.items()) == list(after.items()) else None
    appeared = {name.lower() for name in after} - {name.lower() for name in before}
    watched = lineage.watches.get(producer, frozenset())
    if appeared & {name.lower() for name in watched}:
        return None
    if ANY_NAME in watched and list(before.items()) != list(after.items()):
        return None
    if any(name not in before or before[name] != after.get(name) for name in read):
        return None
    return tuple(column for column in before if column in read)


def stored(settings: Settings, mesh: Mesh, asset: Asset) -> Relation:
    """A stored asset as a table, with the columns and keys of its contract."""
    from mesh_assets.capabilities.lineage.relations import table

    contract = asset.contract
    if contract is not None:
        single = [(each.name,) for each in contract.columns if each.unique and each.required]
        keys = [each for each in (contract.key, *single) if each]
        names = [column.name.lower() for column in contract.columns]
        return table(str(asset.name), names, [frozenset(name.lower() for name in key) for key in keys])
    return table(str(asset.name), _private_columns(settings, mesh, asset))


def _private_columns(settings: Settings, mesh: Mesh, asset: Asset) -> list[str] | None:
    """Of a stored asset without a contract: the columns that its SQL names, None if it does not."""
    from mesh_assets.capabilities.lineage.queries import NotUnderstood
    from mesh_assets.capabilities.lineage.relations import ANY
    from mesh_assets.capabilities.lineage.rendered import NotRendered

    if asset.recipe.kind not in (RecipeKind.SQL, RecipeKind.DBT):
        return None
    try:
        found = relation_of_asset(settings, mesh, asset.name)
    except (NotUnderstood, NotRendered):
        return None
    return list(found.columns) if found.known and ANY not in found.columns else None


def _parsed(settings: Settings, mesh: Mesh, asset: Asset) -> ColumnLineage:
    from mesh_assets.capabilities.lineage.queries import NotUnderstood
    from mesh_assets.capabilities.lineage.relations import ANY, UNKNOWN
    from mesh_assets.capabilities.lineage.rendered import NotRendered, sql_of

    try:
        relation = relation_of_asset(settings, mesh, asset.name)
        chain = through_private_models(mesh.domains[asset.name.domain], asset)
        words = {word.lower() for each in chain for word in re.findall(r"\w+", sql_of(settings, each))}
    except (NotUnderstood, NotRendered) as error:
        return all_columns(mesh, asset.name, str(error))
    inputs = {str(need): need for need in needs_of(mesh, asset.name) if mesh.assets[need].in_lake}
    read: dict[ProductName, set[str]] = {need: set() for need in inputs.values()}
    for table, column in relation.everything().needs:
        if table in inputs:
            read[inputs[table]].add(column)
    written = _spellings(mesh, read)
    columns = origins_of(mesh, asset, relation, inputs)
    return ColumnLineage(
        asset.name,
        columns=columns,
        reads={
            need: _columns_of(names, written[need], {ANY, UNKNOWN}) for need, names in sorted(read.items())
        },
        how=How.PARSED,
        unsafe=relation.unsafe,
        watches={need: frozenset(words - set(written[need])) for need in read},
    )


def origins_of(
    mesh: Mesh, asset: Asset, relation: Relation, inputs: Mapping[str, ProductName]
) -> dict[str, tuple[Origin, ...]]:
    """Each column that a query yields, with the inputs' columns that its values are made from."""
    from mesh_assets.capabilities.lineage.relations import ANY, UNKNOWN

    written = _spellings(mesh, dict.fromkeys(inputs.values()))
    return {
        _own_spelling(asset, name): tuple(
            sorted(
                Origin(inputs[table], written[inputs[table]].get(column, column))
                for table, column in facts.needs
                if table in inputs and column not in ("", ANY, UNKNOWN)
            )
        )
        for name, facts in relation.columns.items()
        if name not in (ANY, UNKNOWN)
    }


def _columns_of(names: set[str], written: Mapping[str, str], all_of_it: set[str]) -> frozenset[str] | None:
    return None if names & all_of_it else frozenset(written.get(name, name) for name in names if name)


def _spellings(mesh: Mesh, names: Mapping[ProductName, object]) -> dict[ProductName, dict[str, str]]:
    """Product -> column in lower case -> as its contract writes it."""
    contracts = {name: mesh.assets[name].contract for name in names}
    return {
        name: {column.name.lower(): column.name for column in (contract.columns if contract else ())}
        for name, contract in contracts.items()
    }


def _own_spelling(asset: Asset, name: str) -> str:
    columns = asset.contract.columns if asset.contract else ()
    return next((column.name for column in columns if column.name.lower() == name), name)


def _declared(mesh: Mesh, asset: Asset) -> ColumnLineage:
    found = all_columns(mesh, asset.name)
    told = {name: frozenset(columns) for name, columns in asset.recipe.columns.items()}
    silent = [str(name) for name in asset.inputs if name not in told]
    why = (f"the recipe does not say which columns of {', '.join(silent)} it reads",) if silent else ()
    reads = {name: told.get(name) if name in asset.inputs else frozenset() for name in found.reads}
    return replace(found, reads=reads, how=How.DECLARED, unsafe=why)


def with_rules(asset: Asset, found: ColumnLineage) -> ColumnLineage:
    """The lineage with what the product's own rules read of others: its audit is a part of making it."""
    reads = dict(found.reads)
    for rule in asset.own_rules:
        for name, columns in _of_rule(rule).items():
            known = reads.get(name, frozenset())
            if name != asset.name:
                reads[name] = None if columns is None or known is None else known | columns
    return replace(found, reads=reads)


def _of_rule(rule: Rule) -> Reads:
    arguments = rule.arguments
    found: dict[ProductName, frozenset[str] | None] = {}
    for name in (arguments.get("product"), *arguments.get("reads", ())):
        if name:
            found[product_name(str(name))] = None
    if target := arguments.get("to_product"):
        named = [arguments[key] for key in _NAMING if arguments.get(key)]
        flat = [str(one) for each in named for one in ([each] if isinstance(each, str) else each)]
        whole = not flat or rule.kind not in ("foreign_key", "balance")
        found.setdefault(product_name(str(target)), None if whole else frozenset(flat))
    return found
