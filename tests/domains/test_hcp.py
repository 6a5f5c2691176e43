"""Persons: read as typed, matched by number or name, settled by rule, followed through time."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_assets import mesh
from mesh_assets.domains.hcp import cleaning
from mesh_assets.domains.hcp.hcp_history import recipe as history
from mesh_assets.domains.hcp.hcp_master import expectations
from mesh_assets.domains.hcp.hcp_master import recipe as master
from mesh_assets.domains.hcp.hcp_xref import recipe as xref

ANNA, BERT, CARL = "2000028771", "2000516692", "2000725780"

PERSON = {
    "npi": ANNA,
    "first_name": "ANNA",
    "last_name": "OBRIEN",
    "credentials": "M.D.",
    "specialty": "Cardiology",
    "address": "1 MAIN ST",
    "city": "DES MOINES",
    "state": "IA",
    "zip5": "50309",
    "enumeration_date": date(2010, 1, 1),
    "last_update": date(2023, 1, 1),
    "deactivation_date": None,
}
ACCOUNT = {
    "account_id": "A1",
    "npi": ANNA,
    "first_name": "Anna",
    "last_name": "O'Brien",
    "credentials": "MD",
    "specialty": "Cardiology",
    "address": "2 Oak Ave",
    "city": "Boston",
    "state": "MA",
    "zip5": "02134",
    "email": "anna@example.org",
    "status": "active",
    "updated_on": date(2024, 1, 1),
}
DATES = ("enumeration_date", "last_update", "deactivation_date", "updated_on")


def persons(*changes: dict[str, Any]) -> pl.DataFrame:
    return _keyed([{**PERSON, **change} for change in changes])


def accounts(*changes: dict[str, Any]) -> pl.DataFrame:
    return _keyed([{**ACCOUNT, **change} for change in changes])


def _keyed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    types = {name: pl.Date if name in DATES else pl.String for name in rows[0]}
    return pl.DataFrame(rows, schema=types).with_columns(
        cleaning.name_key("first_name").alias("first_key"), cleaning.name_key("last_name").alias("last_key")
    )


def settle(registry: pl.DataFrame, crm: pl.DataFrame) -> dict[str, Any]:
    """The one person that both systems tell of, as hcp_master has it."""
    matched = xref.matches(crm, registry)
    found = master.survivors(registry, crm, xref=matched, zips=pl.Series(["50309", "02134"]))
    return found.row(0, named=True)


# Reading what was typed


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("02134", "02134"),
        ("2134", "02134"),
        ("021341234", "02134"),
        ("21341234", "02134"),
        ("02134-1234", "02134"),
        ("501", "00501"),
        ("12", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_zip_codes_get_their_lost_zeros_back(typed: str | None, read: str | None) -> None:
    frame = pl.DataFrame({"zip": [typed]}, schema={"zip": pl.String})

    assert frame.select(cleaning.zip5("zip")).item() == read


def test_names_are_compared_without_accents_case_and_signs() -> None:
    frame = pl.DataFrame({"name": ["Ó Brien", "O'BRIEN", "obrien"]})

    assert frame.select(cleaning.name_key("name")).to_series().to_list() == ["OBRIEN"] * 3


@given(place=st.integers(0, 9), by=st.integers(1, 9))
def test_an_npi_with_one_wrong_digit_is_no_npi(place: int, by: int) -> None:
    wrong = ANNA[:place] + str((int(ANNA[place]) + by) % 10) + ANNA[place + 1 :]
    frame = pl.DataFrame({"npi": [ANNA, wrong]})

    assert frame.select(cleaning.npi_is_valid("npi")).to_series().to_list() == [True, False]


@pytest.mark.parametrize("typed", [None, "", "20000", "ABCDEFGHIJ", "3000028779"])
def test_what_is_no_number_is_no_npi(typed: str | None) -> None:
    frame = pl.DataFrame({"npi": [typed]}, schema={"npi": pl.String})

    assert frame.select(cleaning.npi_is_valid("npi")).item() is False


# Matching


def match(account: dict[str, Any], *registry: dict[str, Any]) -> tuple[str | None, str, float]:
    found = xref.matches(accounts(account), persons(*registry)).filter(pl.col("source") == "crm")
    return found.select("npi", "rule", "score").row(0)


def test_an_account_with_an_npi_is_that_person() -> None:
    assert match({}, {}) == (ANNA, "npi", 1.0)


@pytest.mark.parametrize(("first", "score"), [("Anna", 0.9), ("Zoe", 0.8)])
def test_an_npi_under_another_name_is_matched_with_doubt(first: str, score: float) -> None:
    assert match({"first_name": first, "last_name": "Wu"}, {}) == (ANNA, "npi_name_differs", score)


def test_an_npi_that_the_registry_does_not_list_is_kept_with_doubt() -> None:
    assert match({"npi": BERT}, {}) == (BERT, "npi_unregistered", 0.7)


@pytest.mark.parametrize("first", ["Anna", "A.", "ANN"])
def test_without_an_npi_a_like_name_in_the_same_zip_code_and_specialty_matches(first: str) -> None:
    npi, rule, score = match({"npi": None, "first_name": first, "zip5": "50309"}, {})

    assert (npi, rule) == (ANNA, "name_zip_specialty")
    assert 0.85 <= score <= 0.95


def test_two_persons_who_are_equally_alike_match_nobody() -> None:
    assert match(
        {"npi": None, "first_name": "A.", "zip5": "50309"}, {}, {"npi": BERT, "first_name": "AMY"}
    ) == (
        None,
        "unmatched",
        0.0,
    )


def test_somebody_who_moved_within_the_state_is_found_by_full_name() -> None:
    assert match({"npi": None, "state": "IA", "zip5": "52001"}, {}) == (ANNA, "name_state_specialty", 0.7)


def test_an_account_without_a_name_matches_nobody() -> None:
    assert match({"npi": None, "first_name": None, "last_name": None, "zip5": "50309"}, {})[1] == "unmatched"


# Survivorship


def test_the_name_is_the_registrys_and_the_address_the_later_one() -> None:
    found = settle(persons({}), accounts({}))

    assert (found["last_name"], found["source_of_name"]) == ("Obrien", "npi_registry")
    assert (found["zip5"], found["city"], found["source_of_address"]) == ("02134", "Boston", "crm")
    assert found["updated_on"] == date(2024, 1, 1)


def test_an_older_crm_address_loses() -> None:
    found = settle(persons({}), accounts({"updated_on": date(2022, 1, 1)}))

    assert (found["zip5"], found["source_of_address"]) == ("50309", "npi_registry")


def test_a_later_address_whose_zip_code_does_not_exist_loses() -> None:
    found = settle(persons({}), accounts({"zip5": "00000"}))

    assert (found["zip5"], found["source_of_address"]) == ("50309", "npi_registry")


def test_a_deactivated_npi_is_inactive_whatever_the_crm_says() -> None:
    found = settle(persons({"deactivation_date": date(2023, 6, 1)}), accounts({}))

    assert found["status"] == "inactive"


def test_status_and_email_are_the_latest_that_the_crm_tells() -> None:
    later = {
        "account_id": "A2",
        "status": "inactive",
        "email": "not an address",
        "updated_on": date(2024, 6, 1),
    }
    found = settle(persons({}), accounts({}, later))

    assert (found["status"], found["email"], found["crm_accounts"]) == ("inactive", "anna@example.org", 2)


def test_a_person_whom_only_the_crm_knows_keeps_the_crms_name() -> None:
    found = settle(persons({"npi": CARL}), accounts({"npi": BERT}))

    assert (found["npi"], found["last_name"], found["source_of_name"]) == (BERT, "O'Brien", "crm")


# History

CHANGE = {"npi": ANNA, "specialty": "Cardiology", "zip5": "50309", "status": "active"}


def intervals(*changes: dict[str, Any]) -> list[tuple[Any, ...]]:
    frame = pl.DataFrame(
        [{**CHANGE, **change} for change in changes], schema_overrides={"valid_from": pl.String}
    )
    told = history.intervals(history.readable(frame))
    return told.select("valid_from", "valid_to", "is_current", "zip5").rows()


def test_each_change_ends_the_interval_before_it() -> None:
    assert intervals({"valid_from": "2020-01-01"}, {"valid_from": "2021-01-01", "zip5": "2134"}) == [
        (date(2020, 1, 1), date(2021, 1, 1), False, "50309"),
        (date(2021, 1, 1), None, True, "02134"),
    ]


def test_a_change_that_changes_nothing_makes_no_interval() -> None:
    assert intervals({"valid_from": "2020-01-01"}, {"valid_from": "2021-01-01"}) == [
        (date(2020, 1, 1), None, True, "50309")
    ]


def test_of_two_changes_on_one_day_the_later_written_holds() -> None:
    assert intervals({"valid_from": "2020-01-01"}, {"valid_from": "2020-01-01", "zip5": "02134"}) == [
        (date(2020, 1, 1), None, True, "02134")
    ]


def test_a_change_without_a_day_is_left_out() -> None:
    assert intervals({"valid_from": "2020-01-01"}, {"valid_from": "soon", "zip5": "02134"}) == [
        (date(2020, 1, 1), None, True, "50309")
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["50309", "02134", "10001"])), min_size=1, max_size=12
    )
)
def test_intervals_never_overlap_and_one_is_current(days: list[tuple[int, str]]) -> None:
    found = intervals(*({"valid_from": f"2020-01-{1 + day % 28:02}", "zip5": place} for day, place in days))

    assert [row[1] for row in found[:-1]] == [row[0] for row in found[1:]]
    assert [row[2] for row in found] == [False] * (len(found) - 1) + [True]


# Expectations


@pytest.mark.parametrize(
    ("zip5", "city", "source", "whole"),
    [
        ("50309", None, "crm", True),
        (None, None, None, True),
        (None, "Boston", None, False),
        (None, None, "crm", False),
        ("50309", "Boston", None, False),
    ],
)
def test_an_address_without_a_source_or_a_zip_code_is_none(
    zip5: str | None, city: str | None, source: str | None, whole: bool
) -> None:
    parts = {"zip5": zip5, "address": None, "city": city, "state": None, "source_of_address": source}
    frame = pl.DataFrame([parts], schema=dict.fromkeys(parts, pl.String))

    assert expectations.places_are_whole(frame).to_list() == [whole]


@pytest.mark.parametrize(("twins", "told_apart"), [(0, True), (3, False)])
def test_many_persons_of_one_name_and_place_are_told(twins: int, told_apart: bool) -> None:
    persons = [("Anna", f"Obrien {number}", "50309") for number in range(200)] + [
        ("Bo", "Li", "02134")
    ] * twins
    frame = pl.DataFrame(persons, schema=["first_name", "last_name", "zip5"], orient="row")

    assert expectations.persons_are_told_apart(frame) is told_apart


# As built


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_each_person_is_there_once_with_a_current_row_of_history() -> None:
    people = mesh.read("hcp.hcp_master").polars()
    current = mesh.read("hcp.hcp_history").polars().filter(pl.col("is_current"))

    assert people["npi"].is_unique().all()
    assert sorted(people["npi"]) == sorted(current["npi"])


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_nearly_every_account_leads_to_a_person_and_several_may_lead_to_one() -> None:
    found = mesh.read("hcp.hcp_xref").polars().filter(pl.col("source") == "crm")
    people = mesh.read("hcp.hcp_master").polars()

    assert found["npi"].null_count() <= 0.05 * found.height
    assert people["crm_accounts"].sum() == found["npi"].count()
    assert found.filter(pl.col("npi").is_not_null()).join(people, on="npi", how="anti").is_empty()


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_a_hospital_is_there_once_though_it_is_listed_often() -> None:
    hospitals = mesh.read("hcp.hospital").polars()

    assert hospitals["ccn"].is_unique().all()
    assert (hospitals.height, hospitals["listings"].sum()) == (9_185, 10_154)


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_affiliations_join_persons_and_hospitals() -> None:
    affiliations = mesh.read("hcp.hcp_affiliation").polars()
    people = mesh.read("hcp.hcp_master").polars()
    hospitals = mesh.read("hcp.hospital").polars()

    assert affiliations.join(people, on="npi", how="anti").is_empty()
    assert affiliations.join(hospitals, on="ccn", how="anti").is_empty()
