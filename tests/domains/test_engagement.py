"""Calls, samples and payments: whole weeks, honest doubles, NDCs told only when they can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from mesh_assets import mesh
from mesh_assets.domains.engagement._open_payment import recipe as open_payments
from mesh_assets.domains.engagement.call import recipe as calls
from mesh_assets.domains.engagement.payment import recipe as payments

ANNA, BERT = "2000028771", "2000516692"
OPEN_PAYMENTS = ("general_payments", "research_2013", "research_2014", "research_2015")

PAYMENT = {
    "record_id": "1",
    "recipient_npi": ANNA,
    "recipient_first_name": "ANNA",
    "recipient_last_name": "OBRIEN",
    "manufacturer_id": "100",
    "manufacturer_name": "Acme",
    "drug_name": "Eliquis",
    "ndc": "0003-0893-21",
    "amount_usd": "12.50",
    "payment_date": "2023-05-03",
    "nature": "Food and Beverage",
    "form": "In-kind items and services",
}


class Weeks:
    """What a recipe of weekly SQL asks of its run."""

    def __init__(self, *weeks: str) -> None:
        self.weeks = weeks


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return small_world()


def small_world() -> duckdb.DuckDBPyConnection:
    """Everything that the recipes read, in small: two persons, three packages, and no Open Payments."""
    con = duckdb.connect()
    for schema in ("source", "hcp", "drug", "geography", "engagement"):
        con.execute(f"CREATE SCHEMA {schema}")
    con.execute(
        f"""CREATE TABLE hcp.hcp_master AS FROM (VALUES
        ('{ANNA}', 'Anna', 'Obrien', '50309'), ('{BERT}', 'Bert', 'Wu', '02134')
        ) AS t(npi, first_name, last_name, zip5)"""
    )
    con.execute("CREATE TABLE drug.brand AS SELECT 'eliquis' AS brand_id, 'ELIQUIS' AS brand_name")
    con.execute(
        """CREATE TABLE drug.package AS FROM (VALUES
        ('00003089321', 'eliquis'), ('12345067890', 'eliquis'), ('01234567890', 'eliquis')
        ) AS t(ndc11, brand_id)"""
    )
    con.execute("CREATE TABLE geography.territory AS SELECT 'T001' AS territory_id")
    con.execute(
        """CREATE TABLE engagement._open_payment(
        record_id VARCHAR, physician_profile_id VARCHAR, manufacturer_id VARCHAR, manufacturer_name VARCHAR,
        amount_usd DECIMAL(18, 2), payment_date DATE, form VARCHAR, kind VARCHAR, recipient_type VARCHAR,
        organisation VARCHAR, teaching_hospital_ccn VARCHAR, study VARCHAR, nature VARCHAR,
        drug_names VARCHAR[], ndc_as_filed VARCHAR, first_name VARCHAR, last_name VARCHAR, zip5 VARCHAR)"""
    )
    return con


def pay(con: duckdb.DuckDBPyConnection, *changes: dict[str, str | None]) -> list[dict[str, Any]]:
    """What the payment product has of a ledger with these rows."""
    rows = [{**PAYMENT, "record_id": str(number), **change} for number, change in enumerate(changes, start=1)]
    con.register("ledger", pl.DataFrame(rows, schema=dict.fromkeys(PAYMENT, pl.String)).to_arrow())
    con.execute("CREATE OR REPLACE TABLE source.payments AS FROM ledger")
    return con.execute(payments.payment(Weeks())).pl().to_dicts()


@pytest.mark.parametrize(
    ("filed", "eleven"),
    [
        ("0003-0893-21", "00003089321"),
        ("12345-678-90", "12345067890"),
        ("44087-2011-2", "44087201102"),
        ("00003089321", "00003089321"),
        ("0003089321", "00003089321"),
        # 01234-5678-90 and 12345-0678-90 are both packages: these ten digits may be either.
        ("1234567890", None),
        ("9999999999", None),
        ("12345-678", None),
        (None, None),
    ],
)
def test_an_ndc_has_eleven_digits_or_none(
    con: duckdb.DuckDBPyConnection, filed: str | None, eleven: str | None
) -> None:
    (row,) = pay(con, {"ndc": filed})

    assert (row["ndc_as_filed"], row["ndc11"]) == (filed, eleven)


def test_a_payment_under_a_second_number_says_of_which_it_is_the_double(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = pay(con, {"record_id": "9"}, {"record_id": "10"}, {"record_id": "11", "amount_usd": "13.00"})

    assert {row["record_id"]: row["likely_double_of"] for row in found} == {"9": None, "10": "9", "11": None}


def test_payments_to_two_persons_without_npi_are_no_doubles(con: duckdb.DuckDBPyConnection) -> None:
    found = pay(con, {"recipient_npi": None}, {"recipient_npi": None, "recipient_last_name": "SMITH"})

    assert [row["likely_double_of"] for row in found] == [None, None]


def test_a_ledger_row_without_npi_is_matched_by_a_name_that_one_person_has(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = pay(con, {"recipient_npi": None}, {"recipient_npi": None, "recipient_last_name": "SMITH"}, {})

    assert [(row["npi"], row["npi_rule"]) for row in found] == [
        (ANNA, "name"),
        (None, None),
        (ANNA, "stated"),
    ]


def test_a_name_that_two_persons_share_matches_nobody(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("INSERT INTO hcp.hcp_master VALUES ('2000725780', 'ANNA', 'OBRIEN', '10001')")
    (row,) = pay(con, {"recipient_npi": None})

    assert row["npi"] is None


@pytest.mark.parametrize(("zip5", "npi"), [("50309", ANNA), ("99999", None)])
def test_a_stranger_of_open_payments_needs_the_zip_code_too(
    con: duckdb.DuckDBPyConnection, zip5: str, npi: str | None
) -> None:
    con.execute(
        """INSERT INTO engagement._open_payment VALUES
        ('7', '55', '100', 'Acme', 5, DATE '2014-01-01', 'Cash', 'general',
        'Covered Recipient Physician', NULL, NULL, NULL, 'Gift', ['Eliquis'], NULL, 'ANNA', 'OBRIEN', ?)""",
        [zip5],
    )
    found = next(row for row in pay(con, {}) if row["origin"] == "open_payments")

    assert (found["npi"], found["brand_id"]) == (npi, "eliquis")


def test_a_call_belongs_to_the_week_of_its_day_and_to_no_other(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""CREATE TABLE source.calls AS FROM (VALUES
        ('C1', 'R001A', '{ANNA}', '2023-01-08', 'in_person', '10', 'eliquis', NULL::VARCHAR, 'detailed'),
        ('C2', 'R999A', '{ANNA}', '2023-01-09', 'email', NULL, NULL, NULL, 'sent')
        ) AS t(call_id, rep_id, npi, call_date, channel, duration_minutes, brand_1, brand_2, outcome)"""
    )
    con.execute("CREATE TABLE source.reps AS SELECT 'R001A' AS rep_id, '1' AS territory_no, 'a' AS team")
    columns = "call_id, week_start::VARCHAR, territory_id, brand_id"

    both = con.sql(f"SELECT {columns} FROM ({calls.call(Weeks('2023-01-02', '2023-01-09'))})").fetchall()
    second = con.sql(f"SELECT call_id FROM ({calls.call(Weeks('2023-01-09'))})").fetchall()

    assert both == [("C1", "2023-01-02", "T001", "eliquis"), ("C2", "2023-01-09", None, None)]
    assert second == [("C2",)]


