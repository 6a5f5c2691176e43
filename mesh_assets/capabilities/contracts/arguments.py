"""The arguments of this project's own kinds of rules, read one by one with their places.

Here: columns, words, numbers, expressions, products, clocks; refused with file, line and what is allowed.
Not here: which kind takes which (kinds).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from mesh_assets.capabilities.contracts.columns import column_named
from mesh_assets.capabilities.contracts.document import Steps, allowed_words, kind_of
from mesh_assets.capabilities.contracts.expressions import named_columns
from mesh_assets.capabilities.contracts.implementation import text_at
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.site import Site
from mesh_assets.words.errors import DocumentMalformed, NameMalformed
from mesh_assets.words.names import product_name

_CLOCKS = ("build", "partition")


@dataclass(frozen=True)
class Arguments:
    """What a rule's implementation gives; `owner` is the rule, `site` its implementation."""

    owner: Site
    site: Site

    def has(self, key: str) -> bool:
        return key in self.site.written

    def wrong(self, key: str, problem: str, remedy: str = "") -> DocumentMalformed:
        """The error to raise about an argument, at its place (at the rule's where it is missing)."""
        return self.site.document.malformed(self._at(key), problem, remedy)

    def _at(self, key: str) -> Steps:
        return (*self.site.path, key) if self.has(key) else self.site.path

    def column(self, logical_types: frozenset[str] | None = None, *, key: str = "column") -> str:
        """The column that the rule is about: where it stands, or the one that a table's rule names."""
        own = self.owner.column
        if own is not None and self.site.written.get(key, own.name) != own.name:
            raise self.wrong(
                key, f"the rule stands at the column {own.name}", "Move it to the table's `quality`"
            )
        column = own or self._named(key, text_at(self.site, key))
        if logical_types is not None and column.logical_type not in logical_types:
            raise self.wrong(
                key,
                f"{self.site.written['kind']} is not for {column.name}, which is a {column.logical_type}",
                f"Allowed: {', '.join(sorted(logical_types))}",
            )
        return column.name

    def columns(self, key: str) -> tuple[str, ...]:
        """A list of the product's columns."""
        written = self.site.written[key]
        if not isinstance(written, list) or not written or not all(isinstance(name, str) for name in written):
            raise self.wrong(key, f"`{key}` is {kind_of(written)}; it must be a list of columns")
        return tuple(
            column_named(self.site.document, (*self._at(key), number), name, self.site.columns).name
            for number, name in enumerate(written)
        )

    def _named(self, key: str, name: str) -> Column:
        return column_named(self.site.document, self._at(key), name, self.site.columns)

    def names(self, key: str, own: tuple[str, ...]) -> tuple[str, ...]:
        """Columns of another product, one for each of ours; the same names if nothing is said."""
        if not self.has(key):
            return own
        written = self.site.written[key]
        if not isinstance(written, list) or not all(isinstance(name, str) for name in written):
            raise self.wrong(key, f"`{key}` is {kind_of(written)}; it must be a list of columns")
        if len(written) != len(own):
            raise self.wrong(key, f"`{key}` names {len(written)} columns for {len(own)} ({', '.join(own)})")
        return tuple(written)

    def word(self, key: str, allowed: tuple[str, ...], *, default: str | None = None) -> str:
        """One of a few words."""
        if not self.has(key) and default is not None:
            return default
        word = self.site.written.get(key)
        if word not in allowed:
            raise self.wrong(key, f"`{key}` is {kind_of(word)}", allowed_words(word, allowed))
        return str(word)

    def word_or(self, default: str | None, key: str) -> str | None:
        return text_at(self.site, key) if self.has(key) else default

    def number(self, key: str, *, default: float) -> float:
        """A number above zero."""
        value = self.site.written.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value <= 0:
            raise self.wrong(key, f"`{key}` is {kind_of(value)}; it must be a number above 0")
        return float(value)

    def expression(self, key: str) -> tuple[str, tuple[str, ...]]:
        """An expression and the columns of the product that it names."""
        text = text_at(self.site, key).strip()
        return text, named_columns(self.site.document, self._at(key), text, self.site.columns)

    def filter(self, key: str, *, elsewhere: bool = False) -> dict[str, str]:
        """An expression that chooses rows, if there is one; another product's columns are not known here."""
        if not self.has(key):
            return {}
        text = text_at(self.site, key).strip()
        named_columns(self.site.document, self._at(key), text, None if elsewhere else self.site.columns)
        return {key: text}

    def aggregate(self, allowed: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """An aggregate and its column; `count` counts rows and has none."""
        aggregate = self.word("aggregate", allowed)
        if aggregate == "count":
            if self.has("column"):
                raise self.wrong("column", "`count` counts rows and takes no column", "Write count_distinct")
            return aggregate, ()
        numeric = frozenset({"integer", "number"})
        return aggregate, (self.column(None if aggregate == "count_distinct" else numeric),)

    def product(self) -> str:
        """Another product of the mesh; it becomes an input of this one, pinned as every input is."""
        written = text_at(self.site, "product")
        try:
            found = product_name(written)
        except NameMalformed as error:
            raise self.wrong("product", str(error)) from None
        if str(found) == self.owner.document.value.get("id"):
            raise self.wrong("product", f"{found} is the product itself", "Name the one to compare with")
        return str(found)

    def bins(self, name: str) -> dict[str, Any]:
        """How a column's values are put together: bins of numbers, or every value by itself."""
        column = self._named("column", name)
        if column.logical_type not in ("integer", "number"):
            for key in ("bins", "edges"):
                if self.has(key):
                    raise self.wrong(key, f"`{key}` is for numbers, and {name} is a {column.logical_type}")
            return {"bins": "values"}
        if self.has("edges"):
            return {"edges": self._edges()}
        bins = self.site.written.get("bins", 10)
        if bins == "values" or (isinstance(bins, int) and not isinstance(bins, bool) and 2 <= bins <= 100):
            return {"bins": bins}
        raise self.wrong("bins", f"`bins` is {kind_of(bins)}; it must be a number from 2 to 100, or `values`")

    def _edges(self) -> list[float]:
        edges = self.site.written["edges"]
        if self.has("bins"):
            raise self.wrong("bins", "the rule has `edges` and `bins`", "Keep one of them")
        rising = (
            isinstance(edges, list)
            and edges
            and all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in edges)
            and all(low < high for low, high in pairwise(edges))
        )
        if not rising:
            raise self.wrong(
                "edges", f"`edges` is {edges}; it must be a list of rising numbers, 17 digits each"
            )
        return list(edges)

    def clock(self, key: str) -> dict[str, str]:
        """What an age is measured against: the build, the end of the newest partition, or a fixed instant."""
        written = text_at(self.site, key)
        if written == "partition":
            return {"clock": written, **self._partitions(key)}
        if written in _CLOCKS:
            return {"clock": written}
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return {"clock": "instant", "instant": read(written).isoformat()}
            except ValueError:
                continue
        raise self.wrong(
            key, f"`{key}` is {kind_of(written)}", "Allowed: build, partition, or e.g. '2024-12-31'"
        )

    def _partitions(self, key: str) -> dict[str, str]:
        for custom in self.owner.document.value.get("customProperties") or ():
            value = custom.get("value")
            if custom.get("property") == "partitions" and isinstance(value, dict):
                if value.get("every") == "file":
                    break
                found = {"partition_column": str(value.get("column"))}
                # Said only where it is no week: arguments are part of keys.
                return found if value.get("every") == "week" else {**found, "partition_every": "month"}
        raise self.wrong(key, "the product has no partitions whose end could be the clock", "Write `build`")
