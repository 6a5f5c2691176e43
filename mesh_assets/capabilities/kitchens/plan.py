"""What a promotion would do, and whether it may: heads, keys and rules of the merged state.

Here: everything that is known before a file moves. Not here: moving (landing), making anew what moved
(rebase).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mesh_assets.capabilities.kitchens.crossing import Crossing
from mesh_assets.capabilities.kitchens.mended_rows import both_corrected
from mesh_assets.capabilities.kitchens.merged import Together
from mesh_assets.capabilities.kitchens.projections import reads_the_same
from mesh_assets.capabilities.kitchens.pruning import changed_code
from mesh_assets.capabilities.kitchens.raw import moved_by_now, told_moved
from mesh_assets.capabilities.kitchens.touched import code_changed
from mesh_assets.capabilities.lineage.columns import column_lineage
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.keys import stale_partitions
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.reaudit import reaudit
from mesh_assets.capabilities.publishing.settled import promises
from mesh_assets.capabilities.publishing.stale import (
    asked_partitions,
    find_sources,
    keys_now,
    known_keys,
    read_heads,
    source_versions,
    stale_now,
)
from mesh_assets.capabilities.publishing.supply import supply_now
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import MergedBroken
from mesh_assets.words.rules import Verdict, products_of
from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Piece:
    """One product that a promotion moves."""

    version: Version
    #: The other side's version that it takes the place of, None for a new product.
    before: Version | None
    #: Keys of the merged state, as far as the content is what they stand for.
    keys: Mapping[str, str]
    #: What the rules say of it beside what else will be shown; None: what the kitchen's audit said.
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Plan:
    """What would move, and what stands against it."""

    pieces: Mapping[ProductName, Piece]
    #: Products that code of the merge makes in another way than before.
    code: frozenset[ProductName]
    #: What was read on the other side and has to be there still.
    reads: Mapping[ProductName, int]
    #: Products that stay, with keys of the merged state for which they are known to be the same.
    equal: Mapping[ProductName, Mapping[str, str]] = field(default_factory=dict)
    #: To be made in the kitchen first: product -> why.
    stale: Mapping[ProductName, str] = field(default_factory=dict)
    #: The other side moved under the kitchen: product -> who, when.
    moved: Mapping[ProductName, str] = field(default_factory=dict)


def make_plan(crossing: Crossing, state: Together, *, repair: bool = False) -> Plan:
    """Look at every product that the kitchen's change can reach. A repair is data that the code of now would
    not make: its inputs have to be the same, and its keys are held.
    """
    now = read_mesh(crossing.there)
    code = code_changed(now, state.mesh) if state.commit else frozenset()
    made = {name: version for name, version in state.view.brought.items() if name in state.mesh.assets}
    reached = state.mesh.downstream({*made, *(name for name in code if name in state.mesh.assets)})
    plan = _Plan(crossing, state, _Sides(now, code), repair=repair)
    for name in in_order(state.mesh, [each for each in reached if state.mesh.assets[each].in_lake]):
        plan.look_at(state.mesh.assets[name])
    return Plan(plan.pieces, code, plan.reads, plan.equal, plan.stale, plan.moved)


@dataclass(frozen=True)
class _Sides:
    """The other side's code of now, and what the merge makes in another way."""

    now: Mesh
    code: frozenset[ProductName]