# As built


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_calls_and_samples_are_whole() -> None:
    called = mesh.read("engagement.call").polars()
    dropped = mesh.read("engagement.sample_drop").polars()

    assert called["call_id"].is_unique().all()
    assert called["week_start"].n_unique() == 104
    assert dropped.join(called, on="call_id", how="anti").is_empty()
    assert called["territory_id"].null_count() == 0


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_weeks_sum_up_what_happened() -> None:
    weekly = mesh.read("engagement.hcp_engagement_weekly").polars()
    called = mesh.read("engagement.call").polars()
    dropped = mesh.read("engagement.sample_drop").polars()

    assert weekly["calls"].sum() == called.height
    assert weekly["samples"].sum() == dropped["quantity"].sum()
    assert weekly.filter(pl.col("calls") + pl.col("sample_drops") + pl.col("payments") == 0).is_empty()


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_payments_keep_their_doubles_and_weeks_leave_them_out() -> None:
    paid = mesh.read("engagement.payment").polars()
    weekly = mesh.read("engagement.hcp_engagement_weekly").polars()
    monday = pl.col("payment_date").dt.truncate("1w")
    counted = paid.filter(
        pl.col("likely_double_of").is_null()
        & pl.col("npi").is_not_null()
        & monday.is_in(weekly["week_start"].implode())
    )

    assert paid["likely_double_of"].count() > 0
    assert weekly["payments_usd"].sum() == counted["amount_usd"].sum()


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_ndcs_without_dashes_are_told_by_the_package_that_fits() -> None:
    paid = mesh.read("engagement.payment").polars()
    bare = paid.filter((pl.col("origin") == "ledger") & pl.col("ndc_as_filed").str.contains(r"^\d{10}$"))

    assert bare.height > 0
    assert bare["ndc11"].null_count() <= 0.05 * bare.height


