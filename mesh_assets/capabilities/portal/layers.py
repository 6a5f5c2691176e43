"""Laying out a graph from left to right: layers, few crossings, nothing on top of each other.

The way of Sugiyama, Tagawa and Toda (1981): circles opened, layers by the longest path, long edges led
through the layers between by points of their own, order within a layer by the middle of the neighbours,
swept a few times to and fro; positions by rank, a layer centred on the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8


@dataclass(frozen=True)
class Size:
    """Of a node, and of the room between two."""

    width: float = 168
    height: float = 40
    across: float = 54
    down: float = 18
    #: The height of a point by which a long edge passes a layer.
    point: float = 10


@dataclass(frozen=True)
class Layout:
    """Where nodes are (their upper left corner), the points of each edge, and the size of it all."""

    nodes: Mapping[str, tuple[float, float]]
    edges: Mapping[tuple[str, str], tuple[tuple[float, float], ...]]
    width: float
    height: float


def lay_out(names: Iterable[str], edges: Iterable[tuple[str, str]], size: Size | None = None) -> Layout:
    """Deterministic: the same graph is always the same picture."""
    size = size or Size()
    nodes, wanted = _cleaned(names, edges)
    straight = _without_circles(nodes, wanted)
    layer_of = _layers(nodes, straight)
    chains = {edge: _chain(edge, layer_of) for edge in straight}
    rows = _rows(nodes, layer_of, chains)
    _order(rows, chains)
    return _placed(rows, wanted, chains, size)


def layers_of(names: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The layer of each node, from 0 on the left, as `lay_out` would place it."""
    nodes, wanted = _cleaned(names, edges)
    return _layers(nodes, _without_circles(nodes, wanted))


def _cleaned(
    names: Iterable[str], edges: Iterable[tuple[str, str]]
) -> tuple[list[str], list[tuple[str, str]]]:
    known = set(names)
    return sorted(known), sorted({(a, b) for a, b in edges if a != b and a in known and b in known})


def _without_circles(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Edges that point backwards on a walk through the graph are turned round."""
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    state: dict[str, int] = {}
    turned: set[tuple[str, str]] = set()
    for root in nodes:
        waiting = [(root, False)]
        while waiting:
            node, done = waiting.pop()
            if done:
                state[node] = 2
                continue
            if node in state:
                continue
            state[node] = 1
            waiting.append((node, True))
            for end in reversed(after.get(node, [])):
                if state.get(end) == 1:
                    turned.add((node, end))
                elif end not in state:
                    waiting.append((end, False))
    return sorted({(b, a) if (a, b) in turned else (a, b) for a, b in edges})


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way from a beginning; then beginnings move next to what needs them."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in edges:
        before[end].append(start)
        after[start].append(end)
    left = {node: len(before[node]) for node in nodes}
    found = dict.fromkeys(nodes, 0)
    waiting = [node for node in nodes if not left[node]]
    while waiting:
        node = waiting.pop()
        for end in after[node]:
            found[end] = max(found[end], found[node] + 1)
            left[end] -= 1
            if not left[end]:
                waiting.append(end)
    for node in nodes:
        if not before[node] and after[node]:
            found[node] = max(0, min(found[end] for end in after[node]) - 1)
    return found


def _chain(edge: tuple[str, str], layer_of: Mapping[str, int]) -> tuple[str, ...]:
    """The nodes of an edge with a point in every layer between.

    All edges of one start have the same points: they go together until they part.
    """
    start, end = edge
    points = [f"\0{start}\0{layer}" for layer in range(layer_of[start] + 1, layer_of[end])]
    return (start, *points, end)


def _rows(
    nodes: Sequence[str], layer_of: Mapping[str, int], chains: Mapping[tuple[str, str], tuple[str, ...]]
) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node in nodes:
        rows[layer_of[node]].append(node)
    points = {
        (layer_of[start] + step, point)
        for (start, _), chain in chains.items()
        for step, point in enumerate(chain[1:-1], start=1)
    }
    for layer, point in sorted(points):
        rows[layer].append(point)
    return rows


def _order(rows: list[list[str]], chains: Mapping[tuple[str, str], tuple[str, ...]]) -> None:
    """Put each node near the middle of its neighbours, layer by layer, to and fro."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains.values():
        for start, end in pairwise(chain):
            before.setdefault(end, []).append(start)
            after.setdefault(start, []).append(end)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        order = range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1)
        near = before if forward else after
        for layer in order:
            beside = rows[layer - 1] if forward else rows[layer + 1]
            place = {node: index / max(len(beside), 1) for index, node in enumerate(beside)}
            own = {node: index / max(len(rows[layer]), 1) for index, node in enumerate(rows[layer])}
            rows[layer].sort(key=lambda node: (_middle(near.get(node, ()), place, own[node]), node))


def _middle(neighbours: Sequence[str], place: Mapping[str, float], own: float) -> float:
    found = [place[node] for node in neighbours if node in place]
    return sum(found) / len(found) if found else own


def _placed(
    rows: Sequence[Sequence[str]],
    edges: Sequence[tuple[str, str]],
    chains: Mapping[tuple[str, str], tuple[str, ...]],
    size: Size,
) -> Layout:
    heights = {node: size.point if node[0] == "\0" else size.height for row in rows for node in row}
    tall = [sum(heights[node] + size.down for node in row) - size.down for row in rows]
    height = max(tall, default=0)
    corners: dict[str, tuple[float, float]] = {}
    for layer, row in enumerate(rows):
        top = (height - tall[layer]) / 2
        for node in row:
            corners[node] = (layer * (size.width + size.across), top)
            top += heights[node] + size.down
    drawn = {}
    for start, end in edges:
        forward = (start, end) in chains
        chain = chains[(start, end)] if forward else chains[(end, start)]
        points = _points(chain, corners, size)
        drawn[(start, end)] = points if forward else points[::-1]
    nodes = {node: corner for node, corner in corners.items() if node[0] != "\0"}
    width = len(rows) * (size.width + size.across) - size.across if rows else 0
    return Layout(nodes, drawn, width, height)


def _points(
    chain: Sequence[str], corners: Mapping[str, tuple[float, float]], size: Size
) -> tuple[tuple[float, float], ...]:
    """From the right side of the first node, past the points between, to the left side of the last."""
    (x, y), (end_x, end_y) = corners[chain[0]], corners[chain[-1]]
    points = [(x + size.width, y + size.height / 2)]
    for point in chain[1:-1]:
        at, top = corners[point]
        points += [(at, top + size.point / 2), (at + size.width, top + size.point / 2)]
    return (*points, (end_x, end_y + size.height / 2))
