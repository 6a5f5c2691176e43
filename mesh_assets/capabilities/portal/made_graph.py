"""The picture of one version: the exact versions that it was made from, and who uses the product now.

Here: what certificates say. Not here: what recipes name now (graphs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh_assets.capabilities.portal.address import of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.capabilities.portal.drawn import Node, draw_graph
from mesh_assets.capabilities.portal.graphs import MOST, Link, Picture, closure, product_node, source_node
from mesh_assets.capabilities.portal.looks import NONE, Look
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version

EARLIER = Look(NONE, "◌", "an earlier version")
At = tuple[ProductName, int]


def made_graph(
    catalog: Catalog, version: Version, way: Iterable[Version], link: Link, *, users: bool
) -> Picture:
    """`way`: every version that it was made from, directly or not. `users`: with what is made from it now."""
    known = {(each.product, each.number): each for each in (version, *way)}
    this, name = (version.product, version.number), version.product
    read = {at: _read(known, at) for at in known if not at[0].private}
    shown = _reached(read, this)
    nodes = [_node(catalog, at, link, "self" if at == this else "up") for at in sorted(shown)]
    edges = [(_key(need), _key(at)) for at in shown for need in read.get(at, ([], []))[0]]
    sources = {(source, _key(at)) for at in shown for source in read.get(at, ([], []))[1]}
    nodes += [source_node(key) for key in sorted({key for key, _ in sources})]
    edges += [(f"source {key}", user) for key, user in sorted(sources)]
    down = closure(catalog, name, up=False) if users else set()
    if len(nodes) + len(down) > MOST:
        down &= catalog.documents.users.get(name, frozenset())
    nodes += [product_node(catalog, each, link, "down") for each in sorted(down)]
    for each in sorted(down):
        needs = catalog.documents.needs.get(each, ())
        edges += [(str(need), str(each)) for need in needs if need in down]
        edges += [(_key(this), str(each))] if name in needs else []
    told = f"What {name} version {version.number} was made from" + (", and who uses it" if users else "")
    return Picture(draw_graph(nodes, sorted(set(edges)), told), len(nodes))


def _read(known: Mapping[At, Version], at: At) -> tuple[list[At], list[str]]:
    """The versions and the sources that a version read, through what is private to its domain."""
    inputs, sources = [], []
    waiting, seen = [at], {at}
    while waiting:
        version = known.get(waiting.pop())
        if version is None:
            continue
        sources += [f"{version.product.domain}.{each.name}" for each in version.certificate.sources]
        for each in version.certificate.inputs:
            need = (each.product, each.number)
            if not each.product.private:
                inputs.append(need)
            elif need not in seen:
                seen.add(need)
                waiting.append(need)
    return inputs, sources


def _reached(read: Mapping[At, tuple[list[At], list[str]]], start: At) -> set[At]:
    found, waiting = {start}, [start]
    while waiting:
        for need in read.get(waiting.pop(), ([], []))[0]:
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found


def _key(at: At) -> str:
    return f"{at[0]}@{at[1]}"


def _node(catalog: Catalog, at: At, link: Link, mark: str) -> Node:
    """A version; it looks as its product does while it is the one that readers see."""
    name, number = at
    head = catalog.heads.get(name)
    look = look_of(catalog.facts.get(name)) if head and head.number == number else EARLIER
    href = link(of_product(name, "with", number).path) if catalog.knows(name) else ""
    told = f"{name}, version {number}: {look.word}"
    return Node(_key(at), name.product, f"{name.domain} v{number}", look, href, mark, told)
