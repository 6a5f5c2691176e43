"""Pharmacy claims: a weekly drop of what was received, late fills and reversals among them.

A drop is made from the row numbers of its own week and of the four before it, so that each can be made alone.
A patient belongs to a prescriber and keeps basket, plan and mostly brand; formulary tier, region, trend and
the attention of the field force move the brand's share.
Not here: whether a fill counts (the prescriptions domain).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import copy_out
from mesh_assets.operational.payers import SLOTS
from mesh_assets.operational.people import DIVISIONS, prescribers_at
from mesh_assets.operational.streams import MODULUS
from mesh_assets.operational.weeks import COUNT, FURTHER, LATEST, Week, weeks_of

if TYPE_CHECKING:
    import duckdb

#: Rows that are made at once; memory follows it, not the scale.
BATCH = 1_200_000
#: Reversals are numbered after all fills that any scale may have.
REVERSAL = 5_000_000_000


def write_fills(
    con: duckdb.DuckDBPyConnection, folder: Path, *, scale: float, only: Sequence[int] = ()
) -> Iterator[str]:
    """Write the drops of all weeks (or of week numbers `only`); yields each week's key when it is there."""
    weeks = weeks_of(scale, further=any(number >= COUNT for number in only))
    for batch in _batches(weeks, only):
        _make_claims(con, weeks, batch, prescribers_at(scale))
        for week in batch:
            path = folder / "prescriptions/fills" / f"{week.key}.parquet"
            copy_out(con, f"SELECT * EXCLUDE (arrival) FROM claim WHERE arrival = {week.number}", path)
            yield week.key
    con.execute("DROP TABLE IF EXISTS claim")


def _batches(weeks: Sequence[Week], only: Sequence[int]) -> Iterator[list[Week]]:
    """Neighbouring weeks together, as many as fit."""
    batch: list[Week] = []
    for week in weeks:
        if only and week.number not in only:
            continue
        if batch and (
            week.number != batch[-1].number + 1 or sum(one.fills for one in batch) + week.fills > BATCH
        ):
            yield batch
            batch = []
        batch.append(week)
    if batch:
        yield batch


def _make_claims(
    con: duckdb.DuckDBPyConnection, weeks: Sequence[Week], batch: Sequence[Week], people: int
) -> None:
    """Table `claim`: everything that arrives in the weeks of the batch, in order of arrival and number."""
    first, last = batch[0].number, batch[-1].number
    reach = weeks[max(0, first - LATEST) : last + 1]
    rows = ", ".join(f"({week.number}, DATE '{week.key}', {week.first}, {week.fills})" for week in reach)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE week AS FROM (VALUES {rows}) AS t(week, monday, first_row, rows_)"
    )
    con.execute(_SHARE)
    con.execute(_PRESCRIBER.format(people=people))
    # Everything of the 104 weeks comes in one of them; what comes after them waits for no end.
    ends = f"IF(week < {COUNT}, {COUNT - 1}, {COUNT + FURTHER + LATEST})"
    con.execute(_FILL.format(people=people, first=first, last=last, last_one=ends))
    con.execute(_CLAIM.format(first=first, last=last))


# Each cell (month of four weeks, design, division, basket) is cut into the brands' shares: a draw v falls
# into low <= v < high.
_SHARE = f"""
CREATE OR REPLACE TEMP TABLE share AS
WITH month AS (
    SELECT DISTINCT week // 4 AS month, week // 4 * 4 AS week FROM week
), weight AS (
    SELECT month, tier.design, division, brand.basket_no, brand.brand_no, tier.tier,
        (volume
        * IF(growth < 0, 1000000 // (1000 - growth * week // 52), 1000 + growth * week // 52)
        * CASE WHEN week < launch_week THEN 0 WHEN launch_week = 0 THEN 1000
            ELSE least(1000, 60 + 30 * (week - launch_week)) END
        * (650 + pick(brand.brand_no * 16 + division, 90, 700))
        * CASE tier.tier WHEN 1 THEN 13 WHEN 2 THEN 10 WHEN 3 THEN 6 WHEN 4 THEN 3 WHEN 5 THEN 2 ELSE 1 END)
        // 10000000 AS weight
    FROM month JOIN tier ON tier.year = IF(week < 52, 2023, 2024) JOIN brand USING (brand_no),
        range({len(DIVISIONS)}) AS t(division)
), counted AS (
    SELECT *, sum(weight) OVER (cell ORDER BY brand_no) AS reached, sum(weight) OVER cell AS whole
    FROM weight WINDOW cell AS (PARTITION BY month, design, division, basket_no)
)
SELECT month, design, division, basket_no, brand_no, tier,
    ((reached - weight) * {MODULUS} // whole)::BIGINT AS low, (reached * {MODULUS} // whole)::BIGINT AS high
FROM counted WHERE weight > 0
"""

_PRESCRIBER = """
CREATE OR REPLACE TEMP TABLE prescriber AS
SELECT i AS who, npi, state_no, division, reach, specialty_no,
    24 + 300 * ({people} - i) * ({people} - i) // ({people}::BIGINT * {people}) AS patients
FROM person WHERE active
"""

