"""The scorecard: figures of the star schema drawn into one page; the same figures are the product's table."""

import hashlib

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.field_reports.brand_scorecard.figures import Figures, gather
from mesh_assets.domains.field_reports.brand_scorecard.page import page

ARTIFACT = "brand_scorecard.html"


@mesh.recipe(
    inputs=[
        "brand_analytics.brand_performance",
        "brand_analytics.dim_drug",
        "brand_analytics.dim_hcp",
        "brand_analytics.dim_plan",
        "brand_analytics.dim_territory",
        "brand_analytics.fct_access",
        "brand_analytics.fct_rx_weekly",
        "geography.zip_area",
        "geography.zip_territory",
    ]
)
def brand_scorecard(run: mesh.Run) -> pl.DataFrame:
    figures = gather(run.con)
    report = page(figures)
    (run.artifacts / ARTIFACT).write_text(report, encoding="utf-8")
    return table(figures, hashlib.sha256(report.encode()).hexdigest())


def table(figures: Figures, digest: str) -> pl.DataFrame:
    """One row per brand. The report's digest is part of it: another report is another version."""
    return pl.DataFrame(
        {
            "brand_id": [brand.brand_id for brand in figures.brands],
            "basket": [brand.basket for brand in figures.brands],
            "fills_last_13w": [brand.fills for brand in figures.brands],
            "fills_prior_13w": [brand.prior for brand in figures.brands],
            "growth_pct": [brand.growth_pct for brand in figures.brands],
            "share": [brand.share for brand in figures.brands],
            "share_change_pts": [brand.share_change_pts for brand in figures.brands],
            "calls": [brand.calls for brand in figures.brands],
            "preferred_access_pct": [brand.preferred_access_pct for brand in figures.brands],
            "artifact": [ARTIFACT] * len(figures.brands),
            "artifact_sha256": [digest] * len(figures.brands),
        },
        schema_overrides={
            "fills_last_13w": pl.Int64,
            "fills_prior_13w": pl.Int64,
            "growth_pct": pl.Float64,
            "calls": pl.Int64,
            "preferred_access_pct": pl.Float64,
        },
    )
