"""Finding products: words anywhere in names, columns, descriptions and owners, and facets to narrow down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_assets.capabilities.portal.looks import Look, of_product
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from mesh_assets.capabilities.lineage.model import Asset
    from mesh_assets.capabilities.portal.catalog import Catalog

LONGEST_QUERY = 200
MOST_WORDS = 12
#: Columns of an answer that are named.
NAMED = 4
FACETS = ("domain", "state", "owner", "tag", "made", "data")
#: How much it counts where a word is found.
NAME_IS, NAME_BEGINS, IN_NAME, IN_COLUMN, IN_TEXT = 60, 30, 20, 8, 2
#: And more if a column is called so, and most if it is the key: that is the product which is about it.
COLUMN_IS, KEY_IS = 6, 14


@dataclass(frozen=True)
class Entry:
    """A product as search knows it."""

    name: ProductName
    title: str
    purpose: str
    look: Look
    facets: Mapping[str, tuple[str, ...]]
    #: Lower-case: the names, (column, its words), everything else.
    called: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    text: str
    #: The only column of its key, "" if there are several.
    key: str = ""


@dataclass(frozen=True)
class Hit:
    entry: Entry
    score: int
    #: Columns that a word was found in.
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a search gives: hits, best first, and how many each value of a facet would leave."""

    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[tuple[str, int, bool], ...]]


@dataclass(frozen=True)
class Index:
    entries: tuple[Entry, ...]

    def search(self, query: str, chosen: Mapping[str, Sequence[str]]) -> Found:
        """All words must be found; of each facet one of the chosen values must hold."""
        words = query.lower()[:LONGEST_QUERY].split()[:MOST_WORDS]
        wanted = {facet: set(values) for facet, values in chosen.items() if values}
        hits = [hit for entry in self.entries if (hit := _match(entry, words)) is not None]
        kept = [hit for hit in hits if _fits(hit.entry, wanted)]
        kept.sort(key=lambda hit: (-hit.score, hit.entry.name))
        counts = {
            facet: _counts(facet, [hit.entry for hit in hits if _fits(hit.entry, wanted, but=facet)], wanted)
            for facet in FACETS
        }
        return Found(tuple(kept), counts)


def _counts(
    facet: str, entries: Sequence[Entry], chosen: Mapping[str, set[str]]
) -> tuple[tuple[str, int, bool], ...]:
    counts = Counter(value for entry in entries for value in entry.facets[facet])
    wanted = chosen.get(facet, set())
    values = sorted({*counts, *wanted}, key=lambda value: (-counts[value], value))
    return tuple((value, counts[value], value in wanted) for value in values)


def _fits(entry: Entry, chosen: Mapping[str, set[str]], but: str = "") -> bool:
    return all(
        facet == but or not values.isdisjoint(entry.facets.get(facet, ())) for facet, values in chosen.items()
    )


def _match(entry: Entry, words: Sequence[str]) -> Hit | None:
    score, columns = 0, []
    for word in words:
        found = max((_in_name(name, word) for name in entry.called), default=0)
        in_columns = [name for name, text in entry.columns if word in text]
        if in_columns:
            columns += in_columns
            found += (
                IN_COLUMN + (COLUMN_IS if word in in_columns else 0) + (KEY_IS if word == entry.key else 0)
            )
        if word in entry.text:
            found += IN_TEXT
        if not found:
            return None
        score += found
    return Hit(entry, score, tuple(dict.fromkeys(columns))[:NAMED])


def _in_name(name: str, word: str) -> int:
    if name == word:
        return NAME_IS
    if name.startswith(word):
        return NAME_BEGINS
    return IN_NAME if word in name else 0


def make_index(catalog: Catalog) -> Index:
    return Index(tuple(_entry(catalog, name) for name in sorted(catalog.facts)))


def _entry(catalog: Catalog, name: ProductName) -> Entry:
    asset, look = catalog.asset(name), of_product(catalog.facts[name])
    contract = asset.contract if asset else None
    if asset is None or contract is None:
        facets = {"domain": (name.domain,), "state": (look.word,)}
        return Entry(
            name, str(name), "", look, {**dict.fromkeys(FACETS, ()), **facets}, _called(name), (), ""
        )
    owners = tuple(dict.fromkeys(person.name for person in contract.owners))
    said = (contract.purpose, contract.description, contract.usage, contract.limitations)
    return Entry(
        name=name,
        title=contract.title,
        purpose=contract.description or contract.purpose,
        look=look,
        facets=_facets(asset, look, owners),
        called=(*_called(name), contract.title.lower()),
        columns=tuple(
            (column.name, f"{column.name} {column.description}".lower()) for column in contract.columns
        ),
        text=" ".join([*said, *owners, *contract.tags]).lower(),
        key=contract.key[0].lower() if len(contract.key) == 1 else "",
    )


def _called(name: ProductName) -> tuple[str, ...]:
    return (str(name), name.product, name.domain, name.product.replace("_", " "))


def _facets(asset: Asset, look: Look, owners: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    contract = asset.contract
    assert contract is not None
    return {
        "domain": (asset.name.domain,),
        "state": (look.word,),
        "owner": owners,
        "tag": contract.tags,
        "made": (str(asset.recipe.kind),),
        "data": ("with personal columns",) if contract.personal else ("nothing personal",),
    }
