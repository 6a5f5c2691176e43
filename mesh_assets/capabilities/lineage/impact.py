"""What a change of code and contracts touches: two states of a mesh, column by column.

Here: the verdict by the text of recipes and contracts, and what data have proved instead. Not here: where the
two states are from (revisions), telling it (cli).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.compare import Change, compare
from mesh_assets.capabilities.contracts.model import Contract, Source
from mesh_assets.capabilities.lineage.columns import (
    ColumnLineage,
    How,
    column_lineage,
    relation_of_asset,
)
from mesh_assets.capabilities.lineage.model import Asset, Mesh, RecipeKind
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.relations import Relation

#: Columns whose joint projection may differ; None: any of them, and the rows.
Columns = frozenset[str] | None
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """A mesh as its files say, and the settings that they were read with."""

    settings: Settings
    mesh: Mesh


@dataclass(frozen=True)
class Proof:
    """What making a product on both states has shown."""

    #: Columns that came out different; nothing: the same data. None: rows, or all of it.
    columns: Columns
    #: Where it was shown, e.g. `kitchen try`.
    by: str


@dataclass(frozen=True)
class Touched:
    """One asset that is to be made again."""

    product: ProductName
    #: `code`, `contract`, `input`, `audit` (its data stay, its rules read what changed), `new`.
    why: tuple[str, ...]
    #: Its columns that may change.
    columns: Columns
    #: Constructs and gaps by which the verdict is wider, or worth less, than the change.
    unsafe: tuple[str, ...] = ()
    #: "" for a verdict by text.
    proved_by: str = ""

    @property
    def told(self) -> str:
        return f"proved by data ({self.proved_by})" if self.proved_by else "inferred"


@dataclass(frozen=True)
class ContractChange:
    product: ProductName
    before: str
    after: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Impact:
    touched: tuple[Touched, ...] = ()
    #: Downstream of a change by table, and not by any column that it reads.
    spared: tuple[ProductName, ...] = ()
    removed: tuple[ProductName, ...] = ()
    contracts: tuple[ContractChange, ...] = ()
    #: (product, consuming domain or "", rule): rules over columns that may change.
    rules: tuple[tuple[ProductName, str, str], ...] = ()
    #: Domains that own nothing that was changed, and products of which are touched -> owners.
    consumers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def impact(before: State, after: State, *, proved: Mapping[ProductName, Proof] | None = None) -> Impact:
    """Everything that a change touches, in the order in which it would be made."""
    found = _Touching(before, after, dict(proved or {}))
    for name in in_order(after.mesh, list(after.mesh.assets)):
        if after.mesh.assets[name].in_lake:
            found.look_at(name)
    touched = tuple(found.touched.values())
    own = {each.product for each in touched if set(each.why) & {"code", "contract", "new"}}
    reached = {name for name in after.mesh.downstream(own) if after.mesh.assets[name].in_lake}
    removed = [
        name for name, asset in before.mesh.assets.items() if name not in after.mesh.assets and asset.in_lake
    ]
    return Impact(
        touched=touched,
        spared=tuple(sorted(reached - set(found.touched))),
        removed=tuple(sorted(removed)),
        contracts=_contract_changes(before.mesh, after.mesh),
        rules=_rules_at_risk(after.mesh, touched),
        consumers=_consumers(after.mesh, own, [each.product for each in touched]),
    )


class _Touching:
    """The columns that may change of each asset looked at so far."""

    def __init__(self, before: State, after: State, proved: dict[ProductName, Proof]) -> None:
        self.before, self.after, self.proved = before, after, proved
        self.changed: dict[ProductName, Columns] = {}
        #: Columns that are new, by which a bare name could come to mean another column.
        self.appeared: dict[ProductName, frozenset[str]] = {}
        self.touched: dict[ProductName, Touched] = {}

    def look_at(self, name: ProductName) -> None:
        lineage = column_lineage(self.after.settings, self.after.mesh, name)
        why, columns, unsafe = self._own_change(name)
        by_input, more = self._by_inputs(name, lineage)
        why += by_input
        columns = None if columns is None or more is None else columns | more
        if not why:
            return
        proof = self.proved.get(name)
        if proof is not None:
            columns = proof.columns
        if columns is None or columns:
            self.changed[name] = columns
        unsafe = () if proof is not None else (*unsafe, *(lineage.unsafe if columns is None else ()))
        by = proof.by if proof is not None else ""
        self.touched[name] = Touched(name, tuple(why), columns, tuple(dict.fromkeys(unsafe)), by)

    def _own_change(self, name: ProductName) -> tuple[list[str], Columns, tuple[str, ...]]:
        old, new = self.before.mesh.assets.get(name), self.after.mesh.assets[name]
        if old is None:
            return ["new"], None, ()
        why: list[str] = []
        columns, unsafe = self._code_change(old, new)
        if _sources(self.before.mesh, old) != _sources(self.after.mesh, new):
            columns, unsafe = None, ("a source that is delivered in another way",)
        if columns is None or columns:
            why.append("code")
        was, is_now = (each.contract for each in (old, new))
        if was is not None and is_now is not None:
            types = {each.name: each.physical_type for each in was.columns}
            after = {each.name: each.physical_type for each in is_now.columns}
            moved = {each for each in {*types, *after} if types.get(each) != after.get(each)}
            self.appeared[name] = frozenset(each.lower() for each in set(after) - set(types))
            columns = None if columns is None else columns | moved
            if _keeps_other_rows(was, is_now):
                columns = None
            if was.raw != is_now.raw or _meant(old.expectations) != _meant(new.expectations):
                why.append("contract")
        return why, columns, unsafe

    def _code_change(self, old: Asset, new: Asset) -> tuple[Columns, tuple[str, ...]]:
        """Columns of a recipe that differ by their text; the same text over the same names is no change."""
        if _code(self.before, old) == _code(self.after, new):
            return NOTHING, ()
        one, two = _relation(self.before, old), _relation(self.after, new)
        if one is None or two is None:
            return None, ("a change of code that is not read column by column",)
        return changed_columns(one, two), tuple(dict.fromkeys((*one.unsafe, *two.unsafe)))

    def _by_inputs(self, name: ProductName, lineage: ColumnLineage) -> tuple[list[str], Columns]:
        from mesh_assets.capabilities.lineage.relations import ANY, ROWS

        hits: set[tuple[str, str]] = set()
        whole = False
        for need, read in lineage.reads.items():
            if need not in self.changed:
                continue
            moved = self.changed[need]
            captured = self.appeared.get(need, NOTHING) & lineage.watches.get(need, NOTHING)
            whole = whole or read is None or bool(captured)
            if moved is None:
                hits |= {(str(need), ROWS)}
            elif read is not None:
                hits |= {(str(need), each.lower()) for each in read & moved}
            hits |= {(str(need), ANY)} if read is None else set()
        if not hits and not whole:
            return [], NOTHING
        relation = _relation(self.after, self.after.mesh.assets[name]) if lineage.how is How.PARSED else None
        if relation is None or (whole and not hits):
            return ["input"], None
        columns = touched_columns(relation, frozenset(hits))
        return (["input"] if columns is None or columns else ["audit"]), columns


def changed_columns(old: Relation, new: Relation) -> Columns:
    """Columns whose joint projection may differ between two queries over the same inputs."""
    from mesh_assets.capabilities.lineage.relations import UNKNOWN

    if old.rows.digest != new.rows.digest or UNKNOWN in {*old.columns, *new.columns}:
        same = old.rows.digest == new.rows.digest and old.columns == new.columns
        return NOTHING if same else None
    names = {*old.columns, *new.columns}
    return frozenset(name for name in names if old.columns.get(name) != new.columns.get(name))


def touched_columns(relation: Relation, hits: frozenset[tuple[str, str]]) -> Columns:
    """Columns of a query that need one of these columns of its inputs; None where its rows do."""
    from mesh_assets.capabilities.lineage.relations import ANY, ROWS, UNKNOWN

    whole = {table for table, column in hits if column == ROWS}
    if relation.rows.needs & hits or _tables(relation.rows.needs) & whole:
        return None
    over = hits | {(table, ANY) for table in _tables(hits)}
    found = [name for name, facts in relation.columns.items() if facts.needs & over]
    return None if UNKNOWN in found else frozenset(found)


def _tables(needs: frozenset[tuple[str, str]]) -> set[str]:
    return {table for table, _ in needs}


def _relation(state: State, asset: Asset) -> Relation | None:
    if asset.recipe.kind not in (RecipeKind.SQL, RecipeKind.DBT):
        return None
    from mesh_assets.capabilities.lineage.queries import NotUnderstood
    from mesh_assets.capabilities.lineage.rendered import NotRendered

    try:
        return relation_of_asset(state.settings, state.mesh, asset.name)
    except (NotUnderstood, NotRendered):
        return None


def _code(state: State, asset: Asset) -> str:
    """One digest over the files that make an asset, the same wherever they lie."""
    digest = hashlib.sha256(repr((asset.recipe.inputs, asset.recipe.sources, asset.recipe.columns)).encode())
    for each in through_private_models(state.mesh.domains[asset.name.domain], asset):
        for path in sorted(set(each.recipe.code), key=lambda path: (path.name, str(path))):
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(mesh: Mesh, asset: Asset) -> list[Source | None]:
    """What an asset's sources are, wherever domain.yaml says so."""
    domain = mesh.domains[asset.name.domain]
    chain = through_private_models(domain, asset)
    found = [domain.domain.source(name) for each in chain for name in each.recipe.sources]
    return [replace(each, place=None) if each else None for each in found]


