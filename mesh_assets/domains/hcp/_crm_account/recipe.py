"""Accounts of the customer relationship system, one row each, made readable; NPIs only if well-formed."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import iso_date, name_key, npi_is_valid, tidy, zip5


@mesh.recipe(inputs=[], sources=["crm_accounts"])
def _crm_account(run: mesh.Run) -> pl.DataFrame:
    accounts = run.source("crm_accounts").polars()
    return (
        accounts.with_columns(tidy(column) for column in accounts.columns)
        .select(
            "account_id",
            pl.when(npi_is_valid("npi")).then("npi").otherwise(None).alias("npi"),
            pl.col("npi").alias("npi_as_typed"),
            "first_name",
            "last_name",
            name_key("first_name").alias("first_key"),
            name_key("last_name").alias("last_key"),
            "credentials",
            "specialty",
            "address",
            "city",
            pl.col("state").str.to_uppercase(),
            zip5("zip").alias("zip5"),
            pl.col("email").str.to_lowercase(),
            pl.col("status").str.to_lowercase(),
            iso_date("updated_on"),
        )
        # An account that was exported twice keeps what was typed last.
        .sort("account_id", "updated_on", "npi_as_typed", nulls_last=False)
        .unique("account_id", keep="last", maintain_order=True)
    )
