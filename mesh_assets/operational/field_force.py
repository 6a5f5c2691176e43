"""The sales force: representatives, their calls and the samples they leave, week by week.

Here: who is called on (the more reach a prescriber has, the oftener), about which brand, with what result.
Not here: money spent on people (spending.py), what prescribers then do (claims.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import copy_out, write_rows
from mesh_assets.operational.reference import seed
from mesh_assets.operational.weeks import COUNT, key_of

if TYPE_CHECKING:
    import duckdb

#: Pairs of prescriber and week that are looked at at once; memory follows it, not the scale.
BATCH = 2_000_000
TEAMS = ("cardiometabolic", "specialty")


def make_field_force(con: duckdb.DuckDBPyConnection) -> None:
    """Tables `aligned` (ZIP code to territory) and `rep` (two per territory)."""
    con.execute(_ALIGNED)
    con.execute(_REP)


def write_field_force(
    con: duckdb.DuckDBPyConnection, folder: Path, *, only: Sequence[int] = ()
) -> Iterator[str]:
    """The list of representatives, then calls and samples of all weeks (or of week numbers `only`)."""
    copy_out(con, "SELECT * FROM rep ORDER BY rep_id", folder / "engagement/reps.csv")
    wanted = sorted(only) if only else list(range(COUNT))
    people = con.execute("SELECT count(*) FROM person").fetchone() or (1,)
    together = max(1, BATCH // people[0])
    for first in range(0, len(wanted), together):
        batch = wanted[first : first + together]
        con.execute(_CALL.format(weeks=batch))
        con.execute(_SAMPLE)
        for number in batch:
            for what, key in (("call", "call_id"), ("sample", "drop_id")):
                rows = f"SELECT * EXCLUDE (c, week) FROM {what} WHERE week = {number} ORDER BY {key}"
                write_rows(con, rows, folder / f"engagement/{what}s" / f"{key_of(number)}.csv")
            yield key_of(number)
    con.execute("DROP TABLE IF EXISTS call; DROP TABLE IF EXISTS sample")


# The sales force is aligned as geography.territory is: 60 shares of the country, cut inside census divisions.
_ALIGNED = f"""
CREATE OR REPLACE TEMP TABLE aligned AS
WITH placed AS (
    SELECT zip5, state, coalesce(population, 0)::BIGINT AS population, CASE
        WHEN state IN ('CT', 'MA', 'ME', 'NH', 'RI', 'VT') THEN 'New England'
        WHEN state IN ('NJ', 'NY', 'PA') THEN 'Middle Atlantic'
        WHEN state IN ('IL', 'IN', 'MI', 'OH', 'WI') THEN 'East North Central'
        WHEN state IN ('IA', 'KS', 'MN', 'MO', 'ND', 'NE', 'SD') THEN 'West North Central'
        WHEN state IN ('DC', 'DE', 'FL', 'GA', 'MD', 'NC', 'SC', 'VA', 'WV') THEN 'South Atlantic'
        WHEN state IN ('AL', 'KY', 'MS', 'TN') THEN 'East South Central'
        WHEN state IN ('AR', 'LA', 'OK', 'TX') THEN 'West South Central'
        WHEN state IN ('AZ', 'CO', 'ID', 'MT', 'NM', 'NV', 'UT', 'WY') THEN 'Mountain'
        WHEN state IN ('AK', 'CA', 'HI', 'OR', 'WA', 'AS', 'GU', 'MH', 'MP') THEN 'Pacific'
        WHEN state IN ('PR', 'VI') THEN 'Caribbean' END AS division
    FROM read_parquet('{seed("us_zip")}')
), sized AS (
    SELECT division, sum(population)::BIGINT AS people,
        greatest(1, round(60 * sum(population) / sum(sum(population)) OVER ())::INTEGER) AS territories
    FROM placed WHERE division IS NOT NULL GROUP BY division
), numbered AS (
    SELECT *, sum(territories) OVER (ORDER BY division) - territories AS before FROM sized
), state_order AS (
    SELECT state, min(zip5) AS first_zip FROM placed WHERE division IS NOT NULL GROUP BY state
), counted AS (
    SELECT zip5, division, 2 * sum(population) OVER (PARTITION BY division ORDER BY first_zip, zip5)
        - population AS middle
    FROM placed JOIN state_order USING (state)
)
SELECT zip5,
    (before + least(territories - 1, middle * territories // greatest(2 * people, 1)) + 1)::INTEGER
        AS territory_no
FROM counted JOIN numbered USING (division)
"""

_REP = f"""
CREATE OR REPLACE TEMP TABLE rep AS
SELECT 'R' || lpad(territory_no::VARCHAR, 3, '0') || chr(65 + team_no::INTEGER) AS rep_id,
    first.name || ' ' || last.name AS rep_name, territory_no, ({list(TEAMS)})[1 + team_no] AS team
FROM (SELECT DISTINCT territory_no FROM aligned) AS t, range({len(TEAMS)}) AS u(team_no)
JOIN name_first AS first
    ON first.number = pick(territory_no * 2 + team_no, 130, (SELECT max(names) FROM name_first))
JOIN name_last AS last
    ON last.number = pick(territory_no * 2 + team_no, 131, (SELECT max(names) FROM name_last))
"""

#: Further weeks are numbered after all calls that any scale may have in the first ones.
NUMBER = f"IF(week < {COUNT}, person.i * {COUNT} + week, 5000000000 + person.i * 1000 + week)"

# A call is the pair of prescriber and week, numbered c. A brand is detailed from four weeks before launch.
_CALL = f"""
CREATE OR REPLACE TEMP TABLE call AS
WITH due AS (
    SELECT person.i, {NUMBER} AS c, week, npi, specialty_no,
        'R' || lpad(territory_no::VARCHAR, 3, '0') || IF(specialty_no BETWEEN 5 AND 8, 'B', 'A') AS rep_id
    FROM person JOIN aligned USING (zip5),
        (SELECT unnest({{weeks}}) AS week)
    WHERE person.active AND chance({NUMBER}, 140, reach * 60)
), held AS (
    SELECT due.*, one.basket_no AS basket_1, two.basket_no AS basket_2,
        CASE WHEN pick(c, 141, 100) < 55 THEN 'in_person' WHEN pick(c, 141, 100) < 80 THEN 'remote'
            ELSE 'email' END AS channel
    FROM due
    JOIN treats AS one ON one.slot = specialty_no * 100 + draw(i, 142) % 100
    JOIN treats AS two ON two.slot = specialty_no * 100 + draw(c, 143) % 100
)
SELECT held.c, week, 'C' || lpad((c + 1)::VARCHAR, 10, '0') AS call_id, rep_id, npi,
    DATE '2023-01-02' + (week * 7 + pick(c, 144, 5))::INTEGER AS call_date, channel,
    CASE channel WHEN 'email' THEN NULL WHEN 'remote' THEN 5 + pick(c, 145, 20) ELSE 4 + pick(c, 145, 40) END
        AS duration_minutes,
    CASE WHEN one.launch_week > week + 4 THEN NULL WHEN chance(c, 146, 50) THEN lower(one.brand)
        ELSE one.brand END AS brand_1,
    IF(basket_2 <> basket_1 AND two.launch_week <= week + 4 AND chance(c, 147, 600), two.brand, NULL)
        AS brand_2,
    CASE WHEN channel = 'email' THEN IF(chance(c, 148, 300), 'opened', 'sent')
        WHEN channel = 'in_person' AND chance(c, 149, 450) AND one.launch_week <= week + 4 THEN 'samples_left'
        ELSE (['detailed', 'detailed', 'detailed', 'follow_up', 'declined', 'not_available']
            )[1 + pick(c, 150, 6)] END AS outcome
FROM held
JOIN brand AS one ON one.promoted AND one.basket_no = basket_1
JOIN brand AS two ON two.promoted AND two.basket_no = basket_2
ORDER BY week, call_id
"""

_SAMPLE = """
CREATE OR REPLACE TEMP TABLE sample AS
SELECT c, week, 'D' || call_id[2:] AS drop_id, call_id, rep_id, npi,
    sample_ndcs[1 + draw(c, 151) % len(sample_ndcs)] AS ndc11,
    1 + pick(c, 152, 8) AS quantity, call_date AS drop_date, IF(chance(c, 153, 30), 'N', 'Y') AS signature
FROM call JOIN brand ON brand.brand = upper(brand_1)
WHERE outcome = 'samples_left' ORDER BY week, drop_id
"""
