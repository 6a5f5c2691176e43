"""One process imports dbt and parses the project; invocations are forks of it."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.publishing.dbt import DbtFailed
from mesh_assets.capabilities.publishing.dbt_warm import run_warm, warm_dbt
from mesh_assets.capabilities.publishing.workshop import DbtCall
from mesh_assets.words.settings import PROJECT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's project with small models in place of its own."""
    folder = tmp_path_factory.mktemp("warm") / "dbt_project"
    own = shutil.ignore_patterns("models", "tests", "target")
    shutil.copytree(PROJECT / "dbt_project", folder, ignore=own)
    (folder / "models" / "shop").mkdir(parents=True)
    (folder / "models" / "shop" / "orders.sql").write_text("select 1 as order_id")
    (folder / "models" / "shop" / "wrong.sql").write_text("select nothing_there")
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    context = multiprocessing.get_context("forkserver")
    with warm_dbt(context, project, project.parent / "dbt.log") as door:
        yield door


def call(project: Path, folder: Path, *models: str) -> DbtCall:
    folder.mkdir(exist_ok=True)
    (folder / "inputs.json").write_text(json.dumps({"views": []}))
    return DbtCall(
        arguments=("run", "--select", *models),
        environment={
            "MESH_DBT_INPUTS": str(folder / "inputs.json"),
            "MESH_DBT_SCRATCH": str(folder / "scratch.duckdb"),
            "DBT_PROJECT_DIR": str(project),
            "DBT_PROFILES_DIR": str(project),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        },
        project=project,
        target=folder / "target",
    )


def orders(folder: Path) -> list[tuple[int]]:
    with duckdb.connect(str(folder / "scratch.duckdb"), read_only=True) as con:
        return con.execute("select order_id from shop.orders").fetchall()


def test_each_invocation_works_in_its_own_database_and_tells_its_lines(
    address: str, project: Path, tmp_path: Path
) -> None:
    told: list[str] = []

    for folder in (tmp_path / "one", tmp_path / "two"):
        run_warm(address, call(project, folder, "orders"), tell=told.append)

    assert orders(tmp_path / "one") == orders(tmp_path / "two") == [(1,)]
    assert sum("OK created" in line for line in told) == 2


def test_a_failing_model_fails_its_invocation_and_no_other(
    address: str, project: Path, tmp_path: Path
) -> None:
    with pytest.raises(DbtFailed, match="nothing_there"):
        run_warm(address, call(project, tmp_path / "one", "wrong"), tell=lambda _: None)

    run_warm(address, call(project, tmp_path / "two", "orders"), tell=lambda _: None)

    assert orders(tmp_path / "two") == [(1,)]


def test_a_model_that_was_edited_meanwhile_runs_as_it_is_now(
    address: str, project: Path, tmp_path: Path
) -> None:
    model = project / "models" / "shop" / "orders.sql"
    before = model.read_text()
    model.write_text("select 22 as order_id")
    try:
        run_warm(address, call(project, tmp_path / "one", "orders"), tell=lambda _: None)
    finally:
        model.write_text(before)

    assert orders(tmp_path / "one") == [(22,)]
