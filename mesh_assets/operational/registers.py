"""Two systems that know the same people differently: the sales CRM and the national NPI registry.

Here: their exports, the registry's change log and the hospitals' rosters, with their disagreements.
Not here: settling the disagreements (the hcp domain).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import copy_out
from mesh_assets.operational.reference import seed

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


def write_registers(con: Connection, folder: Path) -> None:
    """The four drops about people, from the table `person`."""
    con.execute(_ACCOUNT)
    con.execute(_REGISTRY)
    accounts = "SELECT * EXCLUDE (i, number, copy, without_npi, zip_cut) FROM account ORDER BY number"
    copy_out(con, accounts, folder / "hcp/crm_accounts.csv")
    copy_out(con, "SELECT * EXCLUDE (i, spot) FROM registry ORDER BY npi", folder / "hcp/npi_registry.csv")
    copy_out(con, _CHANGES, folder / "hcp/npi_registry_changes.csv")
    copy_out(con, _ROSTER.format(hospital=seed("hospital")), folder / "hcp/affiliation_roster.csv")


# Every prescriber once, and 4% a second time as another representative typed them: nickname or initial,
# capitals, another abbreviation of the street, often without the NPI.
_ACCOUNT = """
CREATE OR REPLACE TEMP TABLE account AS
WITH numbered AS (
    SELECT *, i AS number, FALSE AS copy FROM person WHERE active
    UNION ALL
    SELECT *, (SELECT max(i) + 1 FROM person WHERE active) + i, TRUE FROM person WHERE active
        AND chance(i, 20, 40)
), marked AS (
    SELECT *,
        IF(copy, chance(i, 21, 500), chance(i, 22, 30)) AS without_npi,
        zip5 LIKE '0%' AND chance(number, 23, 600) AS zip_cut
    FROM numbered
)
SELECT i, number, copy, without_npi, zip_cut,
    'A' || lpad((number + 1)::VARCHAR, 7, '0') AS account_id,
    IF(without_npi, NULL, npi) AS npi,
    CASE WHEN NOT copy THEN first_name
        WHEN chance(i, 24, 400) THEN substr(first_name, 1, 1) || '.'
        WHEN chance(i, 25, 500) THEN upper(first_name) ELSE substr(first_name, 1, 4) END AS first_name,
    CASE WHEN NOT copy THEN last_name WHEN chance(i, 26, 600) THEN upper(strip_accents(last_name))
        ELSE '  ' || last_name END AS last_name,
    CASE WHEN credentials = 'MD' THEN (['MD', 'M.D.', 'MD', 'DO', 'M.D'])[1 + pick(number, 27, 5)]
        ELSE credentials END AS credentials,
    specialty,
    IF(copy, upper(replace(replace(address, 'Ave', 'Avenue'), 'St', 'Street')), address) AS address,
    IF(chance(number, 28, 150), upper(city), city) AS city,
    IF(chance(number, 29, 30), lower(state), state) AS state,
    IF(zip_cut, ltrim(zip5, '0'), zip5) AS zip,
    IF(chance(number, 30, 250), NULL, lower(regexp_replace(
        strip_accents(first_name || '.' || last_name), '[^A-Za-z.]', '', 'g'
    )) || i || '@example.org') AS email,
    IF(deactivated OR chance(number, 31, 40), 'Inactive', 'Active') AS status,
    DATE '2022-01-03' + pick(number, 32, 1080)::INTEGER AS updated_on
