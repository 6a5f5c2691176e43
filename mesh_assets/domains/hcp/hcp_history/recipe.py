"""Specialty, ZIP code and status of each person over time, from the registry's changes (SCD type 2)."""

import polars as pl

from mesh_assets import mesh
from mesh_assets.domains.hcp.cleaning import iso_date, npi_is_valid, tidy, zip5

TRACKED = ("specialty", "zip5", "status")


@mesh.recipe(
    inputs=["hcp._npi_extract"],
    sources=["npi_registry_changes"],
    columns={
        "hcp._npi_extract": [
            "npi",
            "enumeration_date",
            "last_update",
            "specialty",
            "zip5",
            "deactivation_date",
        ]
    },
)
def hcp_history(run: mesh.Run) -> pl.DataFrame:
    changes = readable(run.source("npi_registry_changes").polars())
    persons = run.read("hcp._npi_extract").polars()
    return intervals(pl.concat([changes, without_changes(persons, changes)]))


def readable(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes made readable; those without a day or a well-formed NPI cannot be placed in time."""
    return (
        changes.with_row_index("place")
        .with_columns(
            tidy("npi"),
            iso_date("valid_from"),
            tidy("specialty"),
            zip5("zip5").alias("zip5"),
            tidy("status").str.to_lowercase(),
        )
        .filter(npi_is_valid("npi") & pl.col("valid_from").is_not_null())
        # Two changes of one day: the one that was written later holds.
        .sort("npi", "valid_from", "place")
        .unique(["npi", "valid_from"], keep="last", maintain_order=True)
        .select("npi", "valid_from", *TRACKED)
    )


def without_changes(persons: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Persons who never changed: as the registry has them, since they were enumerated."""
    return (
        persons.join(changes, on="npi", how="anti")
        .select(
            "npi",
            pl.coalesce("enumeration_date", "last_update").alias("valid_from"),
            "specialty",
            "zip5",
            pl.when(pl.col("deactivation_date").is_null())
            .then(pl.lit("active"))
            .otherwise(pl.lit("inactive"))
            .alias("status"),
        )
        .drop_nulls("valid_from")
    )


def intervals(changes: pl.DataFrame) -> pl.DataFrame:
    """Half-open intervals [valid_from, valid_to) without gap or overlap; each person's last is current."""
    ordered = changes.sort("npi", "valid_from")
    repeated = pl.all_horizontal(
        pl.col(column).eq_missing(pl.col(column).shift().over("npi")) for column in TRACKED
    )
    # A person's first row has no row before it to repeat.
    first = pl.int_range(pl.len()).over("npi") == 0
    return (
        ordered.filter(first | ~repeated)
        .with_columns(pl.col("valid_from").shift(-1).over("npi").alias("valid_to"))
        .with_columns(pl.col("valid_to").is_null().alias("is_current"))
        .select("npi", "valid_from", "valid_to", "is_current", *TRACKED)
    )
