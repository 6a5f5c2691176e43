"""Questions to the star schema: `$last` is the Monday of the last week, `$basket` the focus basket."""

LAST_WEEK = "SELECT max(week_start) FROM brand_analytics.fct_rx_weekly"

#: One row per brand that had fills in the last 26 weeks.
BRANDS = """
WITH fills AS (
    SELECT drug_key,
        coalesce(sum(fills) FILTER (WHERE week_start > $last - 91), 0)::BIGINT AS now,
        coalesce(sum(fills) FILTER (WHERE week_start <= $last - 91), 0)::BIGINT AS prior
    FROM brand_analytics.fct_rx_weekly
    WHERE week_start > $last - 182
    GROUP BY drug_key
), calls AS (
    SELECT brand_id,
        sum(calls) FILTER (WHERE "month" > this_month - INTERVAL 3 MONTH)::BIGINT AS now,
        sum(calls) FILTER (WHERE "month" <= this_month - INTERVAL 3 MONTH)::BIGINT AS prior
    FROM brand_analytics.brand_performance, (SELECT date_trunc('month', $last + 6) AS this_month)
    WHERE "month" > this_month - INTERVAL 6 MONTH
    GROUP BY brand_id
), access AS (
    SELECT brand_id, round(100.0 * coalesce(sum(fct_access.enrollment) FILTER (WHERE is_preferred), 0)
        / sum(fct_access.enrollment), 1) AS preferred
    FROM brand_analytics.fct_access
    JOIN brand_analytics.dim_plan USING (plan_key)
    WHERE line_of_business <> 'cash'
    GROUP BY brand_id
), shared AS (
    SELECT brand_id, brand_name, basket_name, fills.now, fills.prior,
        fills.now / nullif(sum(fills.now) OVER basket, 0) AS share,
        fills.prior / nullif(sum(fills.prior) OVER basket, 0) AS prior_share
    FROM fills JOIN brand_analytics.dim_drug USING (drug_key)
    WHERE brand_id <> 'UNKNOWN'
    WINDOW basket AS (PARTITION BY basket_name)
)
SELECT brand_id, brand_name, basket_name, shared.now, shared.prior,
    round(100.0 * (shared.now - shared.prior) / nullif(shared.prior, 0), 1)::DOUBLE,
    round(coalesce(share, 0), 4)::DOUBLE,
    round(100 * (coalesce(share, 0) - coalesce(prior_share, 0)), 2)::DOUBLE,
    coalesce(calls.now, 0), coalesce(calls.prior, 0), preferred::DOUBLE
FROM shared LEFT JOIN calls USING (brand_id) LEFT JOIN access USING (brand_id)
ORDER BY basket_name, shared.now DESC, brand_id
"""

#: Fills per week of each brand of the basket, and their mean over the four weeks up to it.
POINTS = """
WITH brands AS (SELECT drug_key, brand_id FROM brand_analytics.dim_drug WHERE basket_name = $basket),
weeks AS (SELECT DISTINCT week_start FROM brand_analytics.fct_rx_weekly),
rx AS (
    SELECT week_start, drug_key, sum(fills) AS fills
    FROM brand_analytics.fct_rx_weekly SEMI JOIN brands USING (drug_key)
    GROUP BY ALL
), busy AS (
    SELECT brand_id, drug_key FROM brands SEMI JOIN rx USING (drug_key)
), levels AS (
    SELECT week_start, brand_id,
        avg(coalesce(rx.fills, 0)) OVER (PARTITION BY brand_id ORDER BY week_start ROWS 3 PRECEDING) AS level,
        row_number() OVER (PARTITION BY brand_id ORDER BY week_start) AS place
    FROM weeks CROSS JOIN busy LEFT JOIN rx USING (week_start, drug_key)
)
SELECT week_start, brand_id, round(level, 2)::DOUBLE
FROM levels
WHERE place >= 4
ORDER BY brand_id, week_start
"""

_YEAR = """
year AS (
    SELECT territory_id, brand_id,
        coalesce(sum(fills) FILTER (WHERE week_start > $last - 364), 0)::BIGINT AS now,
        coalesce(sum(fills) FILTER (WHERE week_start <= $last - 364), 0)::BIGINT AS prior
    FROM brand_analytics.fct_rx_weekly
    JOIN brand_analytics.dim_territory USING (territory_key)
    JOIN brand_analytics.dim_drug USING (drug_key)
    WHERE basket_name = $basket AND week_start > $last - 728 AND territory_id <> 'UNKNOWN'
    GROUP BY territory_id, brand_id
)
"""

TERRITORY_SHARES = f"""
WITH {_YEAR}
SELECT territory_id, brand_id, round(now / sum(now) OVER (PARTITION BY territory_id), 4)::DOUBLE
FROM year
QUALIFY sum(now) OVER (PARTITION BY territory_id) > 0
ORDER BY territory_id, brand_id
"""