# Prescribers by rank: x -> 0.1x + 0.2x^2 + 0.7x^3 gives the upper tenth of them 37% of the fills.
_FILL = f"""
CREATE OR REPLACE TEMP TABLE fill AS
WITH row_ AS (
    SELECT unnest(range(first_row, first_row + rows_)) AS i, week FROM week
), timed AS (
    SELECT i, week, IF(chance(i, 100, 30), least(1 + pick(i, 101, {LATEST}), {{last_one}} - week), 0) AS late,
        chance(i, 102, 20) AS reversed
    FROM row_
), arrived AS (
    SELECT i, week, late, week + late AS arrival,
        IF(reversed, least(week + late + pick(i, 103, {LATEST} + 1 - late), {{last_one}}), -1) AS reversal
    FROM timed
    WHERE week + late BETWEEN {{first}} AND {{last}} OR reversed
), ranked AS (
    SELECT *, ((100 * u + 200 * ((u * u) >> 31)
        + 700 * ((((u * u) >> 31) * u) >> 31)) // 1000 * {{people}}) >> 31 AS who
    FROM (SELECT *, draw(i, 104) AS u FROM arrived)
    WHERE arrival BETWEEN {{first}} AND {{last}} OR reversal BETWEEN {{first}} AND {{last}}
), treated AS (
    SELECT i, week, late, arrival, reversal, who * 400 + draw(i, 105) % patients AS patient, who, patients
    FROM ranked JOIN prescriber USING (who)
), seasoned AS (
    SELECT i, treated.week, late, arrival, reversal, npi, division, reach, specialty_no, state_no,
        IF(chance(i, 107, keep), patient, who * 400 + draw(i, 108) % treated.patients) AS patient
    FROM treated JOIN prescriber USING (who)
    JOIN treats ON treats.slot = specialty_no * 100 + draw(patient, 106) % 100
    JOIN season ON season.week = treated.week AND season.basket_no = treats.basket_no
), insured AS (
    SELECT seasoned.*, basket_no, plan_id, line_of_business, design,
        IF(chance(i, 110, 850), draw(patient, 111), draw(i, 111)) AS v
    FROM seasoned
    JOIN treats ON treats.slot = specialty_no * 100 + draw(patient, 106) % 100
    JOIN state_plan ON state_plan.slot = state_no * {SLOTS} + draw(patient, 109) % {SLOTS}
    JOIN plan USING (plan_no)
), chosen AS (
    SELECT i, insured.week, late, arrival, reversal, npi, plan_id, line_of_business, patient, share.tier,
        IF(chance(patient, 112, reach * 22) AND insured.week >= from_week + pick(patient, 123, 1 + from_week),
            favourite_no, share.brand_no) AS brand_no,
        ([30, 30, 30, 30, 30, 30, 30, 60, 90, 90])[1 + pick(patient, 115, 10)] AS days,
        ([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 6])[1 + pick(i, 121, 20)] AS weekday
    FROM insured
    JOIN share ON share.month = insured.week // 4 AND share.design = insured.design
        AND share.division = insured.division AND share.basket_no = insured.basket_no
        AND v >= low AND v < high
    JOIN (
        SELECT basket_no, brand_no AS favourite_no, launch_week AS from_week FROM brand WHERE promoted
    ) AS favourite ON favourite.basket_no = insured.basket_no
)
SELECT i, arrival, reversal, late, npi, plan_id, weekday,
    DATE '2023-01-02' + (week * 7 + weekday)::INTEGER AS fill_date,
    ndc11, 'P' || lpad(patient::VARCHAR, 9, '0') AS patient_id, days, quantity * days / 30 AS quantity,
    IF(chance(i, 116, 220), 0, 1 + pick(i, 117, 11)) AS refill_number,
    (price * 100 * days // 30) * (900 + pick(i, 118, 200)) // 1000 AS cents,
    line_of_business, tier
FROM chosen JOIN brand USING (brand_no)
JOIN brand_package ON brand_package.brand_no = chosen.brand_no
    AND place = least(draw(patient, 113), draw(patient, 114)) % packages
"""

# A reversal repeats its fill with the amounts taken back; in the same drop it is received after it.
_CLAIM = f"""
CREATE OR REPLACE TEMP TABLE claim AS
WITH received AS (
    SELECT *, IF(late = 0, weekday + pick(i, 119, 7 - weekday), pick(i, 119, 7)) AS day,
        CASE line_of_business WHEN 'cash' THEN cents WHEN 'medicaid' THEN 300
            ELSE least(cents, CASE tier WHEN 1 THEN 1000 WHEN 2 THEN 3500 WHEN 3 THEN 7000
                WHEN 4 THEN 12000 ELSE 25000 END) END AS copay_cents
    FROM fill
), entry AS (
    SELECT i + 1 AS fill_id, 'fill' AS claim_type, NULL AS reversed_fill_id, arrival AS comes, 1 AS sign,
        day AS on_day, *
    FROM received WHERE arrival BETWEEN {{first}} AND {{last}}
    UNION ALL
    SELECT {REVERSAL} + i + 1, 'reversal', i + 1, reversal, -1,
        IF(reversal = arrival, day + pick(i, 122, 7 - day), pick(i, 122, 7)), *
    FROM received WHERE reversal BETWEEN {{first}} AND {{last}}
)
SELECT fill_id::BIGINT AS fill_id, claim_type, reversed_fill_id::BIGINT AS reversed_fill_id,
    fill_date::DATE AS fill_date, npi, ndc11, plan_id, patient_id,
    days::INTEGER AS days_supply, quantity::DOUBLE AS quantity, refill_number::INTEGER AS refill_number,
    (sign * cents / 100)::DECIMAL(12, 2) AS paid_amount,
    (sign * copay_cents / 100)::DECIMAL(12, 2) AS copay_amount,
    TIMESTAMP '2023-01-02' + to_days((comes * 7 + on_day)::INTEGER)
        + to_seconds(43200 * (sign < 0)::INTEGER + pick(i, 120, 43200)) AS received_at,
    comes AS arrival
FROM entry ORDER BY arrival, fill_id
"""
