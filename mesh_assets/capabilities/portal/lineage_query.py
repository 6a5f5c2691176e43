"""What of the mesh's picture somebody asks for, read from an address and written into links.

`open=hcp,drug` opens domains to their products, `open=*&close=hcp` all but one: the shorter way is written,
for a list of links that each name all the others grows with the square of the mesh. `unfold=3` shows what
the third layer folded away, `unfold=*` everything, `zoom` is the picture's size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from mesh_assets.capabilities.portal.drawn import ZOOMS

#: Can be no domain's name.
ALL = "*"
#: Layers have small numbers.
LAYERS = 100


@dataclass(frozen=True)
class LineageQuery:
    """Which domains are open and which layers unfolded; `domains` are all there are."""

    domains: tuple[str, ...]
    opened: frozenset[str] = frozenset()
    unfolded: frozenset[int] = frozenset()
    whole: bool = False
    zoom: str = ""

    @property
    def text(self) -> str:
        """As a query string, "" where nothing is asked for."""
        return self._text(self.opened)

    def toggled(self) -> dict[str, str]:
        """Domain -> the query that opens it, or closes it where it is open."""
        return {name: self._text(self.opened ^ {name}) for name in self.domains}

    def opening(self, names: Iterable[str]) -> LineageQuery:
        return replace(self, opened=frozenset(names))

    def unfolding(self, *layers: int, whole: bool = False) -> LineageQuery:
        """Those layers as well; all of them; with neither, all are folded again."""
        return replace(self, unfolded=self.unfolded | {*layers} if layers else frozenset(), whole=whole)

    def sized(self, zoom: str) -> LineageQuery:
        return replace(self, zoom=zoom)

    def _text(self, opened: Collection[str]) -> str:
        shut = len(self.domains) - len(opened)
        parts = []
        if opened and shut < len(opened):
            parts.append(f"open={ALL}")
            opened, called = [name for name in self.domains if name not in opened], "close"
        else:
            called = "open"
        if opened:
            parts.append(f"{called}={','.join(quote(name, safe='') for name in sorted(opened))}")
        if self.whole or self.unfolded:
            parts.append(f"unfold={ALL if self.whole else ','.join(map(str, sorted(self.unfolded)))}")
        if self.zoom:
            parts.append(f"zoom={self.zoom}")
        return f"?{'&'.join(parts)}" if parts else ""


def read_lineage_query(query: Mapping[str, Sequence[str]], domains: Collection[str]) -> LineageQuery:
    """What is understood of a query; whatever else stands in it is nobody's and left out."""
    known = frozenset(domains)
    opened, shut = _words(query, "open"), _words(query, "close")
    unfolded = _words(query, "unfold")
    layers = {int(word) for word in unfolded if word.isascii() and word.isdecimal() and len(word) < 4}
    zoom = (query.get("zoom") or [""])[0]
    return LineageQuery(
        domains=tuple(domains),
        opened=(known if ALL in opened else known & opened) - shut,
        unfolded=frozenset(layer for layer in layers if 0 < layer < LAYERS and ALL not in unfolded),
        whole=ALL in unfolded,
        zoom=zoom if zoom in ZOOMS else "",
    )


def _words(query: Mapping[str, Sequence[str]], name: str) -> set[str]:
    return {word.strip() for value in query.get(name, ()) for word in value.split(",")}