TERRITORIES = f"""
WITH {_YEAR},
calls AS (
    SELECT territory_id, sum(calls)::BIGINT AS calls
    FROM brand_analytics.brand_performance
    WHERE brand_id = $brand AND "month" > date_trunc('month', $last + 6) - INTERVAL 12 MONTH
    GROUP BY territory_id
)
SELECT territory_id, any_value(territory_name), sum(now)::BIGINT,
    round(100.0 * (sum(now) - sum(prior)) / nullif(sum(prior), 0), 1)::DOUBLE,
    coalesce(any_value(calls.calls), 0),
    coalesce(sum(now) FILTER (WHERE brand_id = $brand), 0)::BIGINT,
    round(100.0 * (sum(now) FILTER (WHERE brand_id = $brand) - sum(prior) FILTER (WHERE brand_id = $brand))
        / nullif(sum(prior) FILTER (WHERE brand_id = $brand), 0), 1)::DOUBLE
FROM year
JOIN brand_analytics.dim_territory USING (territory_id)
LEFT JOIN calls USING (territory_id)
GROUP BY territory_id
ORDER BY 3 DESC, territory_id
"""

#: Percent of insured members by the terms on which their plan covers a brand: 1 preferred (as
#: brand_analytics.fct_access has it); 2 tier 1 or 2 with something to ask for first; 3 to 5 the tier;
#: 0 not covered.
ACCESS = """
WITH terms AS (
    SELECT dim_drug.brand_id, fct_access.enrollment,
        CASE WHEN is_preferred THEN 1 WHEN NOT is_covered THEN 0 ELSE greatest(tier, 2) END AS terms
    FROM brand_analytics.fct_access
    JOIN brand_analytics.dim_plan USING (plan_key)
    JOIN brand_analytics.dim_drug USING (drug_key)
    WHERE basket_name = $basket AND line_of_business <> 'cash'
), members AS (
    SELECT brand_id, terms, sum(enrollment) AS members FROM terms GROUP BY ALL
)
SELECT brand_id, terms, round(100.0 * members / sum(members) OVER (PARTITION BY brand_id), 1)::DOUBLE
FROM members
ORDER BY brand_id, terms
"""

#: The country as a grid of dots, 66 km apart, each of the territory that most of its people belong to.
#: Albers' equal-area conic with the parallels of the US Geological Survey (Snyder 1987, p. 98); Alaska and
#: Hawaii are set below the south-west, on a scale of their own, as maps of the country do.
DOTS = """
WITH cone AS (
    SELECT (sin(radians(29.5)) + sin(radians(45.5))) / 2 AS n,
        pow(cos(radians(29.5)), 2) + sin(radians(29.5)) * (sin(radians(29.5)) + sin(radians(45.5))) AS c
), placed AS (
    SELECT territory_id, coalesce(population, 0) AS people, state, latitude, longitude,
        6371 * sqrt(c - 2 * n * sin(radians(latitude))) / n AS rho,
        6371 * sqrt(c - 2 * n * sin(radians(37.5))) / n AS rho_middle,
        radians(n * (longitude + 96)) AS theta
    FROM geography.zip_area JOIN geography.zip_territory USING (zip5) CROSS JOIN cone
    WHERE (latitude BETWEEN 24 AND 50 AND longitude BETWEEN -125 AND -66)
        OR (state = 'AK' AND latitude > 50 AND longitude BETWEEN -170 AND -130)
        OR (state = 'HI' AND latitude BETWEEN 18 AND 23)
), projected AS (
    SELECT territory_id, people,
        CASE state WHEN 'AK' THEN (longitude + 152) * 17 - 1850 WHEN 'HI' THEN (longitude + 157.5) * 104 - 950
            ELSE rho * sin(theta) END AS east,
        CASE state WHEN 'AK' THEN (latitude - 64) * 39 - 1200 WHEN 'HI' THEN (latitude - 20.5) * 111 - 1400
            ELSE rho_middle - rho * cos(theta) END AS north
    FROM placed
), cells AS (
    SELECT *, round(north / 57.16)::INTEGER AS line, round(east / 66 - (abs(line) % 2) / 2)::INTEGER AS place
    FROM projected
), counted AS (
    SELECT line, place, territory_id, sum(people) AS people FROM cells GROUP BY ALL HAVING people > 0
)
SELECT (place + (abs(line) % 2) / 2) * 66.0, line * 57.16::DOUBLE, territory_id
FROM counted
QUALIFY row_number() OVER (PARTITION BY line, place ORDER BY people DESC, territory_id) = 1
ORDER BY line, place
"""

#: Calls on a brand by month, the last 12 months.
CALLS = """
SELECT "month", sum(calls)::BIGINT
FROM brand_analytics.brand_performance
WHERE brand_id = $brand AND "month" > date_trunc('month', $last + 6) - INTERVAL 12 MONTH
GROUP BY ALL
ORDER BY "month"
"""
