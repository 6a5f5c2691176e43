"""Lineage followed through the mesh: a tree, each thing opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh_assets.capabilities.lineage.columns import ColumnLineage, column_lineage
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


@dataclass(frozen=True)
class Traced:
    """A product, or a column of one, and what follows."""

    product: ProductName
    column: str = ""
    #: How its lineage is known, "" for a source of the tree's.
    how: str = ""
    #: `value` (made from it), `may be` (one of the columns that are read), `read` (of products), "" for the
    #: root.
    role: str = ""
    #: Of products: the columns that are read on this edge, None for all.
    reads: frozenset[str] | None = None
    unsafe: tuple[str, ...] = ()
    #: True if what follows is shown further up.
    repeated: bool = False
    next: tuple[Traced, ...] = field(default_factory=tuple)


def lineages(settings: Settings, mesh: Mesh, name: ProductName) -> dict[ProductName, ColumnLineage]:
    """What is known without running anything of every stored asset, and of `name`."""
    return {
        each: column_lineage(settings, mesh, each)
        for each in mesh.assets
        if mesh.assets[each].in_lake or each == name
    }


def trace(
    known: Mapping[ProductName, ColumnLineage], name: ProductName, column: str = "", *, down: bool = False
) -> Traced:
    """What a product (or a column) is made from, or what is made from it, as far as it goes."""
    return _Tracing(known, down).root(name, column)


class _Tracing:
    def __init__(self, known: Mapping[ProductName, ColumnLineage], down: bool) -> None:
        self.known, self.down = known, down
        self.seen: set[tuple[ProductName, str]] = set()

    def root(self, name: ProductName, column: str) -> Traced:
        return self._column(name, column, "") if column else self._product(name, "", frozenset())

    def _product(self, name: ProductName, role: str, reads: frozenset[str] | None) -> Traced:
        lineage = self.known[name]
        if (name, "") in self.seen:
            return Traced(name, "", lineage.how, role, reads, lineage.unsafe, repeated=True)
        self.seen.add((name, ""))
        if self.down:
            edges = [
                (user, self.known[user].reads[name])
                for user in sorted(self.known)
                if name in self.known[user].reads
            ]
        else:
            edges = [(need, read) for need, read in sorted(lineage.reads.items()) if need in self.known]
        after = tuple(self._product(other, "read", read) for other, read in edges)
        return Traced(name, "", lineage.how, role, reads, lineage.unsafe, next=after)

    def _column(self, name: ProductName, column: str, role: str) -> Traced:
        how = self.known[name].how if name in self.known else ""
        if (name, column) in self.seen:
            return Traced(name, column, how, role, repeated=True)
        self.seen.add((name, column))
        after = self._users(name, column) if self.down else self._origins(name, column)
        return Traced(name, column, how, role, next=after)

    def _origins(self, name: ProductName, column: str) -> tuple[Traced, ...]:
        lineage = self.known.get(name)
        if lineage is None:
            return ()
        if column not in lineage.columns:  # not known by column: any of those that it reads
            return tuple(
                each for need, read in sorted(lineage.reads.items()) for each in self._any_of(need, read)
            )
        return tuple(self._column(each.product, each.column, "value") for each in lineage.columns[column])

    def _any_of(self, need: ProductName, read: frozenset[str] | None) -> tuple[Traced, ...]:
        if not read:
            return (self._product(need, "read", read),)
        return tuple(self._column(need, each, "may be") for each in sorted(read))

    def _users(self, name: ProductName, column: str) -> tuple[Traced, ...]:
        found: list[Traced] = []
        for user, lineage in sorted(self.known.items()):
            if name not in lineage.reads:
                continue
            read = lineage.reads[name]
            made = [
                own
                for own, origins in lineage.columns.items()
                if any(each.product == name and each.column == column for each in origins)
            ]
            found += [self._column(user, own, "value") for own in made]
            if not made and (read is None or column in read):
                found.append(self._product(user, "read", read))
        return tuple(found)
