"""The lineage pictures: domains, domains opened to their products, a product's ways up and down, columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mesh_assets.capabilities.portal.address import Address, of_product
from mesh_assets.capabilities.portal.catalog import Catalog
from mesh_assets.capabilities.portal.drawn import Node, draw_graph
from mesh_assets.capabilities.portal.folding import MANY, Fold, fold
from mesh_assets.capabilities.portal.lineage_query import LineageQuery
from mesh_assets.capabilities.portal.looks import BAD, NONE, WARN, Look, of_domain, worst
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
    #: Domains that share a node with others.
    folded: int = 0


def domain_graph(catalog: Catalog, link: Link, asked: LineageQuery, *, near: bool = False) -> Picture:
    """Every domain as a node, those that are opened as their products; of many, the rest of each layer as one
    node that unfolds. `near`: of many, only what is opened and its neighbours.
    """
    between = _between(catalog)
    looks = {name: of_domain(health) for name, health in catalog.health.items()}
    folds: list[Fold] = []
    left_out: set[str] = set()
    if near and len(looks) > MANY:
        left_out = (
            set(looks)
            - asked.opened
            - {name for edge in between if set(edge) & asked.opened for name in edge}
        )
    elif not asked.whole:
        unwell = {name for name, look in looks.items() if look.tone in (WARN, BAD)}
        folds = fold(looks, between, opened=asked.opened, unwell=unwell, unfolded=asked.unfolded)
    within = {name: each.key for each in folds for name in each.names}
    away = {*asked.opened, *within, *left_out}
    nodes = [_domain_node(catalog, domain, link) for domain in catalog.health if domain not in away]
    nodes += [
        product_node(catalog, name, link)
        for each in sorted(asked.opened)
        for name in catalog.products_of(each)
    ]
    nodes += [
        _fold_node(each, looks, link(f"/-/lineage{asked.unfolding(each.layer).text}")) for each in folds
    ]
    edges = _edges(catalog, asked.opened, within, {node.key for node in nodes})
    svg = draw_graph(nodes, edges, "Lineage of the mesh, from sources on the left", asked.zoom)
    return Picture(svg, len(nodes), len(left_out), folded=len(within))


def _between(catalog: Catalog) -> set[tuple[str, str]]:
    """Which domain needs which."""
    return {
        (need.domain, name.domain)
        for name, needs in catalog.documents.needs.items()
        for need in needs
        if need.domain != name.domain and need.domain in catalog.health
    }


def _edges(
    catalog: Catalog, opened: Collection[str], within: Mapping[str, str], shown: Collection[str]
) -> list[tuple[str, str]]:
    """Between what is shown: products of opened domains, domains, and nodes that stand for several."""
    place = {
        name: str(name) if name.domain in opened else within.get(name.domain, name.domain)
        for name in catalog.mesh.assets
    }
    edges = {
        (place[need], place[name])
        for name, needs in catalog.documents.needs.items()
        for need in needs
        if need in place
    }
    return sorted(edge for edge in edges if edge[0] != edge[1] and edge[0] in shown and edge[1] in shown)


def product_graph(catalog: Catalog, name: ProductName, link: Link, *, near: bool = False) -> Picture:
    """A product with all that it is made from and all that is made from it; `near`: its neighbours only."""
    needs = catalog.documents.needs
    up, down = closure(catalog, name, up=True), closure(catalog, name, up=False)
    every = {name, *up, *down}
    left_out = 0
    if near or len(every) > MOST:
        beside = {name, *needs.get(name, ()), *catalog.documents.users.get(name, ())}
        left_out, every = len(every) - len(beside), beside
    nodes = [
        product_node(catalog, each, link, "self" if each == name else "up" if each in up else "down")
        for each in sorted(every)
    ]
    edges = [(str(need), str(each)) for each in every for need in needs.get(each, ()) if need in every]
    sources = _sources(catalog, {name} if near else every & {name, *up})
    nodes += [source_node(key) for key in sorted({key for key, _ in sources})]
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


def _fold_node(each: Fold, looks: Mapping[str, Look], href: str) -> Node:
    counted = Counter(looks[name].word for name in each.names if looks[name].tone in (BAD, WARN, NONE))
    note = ", ".join(f"{count} {word}" for word, count in counted.most_common()) or "all good"
    title = f"{len(each.names)} {'domains' if each.alone else 'more domains'}"
    look = worst(looks[name] for name in each.names)
    return Node(each.key, title, note, look, href, "fold", told=f"Show {title} of this layer: {note}")


def source_node(key: str) -> Node:
    """A source by its domain and name."""
    domain, _, name = key.partition(".")
    return Node(f"source {key}", name, f"source of {domain}", SOURCE, mark="up")


def product_node(catalog: Catalog, name: ProductName, link: Link, mark: str = "") -> Node:
    facts = catalog.facts.get(name)
    look = look_of(facts) if facts else OUTSIDE
    version = f" v{facts.version}" if facts and facts.version else ""
    href = link(of_product(name).path) if catalog.knows(name) else ""
    told = f"{name}{version.replace(' v', ', version ')}: {look.word}"
    return Node(str(name), name.product, f"{name.domain}{version}", look, href, mark, told)


def closure(catalog: Catalog, name: ProductName, *, up: bool) -> set[ProductName]:
    beside = catalog.documents.needs if up else catalog.documents.users
    found: set[ProductName] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        for near in beside.get(each, ()):
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
