"""Persons in the NPI registry, one row each, with names, ZIP codes and dates made readable."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import iso_date, name_key, npi_is_valid, tidy, zip5


@mesh.recipe(inputs=[], sources=["npi_registry"])
def _npi_extract(run: mesh.Run) -> pl.DataFrame:
    registry = run.source("npi_registry").polars()
    text = [column for column in registry.columns if column not in DATES]
    return (
        registry.with_columns(*(tidy(column) for column in text), *(iso_date(column) for column in DATES))
        .filter((pl.col("entity_type") == "1") & npi_is_valid("npi"))
        .select(
            "npi",
            "first_name",
            "last_name",
            name_key("first_name").alias("first_key"),
            name_key("last_name").alias("last_key"),
            pl.col("credential").alias("credentials"),
            pl.col("taxonomy").alias("specialty"),
            pl.col("practice_address").alias("address"),
            pl.col("practice_city").alias("city"),
            pl.col("practice_state").str.to_uppercase().alias("state"),
            zip5("practice_zip").alias("zip5"),
            "enumeration_date",
            "last_update",
            "deactivation_date",
        )
        # An NPI that the registry lists twice keeps what was filed last.
        .sort("npi", "last_update", "last_name", nulls_last=False)
        .unique("npi", keep="last", maintain_order=True)
    )


DATES = ("enumeration_date", "last_update", "deactivation_date")
