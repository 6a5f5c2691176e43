"""Defects that are always in the drops, as in real ones: recipes mend them or contracts warn of them.

Here: finding, in the tables that the drops were made from, which rows carry which.
Not here: making them (registers.py, claims.py, spending.py), defects that stop publication (breakages.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.operational.defects import Planted
from mesh_assets.operational.weeks import COUNT, weeks_of

if TYPE_CHECKING:
    import duckdb

MOST_KEYS = 1_000

#: Kind, file, product, how it is expected to be noticed, query of keys in order.
_FOUND = (
    ("person_twice", "hcp/crm_accounts.csv", "hcp.hcp_master", "one_account_each",
     "SELECT account_id FROM account WHERE copy ORDER BY 1"),
    ("missing_npi", "hcp/crm_accounts.csv", "hcp.hcp_xref", "rule",
     "SELECT account_id FROM account WHERE without_npi ORDER BY 1"),
    ("zip_without_leading_zero", "hcp/crm_accounts.csv", "hcp.hcp_master", "repaired",
     "SELECT account_id FROM account WHERE zip_cut ORDER BY 1"),
    ("untidy_text", "hcp/crm_accounts.csv", "hcp.hcp_master", "repaired",
     "SELECT account_id FROM account WHERE last_name LIKE '  %' OR state = lower(state) ORDER BY 1"),
    ("other_name", "hcp/npi_registry.csv", "hcp.hcp_xref", "names_agree",
     "SELECT npi FROM registry WHERE chance(i, 42, 15) ORDER BY 1"),
    ("other_address", "hcp/npi_registry.csv", "hcp.hcp_master", "source_of_address",
     "SELECT npi FROM registry WHERE chance(i, 40, 60) ORDER BY 1"),
    ("double_payment", "engagement/payments.csv", "engagement.payment", "filed_once",
     "SELECT record_id FROM payment WHERE filed <> k ORDER BY 1"),
    ("missing_npi", "engagement/payments.csv", "engagement.payment", "recipient_is_known",
     "SELECT record_id FROM payment WHERE recipient_npi IS NULL ORDER BY 1"),
    ("ndc_without_dashes", "engagement/payments.csv", "engagement.payment", "repaired",
     "SELECT record_id FROM payment WHERE ndc NOT LIKE '%-%' ORDER BY 1"),
    ("zero_amount", "engagement/payments.csv", "engagement.payment", "payments_have_an_amount",
     "SELECT record_id FROM payment WHERE amount_usd = 0 ORDER BY 1"),
    ("unsigned_sample", "engagement/samples/{week}.csv", "engagement.sample_drop", "drops_are_signed_for",
     "SELECT drop_id FROM read_csv('{folder}/engagement/samples/*.csv', all_varchar = true) "
     "WHERE signature = 'N' ORDER BY 1"),
    ("brand_in_small_letters", "engagement/calls/{week}.csv", "engagement.call", "repaired",
     "SELECT call_id FROM read_csv('{folder}/engagement/calls/*.csv', all_varchar = true) "
     "WHERE brand_1 <> upper(brand_1) ORDER BY 1"),
    ("late_fill", "prescriptions/fills/{week}.parquet", "prescriptions.rx_fill", "late_weeks",
     f"SELECT i + 1 FROM row_ WHERE chance(i, 100, 30) AND week < {COUNT - 1} ORDER BY 1"),
    ("reversed_fill", "prescriptions/fills/{week}.parquet", "prescriptions.rx_fill", "is_reversed",
     "SELECT i + 1 FROM row_ WHERE chance(i, 102, 20) ORDER BY 1"),
)  # fmt: skip


def find_benign(con: duckdb.DuckDBPyConnection, folder: Path, *, scale: float) -> list[Planted]:
    """One entry per kind and file; at most a thousand keys each, with the exact count."""
    weeks = ", ".join(f"({week.number}, {week.first}, {week.fills})" for week in weeks_of(scale))
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW row_ AS SELECT week, unnest(range(first_row, first_row + fills)) AS i
        FROM (VALUES {weeks}) AS t(week, first_row, fills)"""
    )
    found = []
    for kind, file, product, expected, query in _FOUND:
        keys = query.replace("{folder}", str(folder).replace("'", "''"))
        counted = con.execute(f"SELECT count(*) FROM ({keys})").fetchone()
        rows = con.execute(f"{keys} LIMIT {MOST_KEYS}").fetchall()
        count = counted[0] if counted else 0
        found.append(
            Planted(file, kind, tuple(str(row[0]) for row in rows), count, product, expected, blocking=False)
        )
    return found
