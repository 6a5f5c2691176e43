"""Who is worth a call, and why.

A prescriber's opportunity in a promoted brand is what that brand would gain in 26 weeks if it had the share
of its market there that it has in the country. A call of the last 13 weeks takes a fifth of it off, for what
was said is said; three or more take all that calls can take, three fifths.

Here: the ranking as one query, and its reasons in words.
Not here: the workbook (workbook).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import duckdb

#: Calls per territory that fit a plan of two weeks.
PER_TERRITORY = 10

_PLAN = """
WITH period AS (SELECT max(week_start) AS last FROM brand_analytics.fct_rx_weekly),
promoted AS (
    SELECT drug_key, brand_id, dim_drug.brand_name, dim_drug.basket_name
    FROM brand_analytics.brand_performance JOIN brand_analytics.dim_drug USING (brand_id), period
    WHERE "month" > date_trunc('month', last + 6) - INTERVAL 6 MONTH
    GROUP BY ALL HAVING sum(calls) > 0
), rx AS (
    SELECT hcp_key, drug_key, basket_name, sum(fills)::BIGINT AS fills
    FROM brand_analytics.fct_rx_weekly JOIN brand_analytics.dim_drug USING (drug_key), period
    WHERE week_start > last - 182
    GROUP BY ALL
), usual AS (
    SELECT drug_key, basket_name, sum(fills) / sum(sum(fills)) OVER (PARTITION BY basket_name) AS usual_share
    FROM rx GROUP BY drug_key, basket_name
), market AS (
    SELECT hcp_key, basket_name, sum(fills)::BIGINT AS basket_fills FROM rx GROUP BY ALL
), calls AS (
    SELECT hcp_key, max(week_start) FILTER (WHERE calls > 0) AS last_call_week,
        coalesce(sum(calls) FILTER (WHERE week_start > last - 91), 0)::BIGINT AS calls_13w
    FROM brand_analytics.fct_engagement, period GROUP BY hcp_key
), chance AS (
    SELECT market.hcp_key, promoted.brand_id, promoted.brand_name, market.basket_name, basket_fills,
        coalesce(rx.fills, 0) AS brand_fills, usual_share,
        basket_fills * usual_share - coalesce(rx.fills, 0) AS missing
    FROM market JOIN promoted USING (basket_name) JOIN usual USING (drug_key, basket_name)
    LEFT JOIN rx ON rx.hcp_key = market.hcp_key AND rx.drug_key = promoted.drug_key
    WHERE missing >= 1
    QUALIFY row_number() OVER (PARTITION BY market.hcp_key ORDER BY missing DESC, promoted.brand_id) = 1
), weighed AS (
    SELECT chance.*, coalesce(calls_13w, 0) AS calls_13w, last_call_week,
        missing * (1 - 0.2 * least(coalesce(calls_13w, 0), 3)) AS score
    FROM chance LEFT JOIN calls USING (hcp_key)
)
SELECT territory_id, territory_name,
    row_number() OVER (PARTITION BY territory_id ORDER BY score DESC, dim_hcp.npi)::INTEGER AS rank,
    dim_hcp.npi, dim_hcp.full_name, dim_hcp.specialty,
    hcp_master.address, dim_hcp.city, dim_hcp.state, dim_hcp.zip5,
    brand_id, brand_name, basket_name AS basket,
    basket_fills AS basket_fills_26w, brand_fills AS brand_fills_26w,
    round(brand_fills / basket_fills, 4)::DOUBLE AS brand_share,
    round(usual_share, 4)::DOUBLE AS usual_share,
    round(missing, 1)::DOUBLE AS opportunity_fills,
    calls_13w, last_call_week, round(score, 2)::DOUBLE AS score
FROM weighed
JOIN brand_analytics.dim_hcp USING (hcp_key)
JOIN brand_analytics.dim_territory USING (territory_key, territory_id)
JOIN hcp.hcp_master USING (npi)
WHERE dim_hcp.status = 'active' AND territory_id <> 'UNKNOWN'
QUALIFY rank <= $limit
ORDER BY territory_id, rank
"""


def ranked(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The best calls of each territory, with a reason that a representative can say aloud."""
    return (
        con.execute(_PLAN, {"limit": PER_TERRITORY})
        .pl()
        .with_columns(
            reason=pl.struct(
                "brand_name", "basket", "basket_fills_26w", "brand_share", "usual_share", "calls_13w"
            ).map_elements(_reason, return_dtype=pl.String)
        )
        .drop("brand_name")
    )


def _reason(facts: dict[str, float | str]) -> str:
    brand = str(facts["brand_name"]).title()
    calls = int(facts["calls_13w"])
    called = "no call in 13 weeks" if not calls else f"{calls} call{'s' if calls > 1 else ''} in 13 weeks"
    return (
        f"Wrote {facts['basket_fills_26w']:,} fills in {facts['basket']} in 26 weeks; "
        f"{brand} has {facts['brand_share']:.0%} of them where {facts['usual_share']:.0%} is usual; {called}"
    )
