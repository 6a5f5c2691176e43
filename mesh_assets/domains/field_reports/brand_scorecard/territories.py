"""Territories compared: which are worth comparing, their shades on the map, and whether calls go with growth.

Here: arithmetic over the figures.
Not here: figures (figures), charts of them (charts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh_assets.domains.field_reports.brand_scorecard.figures import Figures, Territory

SHADES = 5


def sizeable(figures: Figures) -> list[Territory]:
    """Territories that are worth a superlative: at least half the fills of the one in the middle."""
    fills = sorted(one.fills for one in figures.territories)
    return [one for one in figures.territories if one.fills >= fills[len(fills) // 2] / 2]


def comparable(figures: Figures) -> list[Territory]:
    """Of those, the territories that had the detailed brand in both years."""
    return [one for one in sizeable(figures) if one.brand_growth_pct is not None]


@dataclass(frozen=True)
class Line:
    """Growth as a straight line of calls, each territory weighing as much as the brand's fills in it."""

    start: float
    slope: float
    #: Pearson's r, weighted alike; 0 where there is nothing to compare.
    correlation: float

    def at(self, calls: float) -> float:
        return self.start + self.slope * calls


def fitted(territories: Sequence[Territory]) -> Line:
    points = [(one.brand_fills, one.calls, one.brand_growth_pct or 0.0) for one in territories]
    weight = sum(fills for fills, _, _ in points) or 1
    mean_x = sum(fills * x for fills, x, _ in points) / weight
    mean_y = sum(fills * y for fills, _, y in points) / weight
    spread_x = sum(fills * (x - mean_x) ** 2 for fills, x, _ in points)
    spread_y = sum(fills * (y - mean_y) ** 2 for fills, _, y in points)
    together = sum(fills * (x - mean_x) * (y - mean_y) for fills, x, y in points)
    slope = together / spread_x if spread_x else 0.0
    r = together / (spread_x * spread_y) ** 0.5 if spread_x and spread_y else 0.0
    return Line(mean_y - slope * mean_x, slope, r)


def shades(figures: Figures) -> dict[str, int]:
    """Each territory's fifth by the detailed brand's share: 1 the lowest, 5 the highest."""
    brand = figures.detailed.brand_id
    ranked = sorted(sizeable(figures), key=lambda one: (one.shares.get(brand, 0.0), one.territory_id))
    return {one.territory_id: 1 + SHADES * place // len(ranked) for place, one in enumerate(ranked)}
