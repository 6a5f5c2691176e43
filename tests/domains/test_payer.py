"""The payer's program knows nothing of this mesh, reads filings exactly, and says where one is malformed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_assets import mesh
from mesh_assets.words.settings import PACKAGE
from tests.conftest import BuiltMesh

FOLDER = PACKAGE / "domains" / "payer"
PROGRAM = FOLDER / "program" / "filings.py"
ALONE = [sys.executable, "-I", "-S"]

PLANS = "plan_id,contract_id,plan_name,payer_name,line_of_business,state_list,enrollment,effective_from"
PLAN = "P1,H1,Blue Choice,Blue,commercial,NY|CA,100,2023-01-01"
FORMULARIES = (
    "formulary_id,plan_id,brand_code,brand_name,tier,prior_authorization,step_therapy,effective_from"
)
FORMULARY = "F1,P1,ELIQUIS,Eliquis,2,N,Y,2023-01-01"


class Filings:
    """The program and what it is handed, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file("plan_filing", PLANS, PLAN)
        self.file("formulary_filing", FORMULARIES, FORMULARY)
        self.file("drug.brand", "brand_id,brand_name", "eliquis,ELIQUIS", "xultophy_100_3_6,XULTOPHY 100/3.6")
        self.file("geography.zip_area", "zip5,state,population", "10001,NY,20", "10002,NY,5", "90001,CA,")

    def file(self, name: str, *lines: str, encoding: str = "utf-8") -> Path:
        path = self.folder / f"{name}.csv"
        path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        return path

    def ask(self, product: str) -> subprocess.CompletedProcess[str]:
        """Run the program for a product as the mesh does."""
        order = {
            "product": product,
            "inputs": {
                name: [str(self.folder / f"{name}.csv")] for name in ("drug.brand", "geography.zip_area")
            },
            "sources": {
                name: [str(self.folder / f"{name}.csv")] for name in ("plan_filing", "formulary_filing")
            },
            "output": str(self.folder),
        }
        return subprocess.run(
            [*ALONE, str(PROGRAM)], input=json.dumps(order), capture_output=True, text=True, timeout=60
        )

    def rows(self, product: str) -> list[dict[str, Any]]:
        done = self.ask(product)
        assert done.returncode == 0, done.stderr
        with (self.folder / f"{product}.csv").open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))


@pytest.fixture
def filings(tmp_path: Path) -> Filings:
    return Filings(tmp_path)


def test_the_program_runs_where_dagster_cannot_be_imported(filings: Filings) -> None:
    dagster = subprocess.run([*ALONE, "-c", "import dagster"], capture_output=True, text=True, timeout=60)
    assert "ModuleNotFoundError" in dagster.stderr

    assert [row["plan_id"] for row in filings.rows("plan")] == ["P1"]


@pytest.mark.parametrize("product", ["plan", "plan_area", "formulary_coverage"])
def test_each_product_is_made_in_an_interpreter_of_its_own(product: str) -> None:
    document = yaml.safe_load((FOLDER / product / "program.yaml").read_text(encoding="utf-8"))

    assert document["command"] == ["{python}", "-I", "-S", "program/filings.py"]


def test_a_later_filing_replaces_an_earlier_one(filings: Filings) -> None:
    filings.file("plan_filing", PLANS, PLAN.replace("100,2023", "250,2024"), PLAN)

    assert [row["enrollment"] for row in filings.rows("plan")] == ["250"]


def test_two_filings_of_one_day_are_left_for_the_contract_to_refuse(filings: Filings) -> None:
    filings.file("plan_filing", PLANS, PLAN, PLAN.replace("Blue Choice", "Blue Choice II"))

    assert [row["plan_id"] for row in filings.rows("plan")] == ["P1", "P1"]


def test_a_plan_area_has_the_people_of_its_state(filings: Filings) -> None:
    assert filings.rows("plan_area") == [
        {"plan_id": "P1", "state": "NY", "state_zips": "2", "state_population": "25"},
        {"plan_id": "P1", "state": "CA", "state_zips": "1", "state_population": "0"},
    ]