class _Plan:
    def __init__(self, crossing: Crossing, state: Together, sides: _Sides, *, repair: bool) -> None:
        self.crossing, self.state, self.repair = crossing, state, repair
        self.now, self.code = sides.now, sides.code
        self.pieces: dict[ProductName, Piece] = {}
        self.reads: dict[ProductName, int] = {}
        self.equal: dict[ProductName, Mapping[str, str]] = {}
        self.stale: dict[ProductName, str] = {}
        self.moved: dict[ProductName, str] = {}

    def look_at(self, asset: Asset) -> None:
        name, view = asset.name, self.state.view
        workshop = self.state.workshop(name.domain, frozenset([name]))
        try:
            now = _keys(workshop, asset)
        except MeshError as error:
            self.stale[name] = str(error)
            return
        stale = stale_partitions(now, known_keys(workshop, asset))
        if name in view.brought:
            self._brought(workshop, asset, now, stale)
        elif name in view.standing:
            self._left(workshop, asset, now, stale)
        elif stale:
            self.stale[name] = "its code is another" if name in self.code else "it reads what is another"

    def _brought(
        self, workshop: Workshop, asset: Asset, now: Mapping[str, str], stale: tuple[str, ...]
    ) -> None:
        name, view = asset.name, self.state.view
        version, before, base = view.brought[name], view.standing.get(name), self.crossing.taken(name)
        if (before.number if before else None) != (base.number if base else None):
            self.moved[name] = _who(self.crossing, name)
            return
        if told := both_corrected(self.crossing, name):
            self.moved[name] = told
            return
        to_come: tuple[str, ...] = ()
        if self.repair:
            if self._moved_inputs(version):
                self._blame(asset, version)
                return
            now = {part: key for part, key in now.items() if part in version.certificate.input_keys}
        elif stale and not self._same_inputs(workshop, asset, version, stale):
            if files := moved_by_now(workshop.settings, workshop.domain.domain, version):
                self.moved[name] = f"{name} was made from files that are others now: {told_moved(files)}"
                return
            if not self._delivered_since(workshop, asset, version, stale):
                self._blame(asset, version)
                return
            to_come = stale
        keys = {part: key for part, key in now.items() if part not in to_come}
        self._read(workshop, asset)
        piece = Piece(version, before, {**version.certificate.input_keys, **keys})
        if before is not None and _nothing_new(piece, before):
            self.equal[name] = piece.keys
        else:
            self.pieces[name] = piece

    def _left(self, workshop: Workshop, asset: Asset, now: Mapping[str, str], stale: tuple[str, ...]) -> None:
        """A product that stays: is it the change that makes it stale? Where it is known to come out the same,
        that is put on record, partition by partition: new deliveries of others do not stand against it.
        """
        name, head = asset.name, self.state.view.standing[asset.name]
        changed = name in self.code
        if not changed and not {*self.state.view.brought, *self.code}.intersection(asset.needs):
            return
        behind = () if changed or not stale else self._behind(name)
        ours = tuple(part for part in stale if part not in behind)
        if ours and (changed or not self._same_inputs(workshop, asset, head, ours)):
            self.stale[name] = "its code is another" if changed else "it reads what is another"
            return
        settled = {part: key for part, key in now.items() if part not in stale or part in ours}
        theirs = replace(workshop, registry=_Theirs(self.state))  # type: ignore[arg-type]
        if stale_partitions(settled, known_keys(theirs, asset)):
            self.equal[name] = settled
            self._read(workshop, asset, [name])

    def _behind(self, name: ProductName) -> tuple[str, ...]:
        """Partitions that the other side would make now, with or without the kitchen."""
        asset = self.now.assets.get(name)
        if asset is None:
            return ()
        workshop = Workshop(
            settings=self.crossing.there,
            registry=self.crossing.theirs,
            domain=self.now.domains[name.domain],
            run_id=self.state.run_id,
            who="",
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=frozenset([name]),
        )
        return stale_now(workshop, asset)

    def _delivered_since(
        self, workshop: Workshop, asset: Asset, version: Version, stale: tuple[str, ...]
    ) -> bool:
        """Made by this code from these inputs, and files came afterwards: the other side makes them, as it
        would have without the kitchen.
        """
        if changed_code(workshop, asset) or not self._reads_the_same(workshop, asset, version):
            return False
        return asset.name not in self.state.view.standing or set(stale) <= set(self._behind(asset.name))

    def _same_inputs(
        self, workshop: Workshop, asset: Asset, version: Version, stale: tuple[str, ...]
    ) -> bool:
        """Every input that moved is the same in the columns that are read; whatever else moved is not."""
        as_read = {name: found for name, found in self._as_read(version).items() if found is not None}
        if set(as_read) != set(read_heads(workshop, asset)):
            return False
        before = _keys(workshop, asset, as_read)
        known = [version.certificate.input_keys, *known_keys(workshop, asset)]
        if any(part not in before for part in stale) or stale_partitions(
            {part: before[part] for part in stale}, known
        ):
            return False
        return self._reads_the_same(workshop, asset, version)

    def _reads_the_same(self, workshop: Workshop, asset: Asset, version: Version) -> bool:
        """By the joint projection of each input, as it was read and as it will be."""
        as_read, inputs = self._as_read(version), read_heads(workshop, asset)
        lineage = column_lineage(self.state.settings, self.state.mesh, asset.name)
        return set(as_read) == set(inputs) and all(
            before is not None and reads_the_same(self.state.settings, lineage, before, inputs[name])
            for name, before in as_read.items()
        )

    def _as_read(self, version: Version) -> dict[ProductName, Version | None]:
        """The inputs as they were when it was made."""
        found: dict[ProductName, Version | None] = {}
        for each in version.certificate.inputs:
            where = self.crossing.own if not version.stored else self.crossing.theirs
            try:
                one = where.version(each.product, each.number).readable()
            except MeshError:
                found[each.product] = None
                continue
            there = self.crossing.there.environment
            found[each.product] = replace(one, stored=one.stored or (there if version.stored else ""))
        return found

    def _moved_inputs(self, version: Version) -> list[ProductName]:
        """What it was made from, and what is another now."""
        return [
            each.product
            for each in version.certificate.inputs
            if (head := self.state.view.head(each.product)) and head.fingerprint != each.fingerprint
        ]

    def _blame(self, asset: Asset, version: Version) -> None:
        """Who moved what it reads; if nobody did, the kitchen has to make it anew itself."""
        for name in self._moved_inputs(version):
            if name not in self.state.view.brought:
                self.moved[name] = _who(self.crossing, name)
                return
        self.stale[asset.name] = "it was made before its code, its sources or its inputs were changed"

    def _read(self, workshop: Workshop, asset: Asset, also: list[ProductName] | None = None) -> None:
        names = [*read_heads(workshop, asset), *(also or [])]
        outside = [name for name in names if name not in self.state.view.brought]
        self.reads.update({name: self.state.view.standing[name].number for name in outside})