# The real files


@pytest.fixture(scope="module")
def iowa(real_data: Path) -> pl.DataFrame:
    """The payment product over the real files of Iowa, with nobody's ledger beside them."""
    folder = real_data / "open_payments_iowa"
    con = small_world()
    for name in OPEN_PAYMENTS:
        con.execute(f"CREATE VIEW source.{name} AS FROM read_csv('{folder / name}.csv', all_varchar = true)")
    con.execute(f"CREATE OR REPLACE TABLE engagement._open_payment AS {open_payments._open_payment(Weeks())}")
    pay(con)
    return con.execute(payments.payment(Weeks())).pl()


@pytest.mark.real
def test_every_real_payment_is_kept_under_its_record_id(iowa: pl.DataFrame) -> None:
    assert dict(iowa.group_by("kind").len().iter_rows()) == {
        "general": 126_084,
        "research": 1_794 + 3_840 + 4_295,
    }
    assert iowa["record_id"].is_unique().all()


@pytest.mark.real
def test_the_known_defects_of_the_real_files_are_found(iowa: pl.DataFrame) -> None:
    general = iowa.filter(pl.col("kind") == "general")

    assert general["likely_double_of"].n_unique() - 1 == 1_156  # null is not a group
    assert general.filter(pl.col("amount_usd") == 0).height == 21


@pytest.mark.real
def test_real_ndcs_with_dashes_are_all_readable_and_bare_ones_only_if_known(iowa: pl.DataFrame) -> None:
    filed = iowa.drop_nulls("ndc_as_filed")
    bare = filed.filter(pl.col("ndc_as_filed").str.contains(r"^\d{10}$"))

    by_year = dict(bare.group_by(pl.col("payment_date").dt.year()).len().iter_rows())

    assert by_year == {2013: 475, 2014: 687}
    assert filed.filter(pl.col("ndc_as_filed").str.contains("-"))["ndc11"].null_count() == 0
    assert bare["ndc11"].drop_nulls().is_in(["00003089321", "12345067890", "01234567890"]).all()


@pytest.mark.real
def test_general_payments_get_names_from_research_profiles(iowa: pl.DataFrame) -> None:
    general = iowa.filter(pl.col("kind") == "general")

    assert general["recipient_last_name"].count() > 10_000
    assert general["npi"].count() == 0