def test_brands_match_whatever_the_spelling(filings: Filings) -> None:
    odd = FORMULARY.replace("ELIQUIS,Eliquis", "XU-36,Xultophy® 100-3.6")
    filings.file("formulary_filing", FORMULARIES, FORMULARY, odd)

    assert [row["brand_id"] for row in filings.rows("formulary_coverage")] == ["eliquis", "xultophy_100_3_6"]


def test_an_unknown_brand_is_told_and_left_out(filings: Filings) -> None:
    filings.file("formulary_filing", FORMULARIES, FORMULARY, FORMULARY.replace("ELIQUIS,Eliquis", "ZZZ,Zzz"))

    told = filings.ask("formulary_coverage").stdout

    assert "warning: 1 entries name 1 brands that drug.brand has not: ZZZ" in told
    assert [row["brand_id"] for row in filings.rows("formulary_coverage")] == ["eliquis"]


def test_progress_is_told_in_plain_lines_and_ends_at_a_hundred(filings: Filings) -> None:
    lines = filings.ask("plan").stdout.splitlines()

    assert lines[0].startswith("progress: 40% ")
    assert lines[-1] == "progress: 100% wrote 1 rows of plan"


@pytest.mark.parametrize(
    ("product", "lines", "said"),
    [
        ("plan", [PLANS.replace(",enrollment", "")], ":1: the header lacks enrollment"),
        ("plan", [PLANS, PLAN, PLAN + ",more"], ":3: 9 values under 8 columns"),
        ("plan", [PLANS, PLAN.replace(",100,", ",many,")], ":2: enrollment is 'many', not a whole number"),
        ("plan", [PLANS, PLAN.replace("2023-01-01", "1/1/23")], ":2: effective_from is '1/1/23', not a date"),
        ("plan", [PLANS, PLAN.replace("commercial", "pet")], ":2: line_of_business is 'pet', not one of"),
        ("plan", [PLANS, PLAN.replace("P1", "")], ":2: plan_id is empty"),
        (
            "formulary_coverage",
            [FORMULARIES, FORMULARY.replace(",N,", ",no,")],
            ":2: prior_authorization is 'no'",
        ),
    ],
)
def test_a_malformed_filing_is_named_by_file_and_line(
    filings: Filings, product: str, lines: list[str], said: str
) -> None:
    file = filings.file("plan_filing" if product == "plan" else "formulary_filing", *lines)

    done = filings.ask(product)

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {file}{said}")
    assert done.stderr.count("\n") == 1
    assert not (filings.folder / f"{product}.csv").exists()


def test_a_byte_that_is_not_utf8_is_named_by_its_line(filings: Filings) -> None:
    file = filings.file("plan_filing", PLANS, PLAN, PLAN.replace("Blue", "Café"), encoding="windows-1252")

    done = filings.ask("plan")

    assert (done.returncode, done.stderr) == (2, f"error: {file}:3: byte 0xe9 is not utf-8\n")


@pytest.mark.mesh
def test_published_coverage_has_one_entry_per_formulary_and_brand(built_mesh: BuiltMesh) -> None:
    coverage = mesh.read("payer.formulary_coverage").polars()
    plans = mesh.read("payer.plan").polars()
    brands = mesh.read("drug.brand").polars()

    assert coverage.select("formulary_id", "brand_id").is_unique().all()
    assert coverage.get_column("plan_id").is_in(plans.get_column("plan_id").to_list()).all()
    assert coverage.get_column("brand_id").is_in(brands.get_column("brand_id").to_list()).all()
    assert coverage.get_column("tier").is_between(1, 5).all()


@pytest.mark.mesh
def test_a_malformed_filing_stops_the_build_with_the_programs_own_words(own_mesh: BuiltMesh) -> None:
    drop = own_mesh.home / "sources" / "payer" / "plan_filing.csv"
    first, *plans = drop.read_text(encoding="utf-8").splitlines()
    plan_id, *more = plans[3].split(",")
    plans[3] = ",".join([plan_id, *more[:5], "many", more[6]])
    drop.write_text("\n".join([first, *plans, ""]), encoding="utf-8")

    done = own_mesh.run("build", "payer.plan")

    assert done.returncode != 0
    told = " ".join((done.stdout + done.stderr).split())
    assert "enrollment is 'many', not a whole number" in told, (
        "lines may be wrapped, the words are the program's"
    )
