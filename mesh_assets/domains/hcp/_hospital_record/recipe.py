"""Hospitals as CMS lists them, one row per listing, made readable; one in twenty has no number (CCN)."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import tidy, zip5


@mesh.recipe(inputs=[], sources=["hospital"])
def _hospital_record(run: mesh.Run) -> pl.DataFrame:
    listed = run.source("hospital").polars()
    return listed.with_columns(tidy(column) for column in listed.columns).select(
        pl.col("ccn").str.to_uppercase(),
        "npi",
        "name",
        "address",
        "city",
        pl.col("state").str.to_uppercase(),
        zip5("zip").alias("zip5"),
        pl.col("category"),
        (pl.col("emergency") == "true").alias("emergency"),
        pl.col("beds").cast(pl.Int32, strict=False).alias("beds"),
        "phone",
    )
