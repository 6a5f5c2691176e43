"""What a kitchen has shown of a change by making it: which columns came out different, and where nothing did.

Here: proofs for an impact. Not here: judging by text (lineage), making (running).

A proof is of the data that the kitchen reads. It stands while a run of the kitchen would have nothing to do
for the product, and for all that it is made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from mesh_assets.capabilities.kitchens.crossing import Crossing, crossing
from mesh_assets.capabilities.kitchens.projections import projection
from mesh_assets.capabilities.kitchens.pruning import changed_code, moved_inputs, unread
from mesh_assets.capabilities.kitchens.raw import moved_since_pin, told_moved
from mesh_assets.capabilities.kitchens.touched import code_changed
from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lineage.impact import Columns, Proof
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version


def proofs(sides: Crossing, tree: Mesh) -> dict[ProductName, Proof]:
    """Of the stored assets of `tree`, as far as the kitchen has made them, or knows that it need not.

    `tree` may be another working tree than the kitchen's: what differs there, and all that is made from it,
    is not proved.
    """
    mesh = read_mesh(sides.here)
    other = {name for name in code_changed(mesh, tree) if name in tree.assets}
    doubted = set(tree.downstream(other)) | other
    found: dict[ProductName, Proof] = {}
    for name in in_order(mesh, [each for each in mesh.assets if mesh.assets[each].in_lake]):
        asset = mesh.assets[name]
        needs = lake_inputs(mesh.domains[name.domain], asset)
        if name in tree.assets and name not in doubted and all(need in found for need in needs):
            proof = _proof(sides, mesh, asset)
            if proof is not None:
                found[name] = proof
    return found


def _proof(sides: Crossing, mesh: Mesh, asset: Asset) -> Proof | None:
    head = sides.own.head(asset.name)
    workshop = _workshop(sides, mesh, asset)
    try:
        if head is None or changed_code(workshop, asset):
            return None
        moves = moved_inputs(workshop, asset)
        if not all(unread(workshop, mesh, asset, move) for move in moves.values()):
            return None
    except MeshError:
        return None
    by = f"kitchen {sides.name}"
    if head.stored:
        return Proof(frozenset(), by)
    files = moved_since_pin(sides.own, asset.name, head)
    by += f", whose sources moved: {told_moved(files)}" if files else ""
    return Proof(_different(sides.here, sides.taken(asset.name), head), by)


def _different(settings: Settings, before: Version | None, after: Version) -> Columns:
    """Columns that came out different, where all others together are as they were; None if they are not."""
    if before is None:
        return None
    if before.fingerprint == after.fingerprint:
        return frozenset()
    with closing(connect(settings)) as con:
        sides = [rows_of_version(settings, each) for each in (before, after)]
        old, new = (
            {str(name): str(kind) for name, kind, *_ in con.execute(f"DESCRIBE {sql}").fetchall()}
            for sql in sides
        )
        shared = {name: kind for name, kind in old.items() if new.get(name) == kind}
        alone = [projection((name,), shared) for name in shared]
        values = [
            con.execute(f"SELECT {', '.join(['count(*)', *alone])} FROM ({sql})").fetchone() for sql in sides
        ]
        assert values[0] is not None and values[1] is not None
        pairs = zip(["", *shared], values[0], values[1], strict=True)
        moved = {name for name, one, two in pairs if one != two}
        rest = projection(tuple(name for name in shared if name not in moved), shared)
        kept = [con.execute(f"SELECT {rest} FROM ({sql})").fetchone() for sql in sides]
    if "" in moved or kept[0] != kept[1]:
        return None
    return frozenset(moved | {name for name in {*old, *new} if name not in shared})


def _workshop(sides: Crossing, mesh: Mesh, asset: Asset) -> Workshop:
    """For asking what is stale; it builds nothing."""
    return Workshop(
        settings=sides.here,
        registry=sides.own,
        domain=mesh.domains[asset.name.domain],
        run_id="proofs",
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([asset.name]),
    )


def proofs_of(settings: Settings, name: str, tree: Mesh) -> Mapping[ProductName, Proof]:
    """The proofs of a kitchen, by its name; raises UnknownKitchen."""
    with crossing(settings, name) as sides:
        return proofs(sides, tree)
