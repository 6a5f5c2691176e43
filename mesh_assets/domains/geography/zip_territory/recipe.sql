-- The alignment: every ZIP code with its territory, or with none (military post and ZIP codes without a state).
-- input: geography.zip_area
-- input: geography.territory
-- input: geography._alignment
SELECT
    zip_area.zip5,
    territory.territory_id,
    territory.territory_name
FROM geography.zip_area
LEFT JOIN geography._alignment AS alignment USING (zip5)
LEFT JOIN geography.territory AS territory USING (territory_id)
ORDER BY zip_area.zip5