def _meant(rules: Sequence[Rule]) -> list[Rule]:
    """Rules without the places where they are written: those are two trees' own."""
    return [replace(rule, place=None) for rule in rules]


def _keeps_other_rows(old: Contract, new: Contract) -> bool:
    """True if two contracts cut a product, or set rows aside, in different ways."""
    if new.partitioning is not None and old.partitioning is not None:
        cuts = [replace(each.partitioning, files=None) for each in (old, new) if each.partitioning]
        if cuts[0] != cuts[1]:
            return True
    elif old.partitioning != new.partitioning:
        return True
    said = [[(rule.id, rule.kind, dict(rule.arguments)) for rule in each.rules] for each in (old, new)]
    return old.quarantine != new.quarantine or bool(new.quarantine and said[0] != said[1])


def _contract_changes(before: Mesh, after: Mesh) -> tuple[ContractChange, ...]:
    found = []
    for name in sorted({*before.assets} & {*after.assets}):
        old, new = before.assets[name].contract, after.assets[name].contract
        changes = compare(old, new) if old and new and old.raw != new.raw else ()
        if old and new and changes:
            found.append(ContractChange(name, old.version, new.version, changes))
    return tuple(found)


def _rules_at_risk(mesh: Mesh, touched: tuple[Touched, ...]) -> tuple[tuple[ProductName, str, str], ...]:
    return tuple(
        (each.product, rule.expected_by or "", rule.id)
        for each in touched
        for rule in mesh.assets[each.product].rules
        if each.columns is None or not rule.columns or set(rule.columns) & each.columns
    )


def _consumers(mesh: Mesh, own: set[ProductName], touched: list[ProductName]) -> dict[str, tuple[str, ...]]:
    changed = {name.domain for name in own}
    return {
        domain: tuple(person.name for person in mesh.domains[domain].domain.owners)
        for domain in sorted({name.domain for name in touched} - changed)
    }
