"""What a query yields, as facts about its rows and about each of its columns.

Here: the facts, their digests, how they are put together. Not here: reading SQL (queries).

Two queries whose rows have one digest, and some of whose columns have one digest each, yield the same joint
projection onto these columns, from the same inputs. What a column depends on is never less than the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

#: (table, column). Column ROWS: which rows are there, and how often. Column ANY: all of the table, also
#: columns that it has not yet, and the order of its rows.
Need = tuple[str, str]
ROWS = ""
ANY = "__mesh_any__"
#: The column of a relation whose columns are not known: it stands for each of them.
UNKNOWN = "*"


@dataclass(frozen=True)
class Facts:
    """Of the rows of a relation, or of one column: what it is, and what it is made from."""

    digest: str
    needs: frozenset[Need] = frozenset()


@dataclass(frozen=True)
class Relation:
    rows: Facts
    columns: Mapping[str, Facts] = field(default_factory=dict)
    #: Sets of columns that tell its rows apart.
    keys: tuple[frozenset[str], ...] = ()
    #: Constructs by which a column more or less, or another order of rows, changes more than that column.
    unsafe: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return UNKNOWN not in self.columns

    def column(self, name: str) -> Facts | None:
        return self.columns.get(name) or self.columns.get(UNKNOWN)

    def everything(self) -> Facts:
        return merged("all", [self.rows, *self.columns.values()])

    def tables(self) -> frozenset[str]:
        return frozenset(table for table, _ in self.everything().needs)


def digest_of(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:24]


def merged(word: str, facts: Iterable[Facts]) -> Facts:
    found = list(facts)
    needs = frozenset().union(*(each.needs for each in found))
    return Facts(digest_of(word, *(each.digest for each in found)), needs)


def table(name: str, columns: Iterable[str] | None, keys: Iterable[frozenset[str]] = ()) -> Relation:
    """A stored table; `columns` None where they are not known."""
    rows = Facts(digest_of("rows", name), frozenset({(name, ROWS)}))
    names = [UNKNOWN] if columns is None else [*columns, ANY]
    facts = {each: Facts(digest_of("column", name, each), frozenset({(name, each)})) for each in names}
    return Relation(rows, facts, tuple(keys))


def views_of_run() -> dict[str, Relation]:
    """What a recipe is asked for: views of one column each, and no product's."""
    named = {"partitions": "partition", "weeks": "week", "months": "month"}
    return {f"run.{name}": table(f"run.{name}", [column]) for name, column in named.items()}


def together(relation: Relation, why: str) -> Relation:
    """The relation where rows depend on every column: no column of it changes alone."""
    return replace(relation, rows=relation.everything(), unsafe=_once(relation.unsafe, why))


def by_order(relation: Relation, tables: Iterable[str], why: str) -> Relation:
    """The relation where what comes out depends on the order in which rows of these tables come in."""
    whole = relation.everything()
    needs = whole.needs | {(name, ANY) for name in tables}
    return replace(relation, rows=Facts(whole.digest, needs), unsafe=_once(relation.unsafe, why))


def _once(known: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


def stacked(left: Relation, right: Relation) -> Relation:
    """UNION ALL: columns by place, names of the first."""
    rows = merged("union all", [left.rows, right.rows])
    unsafe = _once(left.unsafe, *right.unsafe)
    if len(left.columns) != len(right.columns) or not (left.known and right.known):
        whole = merged("union all", [left.everything(), right.everything()])
        return Relation(whole, dict.fromkeys(left.columns, whole), unsafe=_once(unsafe, "UNION of *"))
    pairs = zip(left.columns.items(), right.columns.values(), strict=True)
    return Relation(rows, {name: merged("over", [one, two]) for (name, one), two in pairs}, unsafe=unsafe)
