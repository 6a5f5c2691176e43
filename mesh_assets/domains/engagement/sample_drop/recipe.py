"""Sample drops of the weeks, typed, with the brand of the package that was left."""

from mesh_assets import mesh
from mesh_assets.domains.engagement.weeks import in_weeks


@mesh.recipe(inputs=["drug.package"], sources=["samples"], columns={"drug.package": ["ndc11", "brand_id"]})
def sample_drop(run: mesh.Run) -> str:
    return f"""
        WITH typed AS (
            SELECT
                trim(drop_id) AS drop_id,
                date_trunc('week', drop_date::DATE)::DATE AS week_start,
                drop_date::DATE AS drop_date,
                nullif(trim(call_id), '') AS call_id,
                trim(rep_id) AS rep_id,
                nullif(trim(npi), '') AS npi,
                lpad(regexp_replace(ndc11, '[^0-9]', '', 'g'), 11, '0') AS ndc11,
                quantity::INTEGER AS quantity,
                upper(trim(signature)) = 'Y' AS is_signed
            FROM source.samples
        )
        SELECT
            typed.drop_id,
            typed.week_start,
            typed.drop_date,
            typed.call_id,
            typed.rep_id,
            typed.npi,
            typed.ndc11,
            package.brand_id,
            typed.quantity,
            typed.is_signed
        FROM typed
        LEFT JOIN drug.package AS package USING (ndc11)
        WHERE {in_weeks("typed.week_start", run.weeks)}
        ORDER BY typed.week_start, typed.drop_id
    """
