"""Which domains of a large mesh share one node of the picture, so that the others can be read.

Here: choosing, layer by layer. Not here: drawing (drawn), who is how well (looks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

from mesh_assets.capabilities.portal.layers import layers_of

#: Domains that a picture shows without folding any, and those that it names when it folds.
MANY, NAMED = 48, 30
#: Layers that fit a page; of more, neighbouring ones fold together.
ACROSS = 7
#: Domains that every layer has room for.
LEAST = 4

Edges = Collection[tuple[str, str]]


class Interest(IntEnum):
    """Why somebody looks at a domain, most pressing first."""

    BESIDE_OPENED = 0
    UNWELL = 1
    BESIDE_UNWELL = 2
    NONE = 3


@dataclass(frozen=True)
class Fold:
    """Domains of one layer that are shown as one node; layers count from 1 on the left."""

    layer: int
    names: tuple[str, ...]
    #: No other domain of the layer is shown.
    alone: bool = False

    @property
    def key(self) -> str:
        """Is no domain's name."""
        return f"+{self.layer}"


def fold(
    names: Collection[str],
    edges: Edges,
    *,
    opened: Collection[str] = (),
    unwell: Collection[str] = (),
    unfolded: Collection[int] = (),
) -> list[Fold]:
    """What is folded away; nothing of a mesh that can be read as it is. `edges` are between domains.

    Layers are those of the whole graph: opening or unfolding one moves no domain to another.
    """
    closed = [name for name in names if name not in opened]
    if len(closed) <= MANY:
        return []
    layer_of = layers_of(names, edges)
    layers = max(layer_of.values()) + 1
    across = min(layers, ACROSS)
    rows: dict[int, list[str]] = {}
    for name in closed:
        rows.setdefault(layer_of[name] * across // layers + 1, []).append(name)
    interest = _interests(closed, edges, opened, unwell)
    links = Counter(name for edge in edges for name in edge)
    room = max(LEAST, NAMED // across)
    found = []
    for layer in sorted(set(rows) - set(unfolded)):
        row = sorted(rows[layer], key=lambda name: (interest[name], -links[name], name))
        # Where a node stands for several layers, whoever stays beside it only because there is room would
        # have lines to it and back.
        kept = [name for name in row[:room] if layers <= ACROSS or interest[name] < Interest.NONE]
        rest = row[len(kept) :]
        if len(rest) > 1:  # one node for one domain saves nothing
            found.append(Fold(layer, tuple(sorted(rest)), alone=not kept))
    return found


def _interests(
    names: Collection[str], edges: Edges, opened: Collection[str], unwell: Collection[str]
) -> Mapping[str, Interest]:
    beside: dict[str, set[str]] = {name: set() for name in names}
    for start, end in edges:
        if start in beside:
            beside[start].add(end)
        if end in beside:
            beside[end].add(start)
    opened, unwell = set(opened), set(unwell)
    found = {}
    for name in names:
        if beside[name] & opened:
            found[name] = Interest.BESIDE_OPENED
        elif name in unwell:
            found[name] = Interest.UNWELL
        else:
            found[name] = Interest.BESIDE_UNWELL if beside[name] & unwell else Interest.NONE
    return found
