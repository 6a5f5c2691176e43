-- Every aligned ZIP code with its territory: each census division, its ZIP codes in order of state and code, is cut
-- where the people counted so far pass an equal share.
-- input: geography.zip_area
WITH placed AS (
    -- Island ZIP codes of the Pacific have no population of their own to make a territory of: Hawaii's neighbours.
    SELECT
        zip5,
        city,
        state,
        if(division = 'Pacific Islands', 'Pacific', division) AS division,
        coalesce(population, 0) AS population
    FROM geography.zip_area
    WHERE division IS NOT NULL
),

division AS (
    -- 60 territories share the country; a division gets as many as its people ask for, and at least one.
    SELECT
        division,
        sum(population) AS people,
        greatest(1, round(60 * sum(population) / sum(sum(population)) OVER ())::INTEGER) AS territories
    FROM placed
    GROUP BY division
),

numbered AS (
    SELECT
        *,
        coalesce(sum(territories) OVER (
            ORDER BY division ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS before
    FROM division
),

state_order AS (
    -- States in the order of their first ZIP code, which runs along the map from Maine to Alaska.
    SELECT state, min(zip5) AS first_zip FROM placed GROUP BY state
),

counted AS (
    -- The middle of a ZIP code decides its side of a cut: integers only, so the cut is the same on every machine.
    SELECT
        placed.*,
        2 * sum(placed.population) OVER (
            PARTITION BY placed.division
            ORDER BY state_order.first_zip, placed.zip5
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) - placed.population AS twice_middle
    FROM placed
    INNER JOIN state_order USING (state)
)

SELECT
    counted.zip5,
    counted.city,
    counted.state,
    counted.division,
    counted.population,
    (least(
        numbered.territories - 1,
        (counted.twice_middle * numbered.territories) // greatest(2 * numbered.people, 1)
    ) + 1)::INTEGER AS place_in_division,
    'T' || lpad((numbered.before + place_in_division)::INTEGER::VARCHAR, 3, '0') AS territory_id
FROM counted
INNER JOIN numbered USING (division)
ORDER BY counted.zip5
