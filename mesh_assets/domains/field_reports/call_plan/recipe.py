"""The call plan: whom to call on next in each territory, about which brand, and why."""

import hashlib

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.field_reports.call_plan.ranking import ranked
from mesh_assets.domains.field_reports.call_plan.workbook import workbook

ARTIFACT = "call_plan.xlsx"


@mesh.recipe(
    inputs=[
        "brand_analytics.brand_performance",
        "brand_analytics.dim_drug",
        "brand_analytics.dim_hcp",
        "brand_analytics.dim_territory",
        "brand_analytics.fct_engagement",
        "brand_analytics.fct_rx_weekly",
        "hcp.hcp_master",
    ]
)
def call_plan(run: mesh.Run) -> pl.DataFrame:
    plan = ranked(run.con)
    written = workbook(plan)
    (run.artifacts / ARTIFACT).write_bytes(written)
    digest = hashlib.sha256(written).hexdigest()
    return plan.with_columns(artifact=pl.lit(ARTIFACT), artifact_sha256=pl.lit(digest))
