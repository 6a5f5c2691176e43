"""The order of operations: what can be built now, given what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter

from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.capabilities.lineage.through import lake_inputs
from mesh_assets.words.errors import DocumentMalformed, MeshError, UnknownProduct
from mesh_assets.words.names import ProductName, product_name


def in_order(mesh: Mesh, names: Collection[ProductName]) -> list[ProductName]:
    """The names so that each stands after all that it needs; equal ranks by name, so the order is stable."""
    wanted = set(names)
    graph = {name: {need for need in needs_of(mesh, name) if need in wanted} for name in sorted(wanted)}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise _cycle_told(mesh, error) from None
    ordered: list[ProductName] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(ready)
        sorter.done(*ready)
    return ordered


def ready_batch(
    mesh: Mesh, *, domain: str, waiting: Collection[ProductName], unfinished: Collection[ProductName]
) -> list[ProductName]:
    """What of `domain` can be built in one run now: nothing that it needs, outside the batch, is
    unfinished.
    """
    batch: list[ProductName] = []
    mine = in_order(mesh, [name for name in waiting if name.domain == domain])
    for name in mine:
        if all(need in batch or need not in unfinished for need in needs_of(mesh, name)):
            batch.append(name)
    return batch


def needs_of(mesh: Mesh, name: ProductName) -> set[ProductName]:
    """What an asset needs, private dbt models and what they need included."""
    asset = mesh.assets[name]
    return {*asset.needs, *lake_inputs(mesh.domains[name.domain], asset)}


def select(mesh: Mesh, selection: Iterable[str]) -> list[ProductName]:
    """Names from what a person wrote: `hcp` (a domain), `hcp.hcp_master`, `+x` (and upstream), `x+` (and
    downstream).
    """
    chosen: set[ProductName] = set()
    for text in selection:
        bare = text.strip().strip("+")
        names = _named(mesh, bare)
        if text.strip().startswith("+"):
            names = mesh.upstream(names)
        if text.strip().endswith("+"):
            names = names | mesh.downstream(names)
        chosen |= names
    return sorted(chosen)


def _named(mesh: Mesh, text: str) -> set[ProductName]:
    if text in ("*", "all"):
        return set(mesh.assets)
    if text in mesh.domains:
        return {asset.name for asset in mesh.domains[text].assets}
    if "." not in text and "/" not in text:
        raise UnknownProduct(name=text, near=tuple(sorted(mesh.domains)))
    return {mesh.asset(product_name(text)).name}


def _cycle_told(mesh: Mesh, error: CycleError) -> MeshError:
    names: list[ProductName] = list(error.args[1])
    place = mesh.assets[names[0]].recipe.place
    path = " -> ".join(str(name) for name in reversed(names))
    return DocumentMalformed(
        file=place.file,
        line=place.line,
        problem=f"these products need each other in a circle: {path}",
        remedy="Take one of these inputs away",
    )
