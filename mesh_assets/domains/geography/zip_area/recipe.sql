-- ZIP codes as delivered, with the census region and division of their state.
-- source: us_zip
WITH division(division, region, states) AS (
    VALUES
        ('New England', 'Northeast', ['CT', 'MA', 'ME', 'NH', 'RI', 'VT']),
        ('Middle Atlantic', 'Northeast', ['NJ', 'NY', 'PA']),
        ('East North Central', 'Midwest', ['IL', 'IN', 'MI', 'OH', 'WI']),
        ('West North Central', 'Midwest', ['IA', 'KS', 'MN', 'MO', 'ND', 'NE', 'SD']),
        ('South Atlantic', 'South', ['DC', 'DE', 'FL', 'GA', 'MD', 'NC', 'SC', 'VA', 'WV']),
        ('East South Central', 'South', ['AL', 'KY', 'MS', 'TN']),
        ('West South Central', 'South', ['AR', 'LA', 'OK', 'TX']),
        ('Mountain', 'West', ['AZ', 'CO', 'ID', 'MT', 'NM', 'NV', 'UT', 'WY']),
        ('Pacific', 'West', ['AK', 'CA', 'HI', 'OR', 'WA']),
        ('Caribbean', 'Islands', ['PR', 'VI']),
        ('Pacific Islands', 'Islands', ['AS', 'GU', 'MH', 'MP'])
),

state_division AS (
    SELECT unnest(states) AS state, region, division FROM division
)

SELECT
    zip.zip5,
    zip.city,
    zip.state,
    state_division.region,
    state_division.division,
    zip.county,
    zip.county_fips,
    zip.cbsa,
    zip.latitude,
    zip.longitude,
    zip.population,
    zip.median_income,
    zip.median_age,
    zip.zip_type
FROM source.us_zip AS zip
LEFT JOIN state_division USING (state)
ORDER BY zip.zip5
