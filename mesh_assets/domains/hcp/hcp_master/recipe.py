"""Each person once: the registry's name, the latest believable address, the latest status and e-mail."""

import polars as pl

from mesh_assets import mesh

NAME = ("first_name", "last_name")
PLACE = ("address", "city", "state", "zip5")


@mesh.recipe(
    inputs=["hcp._crm_account", "hcp._npi_extract", "hcp.hcp_xref", "geography.zip_area"], sources=[]
)
def hcp_master(run: mesh.Run) -> pl.DataFrame:
    return survivors(
        run.read("hcp._npi_extract").polars(),
        run.read("hcp._crm_account").polars(),
        xref=run.read("hcp.hcp_xref").polars(),
        zips=run.read("geography.zip_area").polars(columns=["zip5"])["zip5"],
    )


def survivors(
    registry: pl.DataFrame, accounts: pl.DataFrame, *, xref: pl.DataFrame, zips: pl.Series
) -> pl.DataFrame:
    """One row per NPI of the cross reference; each group of attributes has a rule of its own."""
    matched = xref.filter(pl.col("npi").is_not_null())
    records = pl.concat(
        [registry_records(registry), crm_records(accounts, matched)], how="diagonal_relaxed"
    ).with_columns(pl.col("zip5").is_in(zips.implode()).fill_null(False).alias("zip_exists"))
    persons = matched.select("npi").unique()
    for rule in (names, credentials, places, contact, dates):
        persons = persons.join(rule(records), on="npi", how="left", validate="1:1")
    return persons.select(COLUMNS).sort("npi")


def registry_records(registry: pl.DataFrame) -> pl.DataFrame:
    """What the registry says of each person, dated by its last update."""
    return registry.with_columns(
        pl.lit("npi_registry").alias("source"),
        pl.lit("").alias("source_id"),
        pl.coalesce("last_update", "enumeration_date").alias("told_on"),
        pl.when(pl.col("deactivation_date").is_not_null()).then(pl.lit("inactive")).alias("status"),
        pl.lit(None, dtype=pl.String).alias("email"),
    )


def crm_records(accounts: pl.DataFrame, xref: pl.DataFrame) -> pl.DataFrame:
    """What the CRM says of each person, one row per account that was matched to one."""
    matched = xref.filter(pl.col("source") == "crm").select("source_id", "npi")
    return (
        accounts.drop("npi")
        .join(matched, left_on="account_id", right_on="source_id", how="inner")
        .with_columns(
            pl.lit("crm").alias("source"),
            pl.col("account_id").alias("source_id"),
            pl.col("updated_on").alias("told_on"),
            pl.when(pl.col("status").is_in(["active", "inactive"])).then("status").alias("status"),
        )
    )


def names(records: pl.DataFrame) -> pl.DataFrame:
    """The registry knows how a person is called; the CRM is asked only about those whom it does not list."""
    complete = records.filter(pl.col("last_name").is_not_null())
    # The registry writes capitals only.
    return first_per_npi(by_registry(complete)).select(
        "npi", *(pl.col(name).str.to_titlecase() for name in NAME), source_of_name="source"
    )


def credentials(records: pl.DataFrame) -> pl.DataFrame:
    """Credentials and specialty: the registry's, and where it is silent, the latest of the CRM."""
    ordered = by_registry(records)
    return ordered.group_by("npi", maintain_order=True).agg(
        pl.col("credentials").drop_nulls().first(), pl.col("specialty").drop_nulls().first()
    )


def places(records: pl.DataFrame) -> pl.DataFrame:
    """The latest address whose ZIP code exists; whole, never a street of one and a city of another."""
    ordered = records.filter(pl.col("zip5").is_not_null()).sort(
        "npi",
        "zip_exists",
        "told_on",
        "source",
        "source_id",
        descending=[False, True, True, True, False],
        nulls_last=True,
    )
    return first_per_npi(ordered).select(
        "npi", "address", pl.col("city").str.to_titlecase(), "state", "zip5", source_of_address="source"
    )


def contact(records: pl.DataFrame) -> pl.DataFrame:
    """Inactive if the registry says so, else the CRM's latest word. E-mail: the latest well-formed one."""
    latest = records.sort("npi", "told_on", "source_id", descending=[False, True, False], nulls_last=True)
    written_off = (pl.col("source") == "npi_registry") & (pl.col("status") == "inactive")
    mail = pl.col("email").filter(pl.col("email").str.contains(r"^[^@\s]+@[^@\s]+\.[a-z]+$"))
    return latest.group_by("npi", maintain_order=True).agg(
        pl.when(written_off.any())
        .then(pl.lit("inactive"))
        .otherwise(pl.col("status").drop_nulls().first().fill_null("active"))
        .alias("status"),
        mail.first().alias("email"),
    )


def dates(records: pl.DataFrame) -> pl.DataFrame:
    """When anybody last said anything of the person, and how many CRM accounts stand for them."""
    return records.group_by("npi").agg(
        pl.col("told_on").max().alias("updated_on"),
        (pl.col("source") == "crm").sum().cast(pl.Int32).alias("crm_accounts"),
    )


def by_registry(records: pl.DataFrame) -> pl.DataFrame:
    """Registry first, then the CRM's accounts from late to early."""
    return records.sort(
        "npi", "source", "told_on", "source_id", descending=[False, True, True, False], nulls_last=True
    )


def first_per_npi(ordered: pl.DataFrame) -> pl.DataFrame:
    return ordered.unique("npi", keep="first", maintain_order=True)


COLUMNS = (
    "npi",
    *NAME,
    "credentials",
    "specialty",
    *PLACE,
    "email",
    "status",
    "source_of_name",
    "source_of_address",
    "crm_accounts",
    "updated_on",
)
