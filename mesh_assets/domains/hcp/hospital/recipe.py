"""One row per certification number: of several listings, the one that tells most."""

import polars as pl

from mesh_assets import mesh


@mesh.recipe(inputs=["hcp._hospital_record"], sources=[])
def hospital(run: mesh.Run) -> pl.DataFrame:
    listings = run.read("hcp._hospital_record").polars().drop_nulls("ccn")
    told = pl.sum_horizontal(pl.col(column).is_not_null() for column in listings.columns)
    return (
        listings.with_columns(told.alias("told"), pl.len().over("ccn").cast(pl.Int32).alias("listings"))
        .sort("ccn", "told", "npi", "name", descending=[False, True, False, False])
        .unique("ccn", keep="first", maintain_order=True)
        .with_columns(kind_of_hospital().alias("kind"))
        .select(COLUMNS)
    )


def kind_of_hospital() -> pl.Expr:
    """What the last four characters of the number say a hospital is. Source: CMS SOM 2779A1."""
    number = pl.col("ccn").str.slice(2).cast(pl.Int32, strict=False)
    third = pl.col("ccn").str.slice(2, 1)
    formed = pl.col("ccn").str.contains(r"^[0-9]{2}[0-9A-Z][0-9A-Z]{3}$")
    return (
        pl.when(~formed)
        .then(pl.lit("unknown"))
        .when(number.is_between(1, 879))
        .then(pl.lit("short-term"))
        .when(number.is_between(1300, 1399))
        .then(pl.lit("critical access"))
        .when(number.is_between(2000, 2299))
        .then(pl.lit("long-term"))
        .when(number.is_between(3025, 3099))
        .then(pl.lit("rehabilitation"))
        .when(number.is_between(3300, 3399))
        .then(pl.lit("children"))
        .when(number.is_between(4000, 4499))
        .then(pl.lit("psychiatric"))
        .when(third.is_in(["M", "S"]))
        .then(pl.lit("psychiatric unit"))
        .when(third.is_in(["R", "T"]))
        .then(pl.lit("rehabilitation unit"))
        .when(third.is_in(["U", "W", "Y", "Z"]))
        .then(pl.lit("swing bed unit"))
        .otherwise(pl.lit("other"))
    )


COLUMNS = (
    "ccn",
    "npi",
    "name",
    "kind",
    "address",
    "city",
    "state",
    "zip5",
    "category",
    "emergency",
    "beds",
    "phone",
    "listings",
)
