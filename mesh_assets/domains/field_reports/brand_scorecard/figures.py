"""The figures of the scorecard.

Here: the queries over the star schema, and the facts that come out of them.
Not here: how they look (charts, page).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mesh_assets.domains.field_reports.brand_scorecard import queries

if TYPE_CHECKING:
    import duckdb

#: Brands of the focus basket that get a colour of their own; the others stay grey.
COLOURED = 5


@dataclass(frozen=True)
class Brand:
    """One row of the product."""

    brand_id: str
    name: str
    basket: str
    fills: int
    prior: int
    #: Percent against the 13 weeks before; None where there were none.
    growth_pct: float | None
    #: Part of the basket's fills, 0 to 1.
    share: float
    share_change_pts: float
    calls: int
    prior_calls: int
    #: Percent of insured members with the brand on tier 1 or 2 and nobody to ask; None: on no formulary.
    preferred_access_pct: float | None

    @property
    def label(self) -> str:
        return self.name.title()

    @property
    def prior_share(self) -> float:
        return self.share - self.share_change_pts / 100


@dataclass(frozen=True)
class Point:
    """A brand's fills per week, as the mean of the four weeks up to this one."""

    week: date
    brand_id: str
    level: float


@dataclass(frozen=True)
class Territory:
    """A territory's year in the focus basket."""

    territory_id: str
    name: str
    fills: int
    growth_pct: float | None
    #: Part of the territory's basket, by brand_id.
    shares: Mapping[str, float]
    #: Calls on the detailed brand, and that brand's growth against the year before.
    calls: int
    brand_fills: int
    brand_growth_pct: float | None

    @property
    def label(self) -> str:
        """`New England 3: New Haven, CT` without what comes before the place."""
        return self.name.rpartition(": ")[2]


@dataclass(frozen=True)
class Dot:
    """A place on the map: kilometres east and north of the middle of the country, and its territory."""

    east: float
    north: float
    territory_id: str


@dataclass(frozen=True)
class Figures:
    last_week: date
    basket: str
    #: All brands of the mesh, by basket and fills.
    brands: tuple[Brand, ...]
    points: tuple[Point, ...]
    territories: tuple[Territory, ...]
    #: brand_id -> percent of insured members by terms (queries.ACCESS says which).
    access: Mapping[str, Mapping[int, float]]
    dots: tuple[Dot, ...]
    #: Calls on the detailed brand, month by month.
    monthly_calls: tuple[int, ...]
    #: The brand of the focus basket that the field force speaks of most.
    detailed: Brand

    @property
    def focus(self) -> tuple[Brand, ...]:
        """Brands of the focus basket, most fills first."""
        return tuple(brand for brand in self.brands if brand.basket == self.basket)

    def colour(self, brand_id: str) -> str:
        """The CSS variable of a brand: the same in every chart."""
        rank = [brand.brand_id for brand in self.focus].index(brand_id)
        return f"var(--b{rank + 1})" if rank < COLOURED else "var(--b0)"


def gather(con: duckdb.DuckDBPyConnection) -> Figures:
    """Ask the star schema, with `con` seeing the products at the versions of this run."""
    last_week = con.execute(queries.LAST_WEEK).fetchall()[0][0]
    brands = tuple(Brand(*row) for row in con.execute(queries.BRANDS, {"last": last_week}).fetchall())
    basket = _busiest_basket(brands)
    focus = [brand for brand in brands if brand.basket == basket]
    detailed = max(focus, key=lambda brand: (brand.calls, brand.fills, brand.brand_id))
    facts = {"last": last_week, "basket": basket, "brand": detailed.brand_id}
    calls = con.execute(queries.CALLS, {"last": last_week, "brand": detailed.brand_id}).fetchall()
    return Figures(
        last_week=last_week,
        basket=basket,
        brands=brands,
        points=_points(con, basket, {brand.brand_id for brand in focus}),
        territories=_territories(con, facts),
        access=_access(con, basket),
        dots=tuple(Dot(*row) for row in con.execute(queries.DOTS).fetchall()),
        monthly_calls=tuple(count for _, count in calls),
        detailed=detailed,
    )


def _busiest_basket(brands: tuple[Brand, ...]) -> str:
    """The basket with most fills in the last 13 weeks; the first by name among equals."""
    fills: dict[str, int] = {}
    for brand in brands:
        fills[brand.basket] = fills.get(brand.basket, 0) + brand.fills
    return min(fills, key=lambda basket: (-fills[basket], basket))


def _points(con: duckdb.DuckDBPyConnection, basket: str, brands: set[str]) -> tuple[Point, ...]:
    """Without brands that left the market before the 26 weeks of the report: it has no name for them."""
    rows = con.execute(queries.POINTS, {"basket": basket}).fetchall()
    return tuple(point for point in (Point(*row) for row in rows) if point.brand_id in brands)


def _territories(con: duckdb.DuckDBPyConnection, facts: Mapping[str, object]) -> tuple[Territory, ...]:
    shares: dict[str, dict[str, float]] = {}
    for territory, brand, share in con.execute(
        queries.TERRITORY_SHARES, {name: facts[name] for name in ("last", "basket")}
    ).fetchall():
        shares.setdefault(territory, {})[brand] = share
    return tuple(
        Territory(territory, name, fills, growth, shares.get(territory, {}), calls, brand_fills, brand_growth)
        for territory, name, fills, growth, calls, brand_fills, brand_growth in con.execute(
            queries.TERRITORIES, facts
        ).fetchall()
    )


def _access(con: duckdb.DuckDBPyConnection, basket: str) -> Mapping[str, Mapping[int, float]]:
    terms: dict[str, dict[int, float]] = {}
    for brand, term, percent in con.execute(queries.ACCESS, {"basket": basket}).fetchall():
        terms.setdefault(brand, {})[term] = percent
    return terms