class _Theirs:
    """The other side as it is now, in the kitchen's words."""

    def __init__(self, state: Together) -> None:
        self._state = state

    def head(self, product: ProductName, environment: str = "") -> Version | None:
        return self._state.view.standing.get(product)

    def __getattr__(self, name: str) -> object:
        return getattr(self._state.crossing.theirs, name)


def judged(plan: Plan, state: Together) -> Plan:
    """The plan with what the rules say on the merged state; raises MergedBroken.

    An audit of the kitchen counts where it held the same rows to the same rules, against the same versions.
    """
    pieces = dict(plan.pieces)
    for name, piece in plan.pieces.items():
        if not _heard(state, state.mesh.assets[name], piece.version):
            pieces[name] = replace(piece, verdict=_audited(state, name))
    for name in _judged_by_others(plan, state):
        _audited(state, name)
    return replace(plan, pieces=pieces)


def _heard(state: Together, asset: Asset, version: Version) -> bool:
    """Own rules are part of the key; what consumers expect is not."""
    others = {name for rule in asset.expected for name in products_of(rule)} - {asset.name}
    if others:
        return False
    said = {result["id"] for result in version.certificate.rule_results}
    now = promises(state.workshop(asset.name.domain), asset)
    return said == set(now) and now == dict(version.certificate.promises)


def _judged_by_others(plan: Plan, state: Together) -> list[ProductName]:
    """Products that stay, and of which a consumer expects something that names one that moves."""
    return sorted(
        asset.name
        for asset in state.mesh.assets.values()
        if asset.name not in plan.pieces and state.view.head(asset.name) is not None
        if any(name in plan.pieces for rule in asset.expected for name in products_of(rule))
    )


def _audited(state: Together, name: ProductName) -> Verdict:
    _, verdict = reaudit(state.workshop(name.domain, frozenset([name])), name)
    if verdict.stops_publication:
        rules = ", ".join(result.rule.id for result in verdict.broken)
        raise MergedBroken(kitchen=state.crossing.name, product=name, rules=rules)
    return verdict


def _keys(
    workshop: Workshop, asset: Asset, inputs: Mapping[ProductName, Version] | None = None
) -> dict[str, str]:
    """Of the partitions that could be made: what waits for a file is nobody's to make."""
    inputs = read_heads(workshop, asset) if inputs is None else inputs
    supply = supply_now(workshop, asset, inputs, asked_partitions(workshop, asset))
    files = find_sources(workshop, asset, supply.partitions) if supply.partitions else {}
    keys = keys_now(workshop, asset, inputs, source_versions(workshop, asset, files))
    return {part: key for part, key in keys.items() if part in supply.partitions}


def _nothing_new(piece: Piece, before: Version) -> bool:
    """The kitchen changed it, and changed it back."""
    own, there = piece.version.certificate, before.certificate
    return (
        own.fingerprint == there.fingerprint
        and own.contract_text == there.contract_text
        and dict(own.artifacts) == dict(there.artifacts)
        and own.quarantine.get("rows") == there.quarantine.get("rows")
    )


def _who(crossing: Crossing, name: ProductName) -> str:
    """`hcp.hcp_master is at version 7 since 2026-01-02 10:00 (ann, run …)`"""
    head = crossing.theirs.head(name)
    if head is None:
        return f"{name} is gone"
    when, by = f"{head.published:%Y-%m-%d %H:%M}", head.certificate.who
    return f"{name} is at version {head.number} since {when} UTC ({by}, run {head.run_id})"
