"""What the contract of the master cannot say in a column of its own."""

import pandera.polars as pa
import polars as pl

from mesh_assets import mesh


@mesh.expectation(columns=["zip5", "address", "city", "state", "source_of_address"], dimension="consistency")
def places_are_whole(frame: pl.DataFrame) -> pl.Series:
    """Whoever has a source of the address has its ZIP code; whoever has none has no part of an address."""
    parts = pl.any_horizontal(pl.col("address", "city", "state").is_not_null())
    sourced = pl.col("source_of_address").is_not_null()
    good = (sourced == pl.col("zip5").is_not_null()) & (sourced | ~parts)
    return frame.select(good.alias("good"))["good"]


@mesh.expectation(columns=["source_of_name", "crm_accounts"], dimension="consistency")
def names_of_the_crm_have_an_account() -> pa.Check:
    """A name that comes from the CRM comes from an account that was matched to the person."""
    held = (pl.col("source_of_name") != "crm") | (pl.col("crm_accounts") > 0)
    return pa.Check(lambda data: data.lazyframe.select(held))


@mesh.expectation(
    columns=["first_name", "last_name", "zip5"], severity="warning", dimension="uniqueness", whole_table=True
)
def persons_are_told_apart(frame: pl.DataFrame) -> bool:
    """Fewer than one in a hundred shares name and ZIP code with another: more means that matching broke."""
    named = frame.drop_nulls()
    return named.is_duplicated().sum() < 0.01 * max(named.height, 1)
