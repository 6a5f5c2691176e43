"""What of a product has changed in a kitchen: its code, or what it reads of inputs that the kitchen made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mesh_assets.capabilities.kitchens.projections import reads_the_same
from mesh_assets.capabilities.lineage.columns import column_lineage
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.publishing.keys import all_partitions, recipe_hash
from mesh_assets.capabilities.publishing.lineage_told import lineage_known
from mesh_assets.capabilities.publishing.settled import promises
from mesh_assets.capabilities.publishing.stale import (
    asked_partitions,
    find_sources,
    keys_now,
    known_keys,
    read_heads,
    source_versions,
)
from mesh_assets.capabilities.publishing.supply import supply_now
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.errors import MeshError, NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord, InputVersion, Version


@dataclass(frozen=True)
class Move:
    """An input that the kitchen made, since the product was made from it."""

    product: ProductName
    #: None for one that the kitchen does not know.
    before: Version | None
    after: Version


def changed_code(workshop: Workshop, asset: Asset) -> str:
    """Why the product is to be made for its own sake, "" if it is not. Sources are not looked at: what its
    base has received since is not the kitchen's change.
    """
    head = workshop.registry.head(asset.name)
    if head is None:
        return "has no version yet" if all_partitions(asset.partitioning) else ""
    said = head.certificate
    if said.recipe_hash != recipe_hash(workshop.domain, asset):
        return _unless_known(workshop, asset, "its recipe is another")
    if asset.contract is not None and asset.contract.text != said.contract_text:
        return _unless_known(workshop, asset, "its contract is another")
    own = [rule.id for rule in asset.own_rules]
    if own != [each["id"] for each in said.rule_results if not each.get("expected_by")]:
        return _unless_known(workshop, asset, "its rules are others")
    now = promises(workshop, asset)
    if said.promises and any(
        said.promises.get(rule) != now.get(rule) for rule in own if rule in said.promises
    ):
        return _unless_known(workshop, asset, "a rule says something else")
    return ""


def moved_inputs(workshop: Workshop, asset: Asset) -> dict[ProductName, Move]:
    """Inputs of the kitchen's own making that are not what the product was made from, or was found equal
    with. What its base had not caught up with at the opening is not the kitchen's change.
    """
    head = workshop.registry.head(asset.name)
    if head is None:
        return {}
    read = {each.product: each for each in head.certificate.inputs}
    found = {}
    for name in lake_inputs(workshop.domain, asset):
        now = workshop.registry.head(name)
        if now is None or now.stored or name not in read:
            continue
        if now.fingerprint != read[name].fingerprint:
            found[name] = Move(name, _version(workshop, read[name]), now)
    return found


def unread(workshop: Workshop, mesh: Mesh, asset: Asset, move: Move) -> bool:
    """True if the product reads nothing of the input that is another now."""
    if move.before is None:
        return False
    static = column_lineage(workshop.settings, mesh, asset.name)
    lineage = lineage_known(workshop.domain, static, workshop.registry.head(asset.name))
    return reads_the_same(workshop.settings, lineage, move.before, move.after)


def remember_skip(workshop: Workshop, asset: Asset, moved: Mapping[ProductName, Move]) -> None:
    """Put on record that the product was looked at and is as its inputs say, so that no build makes it.

    Only where nothing but these inputs has changed: a partition whose sources are others stays stale.
    """
    head = workshop.registry.head(asset.name)
    assert head is not None
    keys = _keys_of_skip(workshop, asset, moved)
    known = known_keys(workshop, asset)
    kept = {key: value for each in reversed(known[:2]) for key, value in each.items()}
    workshop.registry.record_build(
        BuildRecord(
            product=asset.name,
            run_id=workshop.run_id,
            outcome=BuildOutcome.UNCHANGED,
            started=datetime.now(UTC),
            seconds=0.0,
            version=head.number,
            rows=head.rows,
            message=f"skipped: it reads nothing that changed in {', '.join(map(str, sorted(moved)))}",
            details={"input_keys": {**kept, **keys}},
        )
    )


def _keys_of_skip(workshop: Workshop, asset: Asset, moved: Mapping[ProductName, Move]) -> dict[str, str]:
    """Keys of now, of partitions whose key with the inputs of before is known."""
    inputs = read_heads(workshop, asset)
    before = {name: move.before for name, move in moved.items() if move.before is not None}
    if len(before) != len(moved):
        return {}
    try:
        supply = supply_now(workshop, asset, inputs, asked_partitions(workshop, asset))
        sources = source_versions(workshop, asset, find_sources(workshop, asset, supply.partitions))
    except MeshError:
        return {}
    then = keys_now(workshop, asset, {**inputs, **before}, sources)
    now = keys_now(workshop, asset, inputs, sources)
    known = known_keys(workshop, asset)
    return {key: now[key] for key in now if any(each.get(key) == then[key] for each in known)}


def _unless_known(workshop: Workshop, asset: Asset, why: str) -> str:
    """A change of words that was made already and found to make no difference is none."""
    last = workshop.registry.last_build(asset.name)
    if last is None or last.outcome is not BuildOutcome.UNCHANGED:
        return why
    try:
        from mesh_assets.capabilities.publishing.stale import stale_now

        return why if stale_now(workshop, asset) else ""
    except MeshError:
        return why


def _version(workshop: Workshop, read: InputVersion) -> Version | None:
    """None also if its number is another one's here: both sides go on counting from the same."""
    try:
        found = workshop.registry.version(read.product, read.number)
    except NoVersion:
        return None
    return found if found.fingerprint == read.fingerprint else None
