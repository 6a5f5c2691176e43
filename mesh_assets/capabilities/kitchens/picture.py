"""The touched part of the mesh as a picture: what changes, and what reads it. One SVG that loads nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.words.names import ProductName

#: Boxes, and the room between them, in pixels.
WIDTH, HEIGHT, ACROSS, DOWN = 190, 34, 70, 14
#: More than this many make no picture that anybody reads.
MOST = 60


def picture(mesh: Mesh, changed: Collection[ProductName], classes: Mapping[ProductName, str]) -> str:
    """Changed products and all that is made from them, from left to right; "" where there is nothing."""
    names = [name for name in mesh.downstream(changed) if name in mesh.assets and mesh.assets[name].in_lake]
    wanted = sorted(names, key=lambda name: (name not in changed, name))[:MOST]
    if not wanted:
        return ""
    ranks = _ranks(mesh, wanted)
    places: dict[ProductName, tuple[int, int]] = {}
    for rank in sorted(set(ranks.values())):
        for row, name in enumerate(sorted(each for each in wanted if ranks[each] == rank)):
            places[name] = (10 + rank * (WIDTH + ACROSS), 10 + row * (HEIGHT + DOWN))
    width = max(x for x, _ in places.values()) + WIDTH + 10
    height = max(y for _, y in places.values()) + HEIGHT + 10
    lines = [
        _line(places[need], places[name])
        for name in wanted
        for need in mesh.assets[name].needs
        if need in places
    ]
    boxes = [_box(name, places[name], classes.get(name, "left")) for name in wanted]
    left_out = len(names) - len(wanted)
    more = f"<p>{left_out} more are made from these.</p>" if left_out > 0 else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}">'
    )
    return f"{head}<title>What changes, and what reads it</title>{''.join(lines)}{''.join(boxes)}</svg>{more}"


def _ranks(mesh: Mesh, names: Collection[ProductName]) -> dict[ProductName, int]:
    """Each one step behind the last of what it needs."""
    found: dict[ProductName, int] = {}

    def rank(name: ProductName, above: frozenset[ProductName]) -> int:
        if name not in found:
            needs = [each for each in mesh.assets[name].needs if each in names and each not in above]
            found[name] = max((rank(each, above | {name}) + 1 for each in needs), default=0)
        return found[name]

    for name in names:
        rank(name, frozenset([name]))
    return found


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT // 2, end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"/>'


def _box(name: ProductName, place: tuple[int, int], kind: str) -> str:
    x, y = place
    text = str(name) if len(str(name)) <= 28 else f"{str(name)[:27]}…"
    size = f'width="{WIDTH}" height="{HEIGHT}" rx="5"'
    return (
        f'<g class="{escape(kind, quote=True)}"><rect x="{x}" y="{y}" {size}/>'
        f'<text x="{x + 8}" y="{y + 22}">{escape(text)}</text><title>{escape(f"{name}: {kind}")}</title></g>'
    )
