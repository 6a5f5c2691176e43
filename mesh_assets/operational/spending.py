"""What manufacturers pay to prescribers, in the manner of Open Payments, and one year of Part D claims.

Here: the generated ledger of payments with its double payments and drifting NDC formats, and a stand-in for
the yearly Part D file.
Not here: the real CMS files (real.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import copy_out
from mesh_assets.operational.people import prescribers_at

if TYPE_CHECKING:
    import duckdb


def write_payments(con: duckdb.DuckDBPyConnection, folder: Path, *, scale: float) -> None:
    """One file for both years; it is published once a year, so it is not cut by week."""
    count = max(500, round(25_000 * scale))
    con.execute(_PAYMENTS.format(count=count, people=prescribers_at(scale)))
    query = "SELECT * EXCLUDE (k, filed) FROM payment ORDER BY filed"
    copy_out(con, query, folder / "engagement/payments.csv")


def write_part_d(con: duckdb.DuckDBPyConnection, folder: Path, *, scale: float) -> None:
    """Claims and cost of 2023 by prescriber and drug, from the upper half of prescribers, if 11 or more."""
    copy_out(con, _PART_D.format(people=prescribers_at(scale)), folder / "prescriptions/part_d.csv")


# One payment in a hundred is filed a second time under a number of its own. NDCs have ten digits without
# dashes in 2023, mostly dashes as FDA writes them in 2024; a manufacturer's name comes in three spellings.
_PAYMENTS = """
CREATE OR REPLACE TEMP TABLE payment AS
WITH row_ AS (
    SELECT k, k AS filed FROM range({count}) AS t(k)
    UNION ALL
    SELECT k, {count} + k FROM range({count}) AS t(k) WHERE chance(k, 160, 10)
), paid AS (
    SELECT *, draw(k, 161) AS u, DATE '2023-01-01' + pick(k, 162, 731)::INTEGER AS payment_date,
        pick(k, 163, 1000) AS kind FROM row_
), received AS (
    SELECT paid.*, npi, first_name, last_name, treats.basket_no
    FROM paid JOIN person ON person.i = (((u * u) >> 31) * {people}) >> 31
    JOIN treats ON treats.slot = specialty_no * 100 + draw(k, 171) % 100
), named AS (
    SELECT *, row_number() OVER (PARTITION BY basket_no ORDER BY brand_no) - 1 AS place,
        count(*) OVER (PARTITION BY basket_no) AS places,
        (dense_rank() OVER (ORDER BY manufacturer) + 100000000000)::VARCHAR AS manufacturer_id
    FROM brand
), priced AS (
    SELECT *, CASE
        WHEN kind < 880 THEN 1200 + pick(k, 164, 11800)
        WHEN kind < 910 THEN 50000 + pick(k, 164, 350000)
        WHEN kind < 940 THEN 80000 + pick(k, 164, 220000)
        WHEN kind < 985 THEN 3000 + pick(k, 164, 90000)
        ELSE 500 + pick(k, 164, 9500) END AS cents
    FROM received
)
SELECT k, filed, (500000001 + filed)::VARCHAR AS record_id,
    IF(chance(k, 165, 40), NULL, npi) AS recipient_npi,
    upper(first_name) AS recipient_first_name, upper(last_name) AS recipient_last_name, manufacturer_id,
    CASE pick(k, 166, 6) WHEN 0 THEN upper(manufacturer) WHEN 1 THEN manufacturer || ', Inc.'
        ELSE manufacturer END AS manufacturer_name,
    CASE pick(k, 167, 4) WHEN 0 THEN brand WHEN 1 THEN lower(brand)
        ELSE brand[1] || lower(brand[2:]) END AS drug_name,
    CASE WHEN chance(k, 168, 120) THEN NULL
        WHEN year(payment_date) = 2023 THEN IF(chance(k, 169, 600), replace(code, '-', ''), code)
        ELSE IF(chance(k, 169, 150), ndcs[1], code) END AS ndc,
    IF(chance(k, 170, 2), 0, cents / 100)::DECIMAL(12, 2) AS amount_usd, payment_date,
    CASE WHEN kind < 880 THEN 'Food and Beverage' WHEN kind < 910 THEN 'Consulting Fee'
        WHEN kind < 940 THEN 'Compensation for services other than consulting'
        WHEN kind < 985 THEN 'Travel and Lodging' ELSE 'Education' END AS nature,
    IF(kind BETWEEN 880 AND 939, 'Cash or cash equivalent', 'In-kind items and services') AS form
FROM priced JOIN named
    ON named.basket_no = priced.basket_no AND place = least(draw(k, 172), draw(k, 173)) % places
ORDER BY filed
"""

_PART_D = """
WITH pair AS (
    SELECT person.i, npi, brand, generic, price, brand_no, volume, person.i * 128 + brand_no AS d
    FROM person JOIN (SELECT DISTINCT slot // 100 AS specialty_no, basket_no FROM treats) USING (specialty_no)
    JOIN brand USING (basket_no)
    WHERE person.i < {people} // 2
        AND chance(person.i * 128 + brand_no, 180, least(600, volume // 3))
), counted AS (
    SELECT *, 11 + pick(d, 181, 40 + volume // 4) * ({people} - i) // {people} AS claims FROM pair
)
SELECT npi, title_case(generic) AS generic_name, title_case(brand) AS brand_name,
    claims, claims * price * (90 + pick(d, 182, 20)) // 100 AS cost
FROM counted ORDER BY npi, generic_name, brand_name
"""