FROM marked ORDER BY number
"""

# The registry writes capitals without accents, knows some people under a later name, and 6% at a new address.
_REGISTRY = """
CREATE OR REPLACE TEMP TABLE registry AS
WITH moved AS (
    SELECT * EXCLUDE (spot), IF(chance(i, 40, 60), (spot + 180000 + pick(i, 41, 200000))
        % (SELECT max(people) FROM place), spot) AS spot
    FROM person
)
SELECT moved.i, moved.spot, npi, '1' AS entity_type,
    upper(strip_accents(IF(chance(i, 42, 15), other.name, last_name))) AS last_name,
    upper(strip_accents(first_name)) AS first_name, middle_name,
    CASE WHEN credentials = 'MD' THEN 'M.D.' ELSE credentials END AS credential,
    taxonomy AS taxonomy_code, specialty AS taxonomy,
    upper(address) AS practice_address, upper(place.city) AS practice_city, place.state AS practice_state,
    place.zip5 || lpad((1 + pick(i, 44, 9999))::VARCHAR, 4, '0') AS practice_zip,
    enumerated AS enumeration_date,
    IF(deactivated, DATE '2023-01-01' + pick(i, 46, 700)::INTEGER,
        DATE '2021-05-01' + pick(i, 45, 1330)::INTEGER) AS last_update,
    IF(deactivated, DATE '2023-01-01' + pick(i, 46, 700)::INTEGER, NULL) AS deactivation_date
FROM moved
ASOF JOIN place ON moved.spot >= place.people_before
JOIN name_last AS other ON other.number = pick(moved.i, 43, (SELECT max(names) FROM name_last))
ORDER BY moved.i
"""

# One to four states of a person, oldest first; the last is what the registry shows now.
_CHANGES = """
WITH counted AS (
    SELECT registry.*, specialty_no,
        1 + CASE WHEN chance(i, 50, 550) THEN 0 WHEN chance(i, 51, 660) THEN 1
            WHEN chance(i, 52, 800) THEN 2 ELSE 3 END + (deactivation_date IS NOT NULL)::INTEGER AS states
    FROM registry JOIN person USING (i)
), stated AS (
    SELECT *, unnest(range(states)) AS nth FROM counted
), dated AS (
    SELECT *,
        CASE WHEN nth = 0 THEN enumeration_date
            WHEN nth = states - 1 AND deactivation_date IS NOT NULL THEN deactivation_date
            ELSE greatest(enumeration_date, DATE '2020-01-01') + (nth * 210 + pick(i, 53 + nth, 200))::INTEGER
            END AS valid_from,
        states - 1 - nth - (deactivation_date IS NOT NULL AND nth < states - 1)::INTEGER AS older,
        (spot + 90000 * (states - 1 - nth - (deactivation_date IS NOT NULL AND nth < states - 1)::INTEGER))
            % (SELECT max(people) FROM place) AS was_spot
    FROM stated
)
SELECT npi, valid_from,
    IF(older > 0 AND chance(i, 58, 250), 'Internal Medicine', taxonomy) AS specialty,
    place.zip5,
    IF(nth = states - 1 AND deactivation_date IS NOT NULL, 'inactive', 'active') AS status
FROM dated ASOF JOIN place ON dated.was_spot >= place.people_before
ORDER BY npi, valid_from
"""

# Hospitals of the prescriber's state, two of three with a certification number; a quarter have a second
# affiliation.
_ROSTER = """
WITH hospital AS (
    SELECT ccn, state, row_number() OVER (PARTITION BY state ORDER BY ccn) - 1 AS number,
        count(*) OVER (PARTITION BY state) AS hospitals
    FROM (SELECT DISTINCT ccn, state FROM read_parquet('{hospital}') WHERE ccn IS NOT NULL)
), affiliated AS (
    SELECT i, npi, state, unnest(range(
        CASE WHEN chance(i, 60, 250) THEN 2 WHEN chance(i, 61, 800) THEN 1 ELSE 0 END)) AS second
    FROM person
)
SELECT npi, hospital.ccn,
    (['attending', 'attending', 'admitting', 'courtesy', 'consulting'])[1 + pick(i, 62 + second, 5)] AS role,
    (DATE '2012-01-01' + pick(i, 64 + second, 3900)::INTEGER) AS from_date,
    IF(chance(i, 66 + second, 120), DATE '2023-01-01' + pick(i, 68 + second, 700)::INTEGER, NULL) AS to_date
FROM affiliated JOIN hospital
    ON hospital.state = affiliated.state AND hospital.number = pick(i, 70 + second, 1000003) % hospitals
ORDER BY npi, ccn, from_date
"""
