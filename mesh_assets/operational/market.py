"""The market: 65 well-known brands of eight baskets, with their real package codes.

Here: tables `brand` and `season`. The codes are real; sizes, trends, prices and launch dates are invented,
and say nothing about the brands or their makers.
Not here: coverage by plans (payers.py), fills (claims.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational import weeks
from mesh_assets.operational.people import BASKETS
from mesh_assets.operational.reference import seed

if TYPE_CHECKING:
    import duckdb

BRANDS = Path(__file__).resolve().parent / "market_brands.csv"

#: Percent of the yearly peak, quarter by quarter of a year (13 weeks each), by basket.
_SEASONS = {
    "anticoagulant": (95, 95, 95, 95),
    "oral_diabetes": (97, 94, 92, 95),
    "glp1": (100, 95, 90, 92),
    "insulin": (95, 94, 93, 95),
    "respiratory": (100, 88, 66, 96),
    "lipid": (95, 95, 94, 93),
    "migraine": (88, 98, 100, 90),
    "immunology": (94, 95, 95, 94),
}


def make_market(con: duckdb.DuckDBPyConnection) -> None:
    """Tables `brand`, `brand_package` (its NDC11s, numbered) and `season` (basket x week, in permille)."""
    con.execute(_TITLE_CASE)
    baskets = ", ".join(f"({number}, '{basket}')" for number, basket in enumerate(BASKETS))
    con.execute(f"CREATE OR REPLACE TEMP TABLE basket AS FROM (VALUES {baskets}) AS t(basket_no, basket)")
    con.execute(_BRAND.format(brands=BRANDS, product=seed("ndc_product"), package=seed("ndc_package")))
    con.execute(
        """CREATE OR REPLACE TEMP TABLE brand_package AS
        SELECT brand_no, unnest(range(packages)) AS place, unnest(ndcs) AS ndc11 FROM brand"""
    )
    rows = [
        (number, week, _permille(_SEASONS[basket], week % 52))
        for number, basket in enumerate(BASKETS)
        for week in range(weeks.COUNT + weeks.FURTHER)
    ]
    values = ", ".join(map(str, rows))
    con.execute(f"CREATE OR REPLACE TEMP TABLE season AS FROM (VALUES {values}) AS t(basket_no, week, keep)")


def _permille(quarters: tuple[int, ...], week: int) -> int:
    """Straight lines between the middles of the quarters."""
    place = (week - 6) % 52
    quarter, step = divmod(place, 13)
    here, there = quarters[quarter], quarters[(quarter + 1) % 4]
    return (here * (13 - step) + there * step) * 10 // 13


_TITLE_CASE = """
CREATE OR REPLACE TEMP MACRO title_case(words) AS
    list_aggregate(list_transform(string_split(lower(words), ' '), lambda word: upper(word[1]) || word[2:]),
        'string_agg', ' ')
"""

_BRAND = """
CREATE OR REPLACE TEMP TABLE brand AS
WITH listed AS (
    SELECT row_number() OVER () - 1 AS brand_no, *
    FROM read_csv('{brands}', header = true, types = {{'quantity': 'DOUBLE', 'promoted': 'BOOLEAN'}})
), coded AS (
    SELECT upper(trim(product.PROPRIETARYNAME)) AS brand, lower(product.NONPROPRIETARYNAME) AS generic,
        package.NDCPACKAGECODE AS code, product.LABELERNAME AS labeler,
        package.SAMPLE_PACKAGE = 'Y' AS is_sample,
        lpad(split_part(code, '-', 1), 5, '0') || lpad(split_part(code, '-', 2), 4, '0')
            || lpad(split_part(code, '-', 3), 2, '0') AS ndc11
    FROM read_parquet('{product}') AS product JOIN read_parquet('{package}') AS package USING (PRODUCTID)
), packed AS (
    SELECT brand, min(generic) AS generic,
        list(DISTINCT ndc11 ORDER BY ndc11) FILTER (NOT is_sample) AS ndcs,
        list(DISTINCT ndc11 ORDER BY ndc11) FILTER (is_sample) AS sample_ndcs,
        min_by(code, (is_sample, code)) AS code
    FROM coded GROUP BY brand
)
SELECT listed.*, basket.basket_no, generic, ndcs, len(ndcs) AS packages,
    coalesce(sample_ndcs, ndcs) AS sample_ndcs, code
FROM listed JOIN basket USING (basket) JOIN packed USING (brand)
ORDER BY brand_no
"""
