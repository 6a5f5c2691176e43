"""ZIP codes and territories: complete, balanced, and cut the same way every time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from mesh_assets import mesh
from mesh_assets.words.settings import PACKAGE

ALIGNMENT = PACKAGE / "domains" / "geography" / "_alignment" / "recipe.sql"


def align(zips: pl.DataFrame, *, threads: int = 1) -> pl.DataFrame:
    """The alignment's own SQL over a frame of ZIP codes."""
    con = duckdb.connect(config={"threads": threads})
    con.execute("CREATE SCHEMA geography")
    con.register("given", zips.to_arrow())
    con.execute("CREATE TABLE geography.zip_area AS FROM given")
    return con.execute(Path(ALIGNMENT).read_text(encoding="utf-8")).pl()


def street(count: int, division: str = "Mountain", people: int = 100) -> pl.DataFrame:
    """A division that is one row of equally large ZIP codes."""
    return pl.DataFrame(
        {
            "zip5": [f"{80000 + number:05}" for number in range(count)],
            "city": ["Town"] * count,
            "state": ["CO"] * count,
            "division": [division] * count,
            "population": [people] * count,
        },
        schema_overrides={"population": pl.Int64},
    )


def test_territories_are_numbered_without_gaps_and_share_the_people_evenly() -> None:
    found = align(street(600)).group_by("territory_id").agg(pl.col("population").sum()).sort("territory_id")

    assert found["territory_id"].to_list() == [f"T{number:03}" for number in range(1, 61)]
    assert found["population"].to_list() == [1000] * 60


def test_a_territory_is_a_stretch_of_neighbouring_zip_codes() -> None:
    in_order = align(street(600)).sort("zip5")["territory_id"].to_list()

    assert in_order == sorted(in_order)


def test_military_post_belongs_to_no_territory() -> None:
    zips = pl.concat(
        [street(10), street(1, division="Mountain").with_columns(division=None, zip5=pl.lit("09001"))]
    )

    assert "09001" not in align(zips)["zip5"].to_list()


def test_places_without_known_people_go_with_their_neighbours() -> None:
    zips = street(100).with_columns(
        population=pl.when(pl.col("zip5") == "80050").then(None).otherwise(pl.col("population"))
    )
    territory = dict(align(zips).select("zip5", "territory_id").iter_rows())

    assert territory["80050"] in (territory["80049"], territory["80051"])


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_every_zip_code_is_there_once() -> None:
    zips = mesh.read("geography.zip_area").polars()

    assert zips.height == zips["zip5"].n_unique() == 41_994


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_mainland_territories_hold_similar_numbers_of_people() -> None:
    territories = mesh.read("geography.territory").polars()
    people = territories.filter(pl.col("region") != "Islands")["population"]

    assert territories.height == 60
    assert people.max() <= 1.5 * people.min()


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_a_territory_holds_the_zip_codes_that_are_aligned_to_it() -> None:
    areas = mesh.read("geography.zip_area").polars()
    aligned = mesh.read("geography.zip_territory").polars().join(areas, on="zip5")
    counted = (
        aligned.drop_nulls("territory_id")
        .group_by("territory_id")
        .agg(pl.len().alias("zips"), pl.col("population").sum().alias("people"))
    )
    both = mesh.read("geography.territory").polars().join(counted, on="territory_id", validate="1:1")

    assert both.height == 60
    assert (both["zips"] == both["zip_count"]).all()
    assert (both["people"] == both["population"]).all()


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_zip_codes_without_a_territory_are_military_or_of_no_state() -> None:
    areas = mesh.read("geography.zip_area").polars()
    aligned = mesh.read("geography.zip_territory").polars().join(areas, on="zip5")
    left_out = aligned.filter(pl.col("territory_id").is_null())

    assert 0 < left_out.height < 1_000
    assert set(left_out["state"].unique()) <= {"AA", "AE", "AP", None}


@pytest.mark.mesh
@pytest.mark.usefixtures("built_mesh")
def test_the_alignment_does_not_depend_on_the_number_of_threads() -> None:
    zips = mesh.read("geography.zip_area").polars()

    assert align(zips, threads=1).equals(align(zips, threads=4))
