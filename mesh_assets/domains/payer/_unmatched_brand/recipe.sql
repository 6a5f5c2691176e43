-- input: drug.brand
-- source: formulary_filing

-- Filed entries whose brand drug.brand does not know, by code or by name: what formulary_coverage leaves out, as it
-- was filed, so that somebody can look at it. Names are compared by their letters and digits alone, as
-- program/filings.py does.
WITH directory AS (
    SELECT regexp_replace(upper(brand_name), '[^A-Z0-9]', '', 'g') AS name FROM drug.brand
)
SELECT *
FROM source.formulary_filing
WHERE regexp_replace(upper(brand_code), '[^A-Z0-9]', '', 'g') NOT IN (SELECT name FROM directory)
    AND regexp_replace(upper(brand_name), '[^A-Z0-9]', '', 'g') NOT IN (SELECT name FROM directory)
ORDER BY formulary_id, brand_code, effective_from
