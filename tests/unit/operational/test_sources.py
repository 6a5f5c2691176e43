"""The drops: all there, the same every time, each week makeable alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh_assets.operational import write_sources
from mesh_assets.operational.claims import write_fills
from mesh_assets.operational.field_force import write_field_force
from mesh_assets.operational.weeks import KEYS, MONDAYS, weeks_of
from mesh_assets.operational.write import STAMP, STEPS, open_generator
from mesh_assets.words.errors import SettingMalformed

from .conftest import SCALE

SINGLE = (
    "geography/us_zip.parquet",
    "hcp/crm_accounts.csv",
    "hcp/npi_registry.csv",
    "hcp/npi_registry_changes.csv",
    "hcp/hospital.parquet",
    "hcp/affiliation_roster.csv",
    "drug/ndc_product.tsv",
    "drug/ndc_package.tsv",
    "payer/plan_filing.csv",
    "payer/formulary_filing.csv",
    "prescriptions/part_d.csv",
    "engagement/payments.csv",
    "engagement/reps.csv",
    "engagement/open_payments/general_payments.csv",
    "engagement/open_payments/research_2013.csv",
    "engagement/open_payments/research_2014.csv",
    "engagement/open_payments/research_2015.csv",
)
WEEKLY = ("prescriptions/fills/{}.parquet", "engagement/calls/{}.csv", "engagement/samples/{}.csv")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_drop_is_there_and_nothing_else(sources: Path) -> None:
    weekly = [path.format(week) for path in WEEKLY for week in KEYS]

    assert set(contents(sources)) == {*SINGLE, *weekly, STAMP, "_defects.json"}


def test_weeks_are_the_104_mondays_of_two_years() -> None:
    assert (len(KEYS), KEYS[0], KEYS[-1]) == (104, "2023-01-02", "2024-12-23")
    assert {monday.weekday() for monday in MONDAYS} == {0}


def test_scale_says_how_many_fills_there_are_in_all() -> None:
    assert sum(week.fills for week in weeks_of(SCALE)) == 20_000
    assert sum(week.fills for week in weeks_of(100)) == 100_000_000


def test_drops_are_the_same_bytes_with_any_number_of_threads(sources: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    write_sources(tmp_path, scale=SCALE, threads=1, progress=lambda what, done, of: told.append((done, of)))

    assert contents(tmp_path) == contents(sources)
    assert told == [(done, STEPS) for done in range(1, STEPS + 1)]


def test_a_second_call_writes_nothing(sources: Path) -> None:
    told: list[str] = []
    before = {path: path.stat().st_mtime_ns for path in sources.rglob("*")}

    write_sources(sources, scale=SCALE, progress=lambda what, done, of: told.append(what))

    assert told == []
    assert {path: path.stat().st_mtime_ns for path in sources.rglob("*")} == before


def test_an_interrupted_call_is_made_good_by_the_next(breakable: Path, sources: Path) -> None:
    (breakable / STAMP).unlink()
    (breakable / "payer/plan_filing.csv").unlink()

    write_sources(breakable, scale=SCALE)

    assert contents(breakable) == contents(sources)


@pytest.mark.parametrize("number", [0, 51, 103])
def test_a_week_made_alone_is_the_week_of_the_whole(number: int, sources: Path, tmp_path: Path) -> None:
    con = open_generator(SCALE)

    list(write_fills(con, tmp_path, scale=SCALE, only=[number]))
    list(write_field_force(con, tmp_path, only=[number]))

    made = contents(tmp_path)
    assert len(made) == 4
    assert made == {name: content for name, content in contents(sources).items() if name in made}


def test_the_directory_of_drugs_is_windows_1252(sources: Path) -> None:
    content = (sources / "drug/ndc_product.tsv").read_bytes()

    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    lines = content.decode("windows-1252").split("\r\n")
    assert lines[0].split("\t")[:2] == ["PRODUCTID", "PRODUCTNDC"]
    assert {line.count("\t") for line in lines[:-1]} == {19}


def test_real_files_stand_under_the_names_that_recipes_read_and_are_never_written(tmp_path: Path) -> None:
    real, folder = tmp_path / "real", tmp_path / "sources"
    for name in ("general_payments", "research_2013", "research_2014", "research_2015"):
        (real / "open_payments_iowa").mkdir(parents=True, exist_ok=True)
        (real / "open_payments_iowa" / f"{name}.csv").write_text(f"real {name}")
    (real / "cms_partd_2023").mkdir()
    (real / "cms_partd_2023/prescriber_drug.csv").write_text("real part D")

    write_sources(folder, scale=0.001, real=real)

    assert (folder / "prescriptions/part_d.csv").read_text() == "real part D"
    assert (folder / "engagement/open_payments/research_2014.csv").read_text() == "real research_2014"
    assert json.loads((folder / STAMP).read_text())["real"] == str(real)

    write_sources(folder, scale=0.001)

    assert (real / "cms_partd_2023/prescriber_drug.csv").read_text() == "real part D"
    assert (folder / "prescriptions/part_d.csv").read_text().startswith("npi,generic_name")


def test_a_real_folder_without_its_files_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingMalformed, match=r"it has no open_payments_iowa/general_payments\.csv"):
        write_sources(tmp_path / "sources", scale=0.001, real=tmp_path)
