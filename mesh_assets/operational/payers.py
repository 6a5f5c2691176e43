"""Health plans of invented payers, what they file, and how their formularies favour brands.

Here: tables `plan`, `state_plan` (who is insured where) and `tier`, and the two filings made of them.
Not here: reading filings (the payer domain), what insured people fill (claims.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.drops import copy_out
from mesh_assets.operational.people import DIVISIONS

if TYPE_CHECKING:
    import duckdb

PLANS = 48
#: Plans buy their formulary from one of so many designers; the cash plan, which has none, counts as one more.
DESIGNS = 12
#: Slots per state in which plans sit by their share of the insured.
SLOTS = 200

_PAYERS = ("Prairie Mutual", "Harborlight Health", "Blue Ridge Assurance", "Summit Care", "Lakeshore Benefit",
           "Evergreen Health Partners", "Union Valley", "Keystone Provident", "Sunward Health",
           "Granite State Life", "Copper Basin Health", "First Colony Care")  # fmt: skip


def make_payers(con: duckdb.DuckDBPyConnection) -> None:
    """Tables `plan`, `state_plan` and `tier` (design x brand x year); they need table `brand`."""
    _make_plans(con)
    con.execute(_STATE_PLAN)
    con.execute(_TIER)


def write_payers(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    copy_out(con, _PLAN_FILING, folder / "payer/plan_filing.csv")
    copy_out(con, _FORMULARY_FILING, folder / "payer/formulary_filing.csv")


def _make_plans(con: duckdb.DuckDBPyConnection) -> None:
    everywhere = sorted(state for _, states in DIVISIONS for state in states)
    rows = [(number, *_plan(number, everywhere)) for number in range(PLANS)]
    values = ", ".join(map(str, rows))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE plan AS FROM (VALUES {values})
            AS t(plan_no, plan_id, contract_id, plan_name,
        payer_name, line_of_business, states, enrollment, design)"""
    )


def _plan(number: int, everywhere: list[str]) -> tuple[str, str, str, str, str, list[str], int, int]:
    """One plan: 10 national and 14 regional commercial, 13 medicare, 10 medicaid, and cash."""
    payer = _PAYERS[number % len(_PAYERS)]
    plan_id, contract = f"PL{number + 1:03d}", f"H{1000 + number * 173:04d}"
    regional = list(DIVISIONS[number % len(DIVISIONS)][1])
    if number == PLANS - 1:
        return plan_id, "CASH", "Cash and discount cards", "No payer", "cash", everywhere, 9_000_000, DESIGNS
    if number < 24:
        states, line = (everywhere if number < 10 else regional), "commercial"
        name = f"{payer} {('Choice PPO', 'Select HMO', 'Core EPO')[number % 3]}"
    elif number < 37:
        states, line = (everywhere if number < 29 else regional), "medicare"
        name = f"{payer} {('Advantage', 'Rx Value', 'Rx Plus')[number % 3]}"
    else:
        states, line = regional, "medicaid"
        name = f"{payer} Community Plan"
    enrollment = len(states) * (38_000 + number * 7_919 % 91 * 2_300)
    return plan_id, contract, name, payer, line, states, enrollment, number % DESIGNS


_STATE_PLAN = f"""
CREATE OR REPLACE TEMP TABLE state_plan AS
WITH share AS (
    SELECT unnest(states) AS state, plan_no, enrollment // len(states) AS insured FROM plan
), counted AS (
    SELECT state, plan_no, sum(insured) OVER (PARTITION BY state) AS everybody,
        sum(insured) OVER (PARTITION BY state ORDER BY plan_no) AS reached, insured
    FROM share
)
SELECT state_no * {SLOTS} + slot AS slot, plan_no
FROM counted JOIN state_division USING (state), range({SLOTS}) AS t(slot)
WHERE (2 * slot + 1) * everybody >= 2 * {SLOTS} * (reached - insured)
    AND (2 * slot + 1) * everybody < 2 * {SLOTS} * reached
"""

# Old brands sit on high tiers, the rest mostly on 2 and 3; one of twelve brands is not covered (tier NULL). A
# tenth of the entries changes with the second year.
_TIER = f"""
CREATE OR REPLACE TEMP TABLE tier AS
WITH entry AS (
    SELECT design, year, brand_no, growth, promoted,
        design * 128 + brand_no + IF(year = 2024 AND chance(design * 128 + brand_no, 80, 100), 4096, 0) AS i
    FROM range({DESIGNS}) AS d(design), (VALUES (2023), (2024)) AS y(year), brand
), ranked AS (
    SELECT *, pick(i, 81, 100) + IF(growth < -150, 30, 0) - IF(promoted, 15, 0) AS rank_ FROM entry
)
SELECT design, year, brand_no,
    CASE WHEN pick(i, 82, 12) = 0 AND NOT promoted THEN NULL WHEN rank_ < 4 THEN 1 WHEN rank_ < 45 THEN 2
        WHEN rank_ < 80 THEN 3 WHEN rank_ < 105 THEN 4 ELSE 5 END AS tier,
    chance(i, 83, 80 + 3 * greatest(rank_, 0)) AS prior_authorization,
    chance(i, 84, 40 + 2 * greatest(rank_, 0)) AS step_therapy
FROM ranked
UNION ALL
SELECT {DESIGNS}, year, brand_no, 2, FALSE, FALSE FROM (VALUES (2023), (2024)) AS y(year), brand
ORDER BY 1, 2, 3
"""

# A third of the plans files again for the second year, with more people.
_PLAN_FILING = """
SELECT plan_id, contract_id, plan_name, payer_name, line_of_business,
    array_to_string(states, '|') AS state_list, enrollment, DATE '2023-01-01' AS effective_from
FROM plan
UNION ALL
SELECT plan_id, contract_id, plan_name, payer_name, line_of_business, array_to_string(states, '|'),
    enrollment * (1010 + pick(plan_no, 85, 60)) // 1000, DATE '2024-01-01'
FROM plan WHERE chance(plan_no, 86, 333)
ORDER BY plan_id, effective_from
"""

# The second year files only what changed. Names are spelled as each payer spells.
_FORMULARY_FILING = f"""
WITH filed AS (
    SELECT plan_id, plan_no, brand, brand_no, year, tier, prior_authorization, step_therapy,
        lag((tier, prior_authorization, step_therapy))
            OVER (PARTITION BY plan_no, brand_no ORDER BY year) AS before
    FROM tier JOIN plan USING (design) JOIN brand USING (brand_no)
    WHERE design < {DESIGNS} AND tier IS NOT NULL
)
SELECT 'F' || plan_id AS formulary_id, plan_id, brand AS brand_code,
    CASE pick(plan_no, 87, 3) WHEN 0 THEN brand WHEN 1 THEN upper(brand[1]) || lower(brand[2:])
        ELSE lower(brand) END AS brand_name,
    tier, IF(prior_authorization, 'Y', 'N') AS prior_authorization,
    IF(step_therapy, 'Y', 'N') AS step_therapy,
    make_date(year, 1, 1) AS effective_from
FROM filed
WHERE before IS NULL OR before IS DISTINCT FROM (tier, prior_authorization, step_therapy)
ORDER BY formulary_id, brand_code, effective_from
"""
