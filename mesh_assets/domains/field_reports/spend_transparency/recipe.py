"""Spend transparency: what each manufacturer paid each recipient in a year; a table and a CSV to publish."""

import hashlib
import io

import polars as pl

from mesh_assets import mesh

ARTIFACT = "spend_transparency.csv"

#: Money to people whom nobody could match, and to organisations, is kept under this name: totals must add up.
UNMATCHED = "UNMATCHED"

TOTALS = f"""
WITH paid AS (
    SELECT coalesce(npi, '{UNMATCHED}') AS npi, manufacturer_id, manufacturer_name, amount_usd, form,
        year(payment_date)::INTEGER AS year, likely_double_of IS NOT NULL AS double
    FROM engagement.payment
), named AS (
    -- One name per manufacturer: the one on most of its payments.
    SELECT manufacturer_id, manufacturer_name
    FROM paid WHERE manufacturer_name IS NOT NULL
    GROUP BY manufacturer_id, manufacturer_name
    QUALIFY row_number() OVER (PARTITION BY manufacturer_id ORDER BY count(*) DESC, manufacturer_name) = 1
), totals AS (
    SELECT npi, manufacturer_id, year, count(*)::BIGINT AS payments,
        sum(amount_usd)::DECIMAL(18, 2) AS total_usd,
        coalesce(sum(amount_usd) FILTER (WHERE form ILIKE 'cash%'), 0)::DECIMAL(18, 2) AS cash_usd,
        count(*) FILTER (WHERE double)::BIGINT AS likely_doubles,
        coalesce(sum(amount_usd) FILTER (WHERE double), 0)::DECIMAL(18, 2) AS likely_double_usd
    FROM paid GROUP BY ALL
)
SELECT totals.npi, hcp.first_name || ' ' || hcp.last_name AS recipient_name, hcp.specialty, hcp.state,
    totals.manufacturer_id, named.manufacturer_name, year, payments, total_usd, cash_usd,
    likely_doubles > 0 AS has_likely_doubles, likely_doubles, likely_double_usd,
    (total_usd - likely_double_usd)::DECIMAL(18, 2) AS total_without_doubles_usd
FROM totals
LEFT JOIN hcp.hcp_master AS hcp USING (npi)
LEFT JOIN named USING (manufacturer_id)
ORDER BY year, totals.npi, totals.manufacturer_id
"""


@mesh.recipe(inputs=["engagement.payment", "hcp.hcp_master"])
def spend_transparency(run: mesh.Run) -> pl.DataFrame:
    totals = run.con.execute(TOTALS).pl()
    written = as_csv(totals)
    (run.artifacts / ARTIFACT).write_bytes(written)
    digest = hashlib.sha256(written).hexdigest()
    return totals.with_columns(artifact=pl.lit(ARTIFACT), artifact_sha256=pl.lit(digest))


def as_csv(totals: pl.DataFrame) -> bytes:
    """The table as a spreadsheet opens it: UTF-8 with a mark at its head, one line per row."""
    held = io.BytesIO()
    totals.write_csv(held, include_bom=True, line_terminator="\n")
    return held.getvalue()
