"""Calls of the weeks, typed, with the representative's territory and the brands that were detailed."""

from mesh_assets import mesh
from mesh_assets.domains.engagement.weeks import in_weeks


@mesh.recipe(inputs=["geography.territory", "drug.brand"], sources=["calls", "reps"])
def call(run: mesh.Run) -> str:
    return f"""
        WITH typed AS (
            SELECT
                trim(call_id) AS call_id,
                date_trunc('week', call_date::DATE)::DATE AS week_start,
                trim(rep_id) AS rep_id,
                nullif(trim(npi), '') AS npi,
                call_date::DATE AS call_date,
                lower(trim(channel)) AS channel,
                duration_minutes::INTEGER AS duration_minutes,
                upper(trim(brand_1)) AS brand_1,
                upper(trim(brand_2)) AS brand_2,
                lower(nullif(trim(outcome), '')) AS outcome
            FROM source.calls
        ),
        representative AS (
            SELECT trim(rep_id) AS rep_id, team, 'T' || lpad(trim(territory_no), 3, '0') AS territory_id
            FROM source.reps
        )
        SELECT
            typed.call_id,
            typed.week_start,
            typed.call_date,
            typed.rep_id,
            -- A number that no territory has leaves the call without one.
            territory.territory_id,
            representative.team,
            typed.npi,
            typed.channel,
            typed.duration_minutes,
            first_brand.brand_id AS brand_id,
            second_brand.brand_id AS second_brand_id,
            typed.outcome
        FROM typed
        LEFT JOIN representative USING (rep_id)
        LEFT JOIN geography.territory AS territory USING (territory_id)
        LEFT JOIN drug.brand AS first_brand ON first_brand.brand_name = typed.brand_1
        LEFT JOIN drug.brand AS second_brand ON second_brand.brand_name = typed.brand_2
        WHERE {in_weeks("typed.week_start", run.weeks)}
        ORDER BY typed.week_start, typed.call_id
    """
