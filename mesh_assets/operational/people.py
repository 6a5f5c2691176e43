"""The people that the example's systems know: prescribers, by rank of what they prescribe.

Here: one row per prescriber with everything that two systems may later disagree on.
Not here: how the CRM and the registry tell it (registers.py), what the prescribers do (claims.py,
field_force.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_assets.operational.reference import seed

if TYPE_CHECKING:
    import duckdb

BASKETS = (
    "anticoagulant",
    "oral_diabetes",
    "glp1",
    "insulin",
    "respiratory",
    "lipid",
    "migraine",
    "immunology",
)

#: Name, NUCC taxonomy code, permille of prescribers, credentials, percent of fills by basket (order of
#: BASKETS).
SPECIALTIES = (
    ("Internal Medicine", "207R00000X", 220, "MD", (18, 24, 14, 12, 14, 14, 3, 1)),
    ("Family Medicine", "207Q00000X", 240, "MD", (14, 24, 15, 13, 17, 13, 3, 1)),
    ("Cardiovascular Disease", "207RC0000X", 90, "MD", (58, 8, 3, 1, 1, 28, 0, 1)),
    ("Endocrinology, Diabetes & Metabolism", "207RE0101X", 45, "MD", (2, 30, 30, 30, 0, 7, 0, 1)),
    ("Pulmonary Disease", "207RP1001X", 45, "MD", (6, 1, 0, 1, 90, 1, 0, 1)),
    ("Neurology", "2084N0400X", 50, "MD", (8, 1, 1, 1, 1, 4, 83, 1)),
    ("Rheumatology", "207RR0500X", 30, "MD", (2, 2, 1, 1, 2, 2, 1, 89)),
    ("Dermatology", "207N00000X", 35, "MD", (0, 1, 1, 0, 1, 1, 1, 95)),
    ("Gastroenterology", "207RG0100X", 30, "MD", (6, 4, 2, 2, 2, 4, 1, 79)),
    ("Nurse Practitioner, Family", "363LF0000X", 130, "NP", (15, 23, 16, 13, 15, 12, 5, 1)),
    ("Physician Assistant", "363A00000X", 85, "PA-C", (16, 22, 14, 12, 16, 13, 5, 2)),
)

#: Census divisions, which carry the differences between regions; geography aligns territories inside them.
DIVISIONS = (
    ("East North Central", ("IL", "IN", "MI", "OH", "WI")),
    ("East South Central", ("AL", "KY", "MS", "TN")),
    ("Middle Atlantic", ("NJ", "NY", "PA")),
    ("Mountain", ("AZ", "CO", "ID", "MT", "NM", "NV", "UT", "WY")),
    ("New England", ("CT", "MA", "ME", "NH", "RI", "VT")),
    ("Pacific", ("AK", "CA", "HI", "OR", "WA")),
    ("South Atlantic", ("DC", "DE", "FL", "GA", "MD", "NC", "SC", "VA", "WV")),
    ("West North Central", ("IA", "KS", "MN", "MO", "ND", "NE", "SD")),
    ("West South Central", ("AR", "LA", "OK", "TX")),
)

_STREETS = ("Main St", "Oak Ave", "Park Blvd", "Medical Center Dr", "Elm St", "Lakeview Rd",
            "Hospital Way", "5th Ave", "Church St", "Maple Ave", "Washington Blvd", "Clinic Ln",
            "River Rd", "Highland Ave")  # fmt: skip


def prescribers_at(scale: float) -> int:
    """How many prescribers write fills and have an account in the CRM."""
    return max(40, round(2_000 * scale))


def make_people(con: duckdb.DuckDBPyConnection, scale: float) -> None:
    """Tables `place` (ZIP codes by people), `specialty`, `treats`, `name_first`, `name_last` and `person`.

    `treats` has 100 slots per specialty (specialty * 100 + 0 to 99), each with a basket for a draw to find.
    Persons 0 to n-1 write fills, 0 the most; the n/20 after them are in the NPI registry alone.
    """
    _make_places(con)
    _make_words(con)
    _make_specialties(con)
    con.execute(_PERSON.format(count=prescribers_at(scale), streets=list(_STREETS)))


def _make_places(con: duckdb.DuckDBPyConnection) -> None:
    rows = ", ".join(f"({n}, '{s}')" for n, (_, states) in enumerate(DIVISIONS) for s in states)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE state_division AS
        SELECT *, row_number() OVER (ORDER BY state) - 1 AS state_no
        FROM (VALUES {rows}) AS t(division, state)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE place AS
        SELECT zip5, city, state, state_no, division, population,
            (sum(population) OVER (ORDER BY zip5) - population)::BIGINT AS people_before,
            (sum(population) OVER ())::BIGINT AS people
        FROM read_parquet('{seed("us_zip")}') JOIN state_division USING (state)
        WHERE population > 0 AND zip_type = 'Standard' ORDER BY zip5"""
    )


