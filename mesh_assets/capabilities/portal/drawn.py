"""Pictures as inline SVG: graphs of nodes that are links, bars along time. No script, no style attribute.

Here: drawing. Not here: where things go (layers), what is drawn (graphs, timelines).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from mesh_assets.capabilities.portal.layers import Layout, Size, lay_out
from mesh_assets.capabilities.portal.looks import Look

MARGIN = 12
#: A picture up to so wide is made to fit a page: its letters are still read. One of more than a page's
#: narrowest keeps that width on small screens.
FITTING, NARROWEST = 1_700, 960
#: How a picture may be asked for: whole, or that many times its size.
ZOOMS = {"whole": 1.0, "read": 1.0, "large": 1.6}
#: Letters that fit a node.
FITS, NOTE_FITS = 16, 24


@dataclass(frozen=True)
class Node:
    """A thing in a graph. `mark`: self, up, down, aside or fold, for what is highlighted or stays behind."""

    key: str
    title: str
    note: str
    look: Look
    href: str = ""
    mark: str = ""
    #: What a screen reader and a tooltip say; the title if nothing.
    told: str = ""


def draw_graph(nodes: Sequence[Node], edges: Sequence[tuple[str, str]], label: str, zoom: str = "") -> Markup:
    """The graph from left to right. As wide as the page where letters can still be read so, else in its own
    size: whoever shows it lets people scroll. `zoom`: one of ZOOMS.
    """
    size = Size()
    placed = lay_out([node.key for node in nodes], edges, size)
    marks = {node.key: node.mark for node in nodes}
    inside = "".join(
        [
            *(_edge(points, _edge_mark(marks, edge)) for edge, points in placed.edges.items()),
            # In the order of the eye: what Tab goes through.
            *(_node(node, placed, size) for node in sorted(nodes, key=lambda node: placed.nodes[node.key])),
        ]
    )
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    fit = zoom or ("fit" if NARROWEST < width <= FITTING else "read")
    times = ZOOMS.get(zoom, 1.0)
    return Markup(
        '<svg class="graph {}" role="group" aria-label="{}" width="{:.0f}" height="{:.0f}" '
        'viewBox="{} {} {:.0f} {:.0f}">{}</svg>'
    ).format(fit, label, width * times, height * times, -MARGIN, -MARGIN, width, height, _drawn(inside))


def _drawn(inside: str) -> Markup:
    """What `_edge` and `_node` wrote. They escape every word: `Markup.format` takes eight times as long, and
    a picture has thousands of nodes."""
    return Markup(inside)  # noqa: S704 - see above


def _edge_mark(marks: Mapping[str, str], edge: tuple[str, str]) -> str:
    """An edge is part of the way if both its ends are."""
    start, end = marks.get(edge[0], ""), marks.get(edge[1], "")
    for faint in ("aside", "fold"):
        if faint in (start, end):
            return faint
    if {start, end} <= {"up", "self"}:
        return "up"
    return "down" if {start, end} <= {"down", "self"} else ""


def _edge(points: Sequence[tuple[float, float]], mark: str) -> str:
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
    return f'<path class="edge {escape(mark)}" d="{" ".join(path)}"/>'


def _node(node: Node, placed: Layout, size: Size) -> str:
    x, y = placed.nodes[node.key]
    told = escape(node.told or f"{node.title}: {node.look.word}")
    base = y + (17 if node.note else size.height / 2 + 4.5)
    words = (
        f'<text class="title" x="{x + 28:.1f}" y="{base:.1f}"{_squeezed(node.title, size.width - 38)}>'
        f"{escape(node.title[:60])}</text>"
    )
    if node.note:
        note = escape(_cut(node.note, NOTE_FITS))
        words += f'<text class="note" x="{x + 28:.1f}" y="{y + 32:.1f}">{note}</text>'
    group = (
        f'<g class="node tone-{escape(node.look.tone)} {escape(node.mark)}"><title>{told}</title>'
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{size.width:.0f}" height="{size.height:.0f}" '
        f'rx="7"/>'
        f'<text class="mark" x="{x + 15:.1f}" y="{y + size.height / 2 + 4.5:.1f}">'
        f"{escape(node.look.symbol)}</text>{words}</g>"
    )
    return f'<a href="{escape(node.href)}" aria-label="{told}">{group}</a>' if node.href else group


def _squeezed(text: str, room: float) -> str:
    """A long name is set narrower instead of cut: it is what the node is known by."""
    if len(text) <= FITS:
        return ""
    return f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@dataclass(frozen=True)
class Axis:
    """A stretch of time drawn from left to right."""

    begin: datetime
    end: datetime
    left: float
    width: float

    def x(self, moment: datetime) -> float:
        whole = max((self.end - self.begin).total_seconds(), 1.0)
        share = (moment - self.begin).total_seconds() / whole
        return self.left + self.width * min(max(share, 0.0), 1.0)

    def ticks(self, most: int = 6) -> list[datetime]:
        """Round moments, not more than so many."""
        whole = self.end - self.begin
        steps = [timedelta(minutes=m) for m in (1, 5, 15, 30)]
        steps += [timedelta(hours=h) for h in (1, 3, 6, 12)]
        steps += [timedelta(days=d) for d in (1, 2, 7, 14, 30, 90, 365, 3650)]
        step = next((step for step in steps if whole / step <= most), steps[-1])
        seconds = step.total_seconds()
        first = datetime.fromtimestamp((self.begin.timestamp() // seconds + 1) * seconds, UTC)
        found: list[datetime] = []
        while first <= self.end and len(found) <= most:
            found.append(first)
            first += step
        return found

    def drawn(self, bottom: float) -> Markup:
        """Thin lines with their times below."""
        days = self.end - self.begin > timedelta(days=3)
        form = "%d %b" if days else "%H:%M"
        return Markup("").join(
            Markup(
                '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="6" y2="{1:.1f}"/>'
                '<text class="tick" x="{0:.1f}" y="{2:.1f}">{3}</text>'
            ).format(self.x(tick), bottom, bottom + 15, f"{tick:{form}}")
            for tick in self.ticks()
            if self.x(tick) < self.left + self.width * 0.94
        )


def framed(inside: Markup, label: str, height: float, *, width: float = 760) -> Markup:
    """A picture that fits the page's width."""
    return Markup(
        '<svg class="timeline" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}">{}</svg>'
    ).format(label, width, height, inside)


def bar(axis: Axis, begin: datetime, end: datetime, *, y: float, tone: str, height: float = 14) -> Markup:
    x, to = axis.x(begin), axis.x(end)
    return Markup(
        '<rect class="bar tone-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>'
    ).format(tone, x, y, max(to - x, 1.5), height)


def dot(x: float, y: float, look: Look, told: str) -> Markup:
    return Markup('<text class="point tone-{}" x="{:.1f}" y="{:.1f}">{}<title>{}</title></text>').format(
        look.tone, x, y, look.symbol, told
    )


def words(x: float, y: float, text: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, escape(text))
