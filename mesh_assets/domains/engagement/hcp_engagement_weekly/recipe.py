"""Effort per person and week: calls by channel, samples left, payments made."""

from mesh_assets import mesh
from mesh_assets.domains.engagement.weeks import in_weeks


@mesh.recipe(inputs=["engagement.call", "engagement.sample_drop", "engagement.payment"], sources=[])
def hcp_engagement_weekly(run: mesh.Run) -> str:
    return f"""
        WITH touch AS (
            SELECT
                npi,
                week_start,
                count(*) AS calls,
                count(*) FILTER (channel = 'in_person') AS in_person_calls,
                count(*) FILTER (channel = 'remote') AS remote_calls,
                count(*) FILTER (channel = 'email') AS emails,
                sum(duration_minutes) AS call_minutes,
                0 AS sample_drops,
                0 AS samples,
                0 AS payments,
                0::DECIMAL(18, 2) AS payments_usd
            FROM engagement.call
            GROUP BY npi, week_start
            UNION ALL
            SELECT npi, week_start, 0, 0, 0, 0, 0, count(*), sum(quantity), 0, 0
            FROM engagement.sample_drop
            GROUP BY npi, week_start
            UNION ALL
            SELECT npi, date_trunc('week', payment_date)::DATE AS paid_week, 0, 0, 0, 0, 0, 0, 0, count(*),
                sum(amount_usd)
            FROM engagement.payment
            -- A payment that was probably filed twice counts once.
            WHERE likely_double_of IS NULL
            GROUP BY npi, paid_week
        )
        SELECT
            npi,
            week_start,
            sum(calls)::BIGINT AS calls,
            sum(in_person_calls)::BIGINT AS in_person_calls,
            sum(remote_calls)::BIGINT AS remote_calls,
            sum(emails)::BIGINT AS emails,
            coalesce(sum(call_minutes), 0)::BIGINT AS call_minutes,
            sum(sample_drops)::BIGINT AS sample_drops,
            coalesce(sum(samples), 0)::BIGINT AS samples,
            sum(payments)::BIGINT AS payments,
            sum(payments_usd)::DECIMAL(18, 2) AS payments_usd
        FROM touch
        WHERE npi IS NOT NULL AND {in_weeks("week_start", run.weeks)}
        GROUP BY npi, week_start
        ORDER BY week_start, npi
    """
