-- One row per territory: where it lies, what it is called after, how many people live there.
-- input: geography.zip_area
-- input: geography._alignment
WITH city AS (
    SELECT territory_id, city, state, sum(population) AS people
    FROM geography._alignment
    GROUP BY territory_id, city, state
),

largest_city AS (
    SELECT territory_id, city, state
    FROM city
    QUALIFY row_number() OVER (PARTITION BY territory_id ORDER BY people DESC, city, state) = 1
),

territory AS (
    SELECT
        alignment.territory_id,
        alignment.division,
        alignment.place_in_division,
        mode(zip_area.region) AS region,
        string_agg(DISTINCT alignment.state, ', ' ORDER BY alignment.state) AS states,
        count(*)::INTEGER AS zip_count,
        sum(alignment.population)::BIGINT AS population
    FROM geography._alignment AS alignment
    INNER JOIN geography.zip_area USING (zip5)
    GROUP BY alignment.territory_id, alignment.division, alignment.place_in_division
)

SELECT
    territory.territory_id,
    territory.division || ' ' || territory.place_in_division || ': ' || largest_city.city || ', '
    || largest_city.state AS territory_name,
    territory.region,
    territory.division,
    territory.states,
    territory.zip_count,
    territory.population
FROM territory
INNER JOIN largest_city USING (territory_id)
ORDER BY territory.territory_id
