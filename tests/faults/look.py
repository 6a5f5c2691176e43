"""What readers see: every version with its rows, read anew in a process, and what a check finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lake.read import relation_sql, version_sql
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.capabilities.upkeep.check import check
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import Version
from tests.faults.acts import LATER, Place, strays
from tests.faults.world import DOMAINS, PRODUCTS, ROWS, TOTAL, WEEK, WEEKS

#: A version's rows in a word: the batch of all of them, for till.week the batch of each week in order; any
#: text says what was found instead.
Content = int | tuple[int, ...] | str

#: Of a version that was there and not read.
UNREAD = "unread"


@dataclass(frozen=True)
class Seen:
    """The mesh as its readers see it."""

    heads: Mapping[str, int]
    #: Product -> number -> rows, of versions that are to be had.
    contents: Mapping[str, Mapping[int, Content]]
    expired: frozenset[tuple[str, int]]
    #: (holder, product, number); a tag is held by `tag <name>`.
    pins: frozenset[tuple[str, str, int]]
    #: Product and version -> the version of till.sale that it was made of.
    made_of: Mapping[int, int]
    #: (kind, what is told of it)
    findings: tuple[tuple[str, str], ...]
    strays: tuple[str, ...] = field(default=())

    def told(self) -> dict[str, Any]:
        return {**asdict(self), "expired": sorted(self.expired), "pins": sorted(self.pins)}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Seen:
        contents = {
            product: {int(number): _frozen(content) for number, content in each.items()}
            for product, each in told["contents"].items()
        }
        return cls(
            heads=told["heads"],
            contents=contents,
            expired=frozenset((product, number) for product, number in told["expired"]),
            pins=frozenset((holder, product, number) for holder, product, number in told["pins"]),
            made_of={int(number): of for number, of in told["made_of"].items()},
            findings=tuple((kind, text) for kind, text in told["findings"]),
            strays=tuple(told["strays"]),
        )


def look(place: Place, *, deep: bool = False, later: bool = False, heads_only: bool = False) -> Seen:
    """Read everything; with `later` as if every grace were over, and what lies about is looked for too.

    `heads_only` reads what readers are shown now, and checks nothing: for a second look right after a first.
    """
    settings = place.world.settings
    moment = datetime.now(UTC) + (LATER if later else LATER * 0)
    with open_registry(settings) as registry, closing(connect(settings, threads=1)) as con:
        heads = registry.heads()
        versions = [version for name in PRODUCTS for version in registry.versions(name)]
        contents: dict[str, dict[int, Content]] = {str(name): {} for name in PRODUCTS}
        for version in versions:
            if version.expired is not None:
                continue
            contents[str(version.product)][version.number] = UNREAD
            if heads.get(version.product) == version.number or not heads_only:
                rows = con.sql(version_sql(con, settings, version.product, version.snapshot)).fetchall()
                contents[str(version.product)][version.number] = content_of(version.product, rows)
                if heads.get(version.product) == version.number:
                    _same_through_the_catalog(place, con, version, rows)
        found = [] if heads_only else check(settings, registry, DOMAINS, deep=deep, now=moment)
        return Seen(
            heads={str(name): number for name, number in heads.items()},
            contents=contents,
            expired=frozenset((str(each.product), each.number) for each in versions if each.expired),
            pins=_kept(registry),
            made_of={
                version.number: version.certificate.inputs[0].number
                for version in versions
                if version.product == TOTAL
            },
            findings=tuple((str(finding.kind), finding.told) for finding in found),
            strays=tuple(strays(place)) if later else (),
        )


def _kept(registry: Registry) -> frozenset[tuple[str, str, int]]:
    tags = [(f"tag {tag.name}", str(name), tag.number) for name in PRODUCTS for tag in registry.tags(name)]
    return frozenset((pin.holder, str(pin.product), pin.number) for pin in registry.pins()) | {*tags}


def content_of(product: ProductName, rows: Sequence[tuple[Any, ...]]) -> Content:
    """The batch that these rows are of; if they are of none, the rows."""
    ordered = sorted(rows)
    if product == TOTAL:
        return int(rows[0][1]) if len(rows) == 1 and rows[0][0] == ROWS else f"rows {ordered}"
    if product == WEEK:
        batches = tuple(next((batch for _, batch, week in rows if str(week) == key), 0) for key in WEEKS)
        whole = [
            ((place + 1) * 100 + number, batches[place], key)
            for place, key in enumerate(WEEKS)
            for number in range(ROWS)
            if batches[place]
        ]
        return batches if [(*row[:2], str(row[2])) for row in ordered] == whole else f"rows {ordered}"
    batch = int(rows[0][1]) if rows else 0
    return batch if ordered == [(number, batch) for number in range(ROWS)] else f"rows {ordered}"


def _same_through_the_catalog(place: Place, con: Any, version: Version, rows: list[tuple[Any, ...]]) -> None:
    query = relation_sql(con, place.world.settings, version.product, version.snapshot)
    assert sorted(con.sql(query).fetchall()) == sorted(rows), f"{version.product} {version.number}: {query}"


def _frozen(content: Any) -> Content:
    return tuple(content) if isinstance(content, list) else content
