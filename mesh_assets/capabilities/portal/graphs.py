"""The lineage pictures: domains, domains opened to their products, a product's ways up and down, columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mesh_assets.capabilities.portal.address import Address, of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.capabilities.portal.drawn import Node, draw_graph
from mesh_assets.capabilities.portal.looks import NONE, Look, of_domain
from mesh_assets.capabilities.portal.looks import of_product as look_of
from mesh_assets.words.names import ProductName

Link = Callable[[str], str]
SOURCE = Look(NONE, "▭", "source")
OUTSIDE = Look(NONE, "○", "not shown to others")
#: Nodes beyond which a product's picture stops at its neighbours.
MOST = 160


@dataclass(frozen=True)
class Picture:
    """A drawing, and what is not in it."""

    svg: Markup
    nodes: int
    left_out: int = 0


def domain_graph(catalog: Catalog, link: Link, opened: Collection[str] = (), *, zoom: str = "") -> Picture:
    """Every domain as a node; those that are opened as their products."""
    place = {name: (str(name) if name.domain in opened else name.domain) for name in catalog.mesh.assets}
    nodes = [_domain_node(catalog, domain, link) for domain in catalog.health if domain not in opened]
    nodes += [_product_node(catalog, name, link) for domain in opened for name in catalog.products_of(domain)]
    shown = {node.key for node in nodes}
    edges = {
        (place[need], place[asset.name])
        for asset in catalog.mesh.assets.values()
        for need in _seen_through(catalog, asset.name)
        if need in place
    }
    kept = sorted(edge for edge in edges if edge[0] != edge[1] and set(edge) <= shown)
    svg = draw_graph(nodes, kept, "Lineage of the mesh, from sources on the left", zoom)
    return Picture(svg, len(nodes))


def product_graph(catalog: Catalog, name: ProductName, link: Link, *, near: bool = False) -> Picture:
    """A product with all that it is made from and all that is made from it; `near`: its neighbours only."""
    up, down = _closure(catalog, name, up=True), _closure(catalog, name, up=False)
    every = {name, *up, *down}
    left_out = 0
    if near or len(every) > MOST:
        beside = {name, *_seen_through(catalog, name), *_direct_users(catalog, name)}
        left_out, every = len(every) - len(beside), beside
    nodes = [
        _product_node(catalog, each, link, "self" if each == name else "up" if each in up else "down")
        for each in sorted(every)
    ]
    edges = [
        (str(need), str(each)) for each in every for need in _seen_through(catalog, each) if need in every
    ]
    sources = _sources(catalog, {name} if near else every & {name, *up})
    nodes += [
        Node(f"source {key}", key.split(".", 1)[1], f"source of {key.split('.')[0]}", SOURCE, mark="up")
        for key in sorted({key for key, _ in sources})
    ]
    edges += [(f"source {key}", str(user)) for key, user in sources]
    svg = draw_graph(nodes, sorted(set(edges)), f"What {name} is made from, and what is made from it")
    return Picture(svg, len(nodes), left_out)


def column_graph(
    catalog: Catalog,
    name: ProductName,
    origins: Mapping[str, Collection[tuple[ProductName, str]]],
    link: Link,
) -> Picture | None:
    """The product's columns on the right, those that they come from on the left; None if none is known."""
    nodes: dict[str, Node] = {}
    edges = []
    for column, comes_from in origins.items():
        key = f"{name}.{column}"
        nodes[key] = Node(key, column, name.product, look_of(catalog.facts.get(name)), mark="self")
        for product, source in comes_from:
            other = f"{product}.{source}"
            href = link(of_product(product, "how").path) if catalog.knows(product) else ""
            nodes.setdefault(
                other, Node(other, source, str(product), look_of(catalog.facts.get(product)), href, "up")
            )
            edges.append((other, key))
    if not edges:
        return None
    return Picture(
        draw_graph(list(nodes.values()), edges, f"Where the columns of {name} come from"), len(nodes)
    )


def _domain_node(catalog: Catalog, domain: str, link: Link) -> Node:
    health = catalog.health[domain]
    look = of_domain(health)
    count = f"{health.products} product{'s' if health.products != 1 else ''}"
    bad = [f"{number} {state}" for state, number in health.states if state != "warned"]
    note = ", ".join([count, *bad])
    return Node(domain, domain, note, look, link(Address(domain).path), told=f"{domain}: {look.word}; {note}")


def _product_node(catalog: Catalog, name: ProductName, link: Link, mark: str = "") -> Node:
    facts = catalog.facts.get(name)
    look = look_of(facts) if facts else OUTSIDE
    version = f" v{facts.version}" if facts and facts.version else ""
    href = link(of_product(name).path) if catalog.knows(name) else ""
    told = f"{name}{version.replace(' v', ', version ')}: {look.word}"
    return Node(str(name), name.product, f"{name.domain}{version}", look, href, mark, told)


def _seen_through(catalog: Catalog, name: ProductName) -> set[ProductName]:
    """The products that an asset needs, through what is private to its domain."""
    found: set[ProductName] = set()
    waiting, seen = [name], {name}
    while waiting:
        asset = catalog.asset(waiting.pop())
        for need in asset.needs if asset else ():
            if not need.private:
                found.add(need)
            elif need not in seen:
                seen.add(need)
                waiting.append(need)
    return found - {name}


def _direct_users(catalog: Catalog, name: ProductName) -> set[ProductName]:
    found: set[ProductName] = set()
    waiting, seen = [name], {name}
    while waiting:
        for user in catalog.users.get(waiting.pop(), ()):
            if not user.private:
                found.add(user)
            elif user not in seen:
                seen.add(user)
                waiting.append(user)
    return found - {name}


def _closure(catalog: Catalog, name: ProductName, *, up: bool) -> set[ProductName]:
    found: set[ProductName] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        for near in _seen_through(catalog, each) if up else _direct_users(catalog, each):
            if near not in found and near != name:
                found.add(near)
                waiting.append(near)
    return found


def _sources(catalog: Catalog, names: Collection[ProductName]) -> list[tuple[str, ProductName]]:
    """(domain.source, product that reads it), through private assets."""
    found = []
    for name in names:
        waiting, seen = [name], {name}
        while waiting:
            each = waiting.pop()
            asset = catalog.asset(each)
            if asset is None:
                continue
            found += [(f"{each.domain}.{source}", name) for source in asset.recipe.sources]
            for need in asset.needs:
                if need.private and need not in seen:
                    seen.add(need)
                    waiting.append(need)
    return sorted(set(found))


def counted(catalog: Catalog) -> Counter[str]:
    """How many products are in which tone, for a legend."""
    return Counter(look_of(facts).tone for facts in catalog.facts.values())
