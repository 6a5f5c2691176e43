"""The `mesh` command on the example, as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.lake import files
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import PACKAGE, PROJECT, read_settings
from tests.conftest import BuiltMesh

pytestmark = pytest.mark.mesh

CALL = "engagement.call"


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Product -> outcome, of `mesh build --json`."""
    assert "Traceback" not in done.stderr, done.stderr
    return {record["product"]: record["outcome"] for record in json.loads(done.stdout)}


def told_outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Product -> outcome, of the table that a person reads."""
    lines = [line.split() for line in done.stdout.splitlines()]
    return {words[0]: words[1] for words in lines if len(words) > 2 and "." in words[0]}


def heads(mesh: BuiltMesh) -> dict[str, int]:
    with open_registry(read_settings(mesh.environment)) as registry:
        return {str(name): number for name, number in registry.heads().items()}


def test_a_second_build_says_unchanged_and_publishes_nothing(own_mesh: BuiltMesh) -> None:
    before = heads(own_mesh)

    done = own_mesh.run("build", "--json")

    assert done.returncode == 0, done.stderr
    assert set(outcomes(done).values()) == {"unchanged"}
    assert set(outcomes(done)) == set(before)
    assert heads(own_mesh) == before


def test_a_broken_delivery_is_refused_told_and_mended(own_mesh: BuiltMesh) -> None:
    before = heads(own_mesh)
    rows = own_mesh.run("read", CALL, "--format", "csv").stdout
    assert own_mesh.run("sources", "--break", "duplicated_key").returncode == 0

    built = own_mesh.run("build")

    assert built.returncode == 1
    assert "Traceback" not in built.stdout + built.stderr
    table = told_outcomes(built)
    assert table[CALL] == "refused"
    assert "`primary_key` failed on 6 of" in built.stdout
    users = {"engagement.hcp_engagement_weekly", "brand_analytics.fct_engagement", "field_reports.call_plan"}
    assert {table[name] for name in users} == {"skipped"}
    touched = ("engagement", "brand_analytics", "field_reports")
    assert {table[name] for name in table if name.split(".")[0] not in touched} == {"unchanged"}
    assert heads(own_mesh) == before
    assert own_mesh.run("read", CALL, "--format", "csv").stdout == rows

    why = own_mesh.run("why", CALL)

    assert why.returncode == 1
    for words in ("refused", "primary_key", "(call_id)", "failed on 6 of", "Readers still see version"):
        assert words in why.stdout

    assert own_mesh.run("sources", "--mend").returncode == 0
    mended = own_mesh.run("build", "--json")

    assert mended.returncode == 0
    assert set(outcomes(mended).values()) == {"unchanged"}
    assert heads(own_mesh) == before


def test_products_are_read_in_every_format(built_mesh: BuiltMesh, tmp_path: Path) -> None:
    as_csv = built_mesh.run("read", "drug.brand", "--format", "csv")
    as_json = built_mesh.run("read", "drug.brand", "--format", "json", "--version", "1")
    target = tmp_path / "brands.parquet"
    as_parquet = built_mesh.run("read", "drug.brand", "--format", "parquet", "-o", str(target))

    brands = {row["brand_id"] for row in csv.DictReader(io.StringIO(as_csv.stdout))}
    assert len(brands) > 100
    assert {json.loads(line)["brand_id"] for line in as_json.stdout.splitlines()} == brands
    assert {row[0] for row in duckdb.read_parquet(str(target)).select("brand_id").fetchall()} == brands
    assert {as_csv.returncode, as_json.returncode, as_parquet.returncode} == {0}


def test_an_unknown_product_is_told_with_the_nearest(built_mesh: BuiltMesh) -> None:
    done = built_mesh.run("read", "drug.brands")

    assert done.returncode == 2
    assert "Did you mean drug.brand" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_scripts_read_is_one_json_document(built_mesh: BuiltMesh) -> None:
    products = json.loads(built_mesh.run("products", "--json").stdout)
    shown = json.loads(built_mesh.run("show", "hcp.hcp_master", "--json").stdout)

    assert {"product", "version", "rows", "last_build"} <= set(products[0])
    assert all(row["version"] for row in products)
    assert shown["certificate"]["rows"] > 0


def test_the_doctor_finds_the_example_well(built_mesh: BuiltMesh) -> None:
    done = built_mesh.run("doctor")

    assert done.returncode == 0, done.stdout
    assert "bad" not in done.stdout.split()


def test_the_doctor_names_a_file_that_is_gone(own_mesh: BuiltMesh) -> None:
    name = product_name("drug.brand")
    settings = read_settings(own_mesh.environment)
    with open_registry(settings) as registry:
        head = registry.head(name)
    assert head is not None
    lost = Path(files(settings, name, head.snapshot)[0])
    lost.unlink()

    done = own_mesh.run("doctor")

    assert done.returncode == 1
    assert f"drug.brand version {head.number} has lost 1 of its files, first {lost}" in done.stdout
    assert "`mesh build drug.brand --force`" in done.stdout


def test_a_file_that_is_gone_is_made_again_as_the_doctor_says(own_mesh: BuiltMesh) -> None:
    name = product_name("geography.territory")
    settings = read_settings(own_mesh.environment)
    rows = own_mesh.run("read", str(name), "--format", "csv").stdout
    with open_registry(settings) as registry:
        head = registry.head(name)
    assert head is not None
    Path(files(settings, name, head.snapshot)[0]).unlink()

    built = own_mesh.run("build", str(name), "--only", "--force")

    assert built.returncode == 0, built.stdout + built.stderr
    assert own_mesh.run("read", str(name), "--format", "csv").stdout == rows
    assert own_mesh.run("doctor").returncode == 0


@pytest.fixture
def own_code(own_mesh: BuiltMesh, tmp_path: Path) -> BuiltMesh:
    """The built example, with copies of its domains, dbt project and workspace to change."""
    aside = shutil.ignore_patterns("__pycache__", "target", "logs")
    shutil.copytree(PACKAGE / "domains", tmp_path / "domains", ignore=aside)
    shutil.copytree(PROJECT / "dbt_project", tmp_path / "dbt_project", ignore=aside)
    shutil.copy(PROJECT / "workspace.yaml", tmp_path / "workspace.yaml")
    places = {
        "MESH_DOMAINS": str(tmp_path / "domains"),
        "MESH_DBT_PROJECT": str(tmp_path / "dbt_project"),
        "MESH_WORKSPACE": str(tmp_path / "workspace.yaml"),
    }
    return BuiltMesh(own_mesh.home, {**own_mesh.environment, **places})


def test_a_malformed_contract_stops_the_command_and_not_the_readers(own_code: BuiltMesh) -> None:
    contract = Path(own_code.environment["MESH_DOMAINS"]) / "drug/brand/contract.yaml"
    text = contract.read_text()
    line = text[: text.index("logicalType: string")].count("\n") + 1
    contract.write_text(text.replace("logicalType: string", "logicalType: strng", 1))

    built, doctor, read = own_code.run("build"), own_code.run("doctor"), own_code.run("read", "drug.brand")

    assert built.returncode == 2
    assert f"drug/brand/contract.yaml:{line}:" in built.stderr
    assert "'strng'" in built.stderr
    assert "string" in built.stderr
    assert "Traceback" not in built.stderr
    assert doctor.returncode == 1
    assert f"drug/brand/contract.yaml:{line}:" in doctor.stdout
    assert read.returncode == 0


def test_new_domains_and_products_build_and_pass_as_they_stand(own_code: BuiltMesh) -> None:
    made = [
        own_code.run("new-domain", "supply", "--owner", "supply-team@example.com"),
        own_code.run("new-product", "supply.stock", "--with", "sql"),
        own_code.run("new-product", "hcp.hcp_email", "--with", "python"),
        own_code.run("new-product", "drug.recall", "--with", "dbt"),
    ]
    assert {done.returncode for done in made} == {0}, [done.stderr for done in made]

    built = own_code.run("build", "supply", "hcp.hcp_email", "drug.recall", "--json")

    new = ("supply.first_product", "supply.stock", "hcp.hcp_email", "drug.recall")
    assert built.returncode == 0, built.stdout + built.stderr
    assert outcomes(built) == dict.fromkeys(new, "published")
    assert own_code.run("doctor").returncode == 0