def _make_words(con: duckdb.DuckDBPyConnection) -> None:
    for kind in ("first", "last"):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE name_{kind} AS
            SELECT row_number() OVER (ORDER BY name) - 1 AS number, name, count(*) OVER () AS names
            FROM read_parquet('{seed("person_name")}') WHERE kind = '{kind}'"""
        )


def _make_specialties(con: duckdb.DuckDBPyConnection) -> None:
    rows, treated, reached = [], [], 0
    for number, (name, taxonomy, permille, credentials, mix) in enumerate(SPECIALTIES):
        rows.append(f"({number}, '{name}', '{taxonomy}', {reached}, {reached + permille}, '{credentials}')")
        slots = [basket for basket, percent in enumerate(mix) for _ in range(percent)]
        treated += [f"({number * 100 + slot}, {basket})" for slot, basket in enumerate(slots)]
        reached += permille
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE specialty AS FROM (VALUES {", ".join(rows)})
        AS t(number, specialty, taxonomy, above, below, credentials)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE treats AS FROM (VALUES {", ".join(treated)}) AS t(slot, basket_no)"""
    )


# `reach` is 0 to 10: how much attention the field force gives. It follows the rank loosely, so that calls and
# fills correlate without one being the other.
_PERSON = """
CREATE OR REPLACE TEMP TABLE person AS
WITH drawn AS (
    SELECT i, npi_of(i) AS npi,
        pick(i, 1, (SELECT max(people) FROM place)) AS spot,
        pick(i, 2, 1000) AS specialty_draw,
        pick(i, 3, (SELECT max(names) FROM name_first)) AS first_draw,
        pick(i, 4, (SELECT max(names) FROM name_last)) AS last_draw,
        greatest(0, least(10, (10 * ({count} - i)) // {count} - 3 + pick(i, 5, 5))) AS reach,
        substr('ABCDEFGHJKLMNPRSTW', 1 + pick(i, 6, 18), 1) AS middle_name,
        (1 + pick(i, 7, 4800))::VARCHAR || ' ' || ({streets})[1 + pick(i, 8, {streets_count})] AS address,
        DATE '2006-06-01' + pick(i, 9, 4900)::INTEGER AS enumerated,
        chance(i, 10, 20) AND i >= {count} // 10 AS deactivated
    FROM range({count} + {count} // 20) AS t(i)
)
SELECT drawn.i::BIGINT AS i, npi, first.name AS first_name, last.name AS last_name, middle_name,
    specialty.credentials, specialty.number AS specialty_no, specialty.specialty, specialty.taxonomy,
    address, place.zip5, place.city, place.state, place.state_no, place.division, drawn.spot,
    reach, enumerated, deactivated, i < {count} AS active
FROM drawn
ASOF JOIN place ON drawn.spot >= place.people_before
JOIN specialty ON specialty_draw >= above AND specialty_draw < below
JOIN name_first AS first ON first.number = first_draw
JOIN name_last AS last ON last.number = last_draw
ORDER BY i
""".replace("{streets_count}", str(len(_STREETS)))
