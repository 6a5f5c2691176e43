"""How Dagster loads the mesh: nine locations or one, no engine, sensors on, and a home that remembers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.contracts.automation import described
from mesh_assets.capabilities.lineage.read import domain_names, read_domain_assets
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.words.settings import PROJECT, Settings, read_settings

ENGINES = ("duckdb", "polars", "pandas", "pandera", "dbt", "dagster_dbt", "sqlglot", "pyarrow", "altair")


#: What the example's contracts and models are read without: contracts/shape.py, lineage/dbt_models.py.
SLOW_ROADS = ("jsonschema", "jinja2")


def run(*command: str, folder: Path = PROJECT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of this Python's, with no mesh and no Dagster home but the given."""
    return subprocess.run(
        [sys.executable, "-m", *command] if command[0] != "-c" else [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.setenv("MESH_HOME", str(tmp_path / ".mesh"))
    return read_settings()


@pytest.mark.parametrize(
    "source", [("-w", "workspace.yaml"), ("-m", "mesh_assets.everything")], ids=["nine locations", "one"]
)
def test_the_example_loads(source: tuple[str, str], tmp_path: Path) -> None:
    """Nothing is built and nothing needs to be: definitions are read from YAML and syntax trees."""
    done = run("dagster", "definitions", "validate", *source, DAGSTER_HOME=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workspace_names_every_domain(example: Settings) -> None:
    text = (PROJECT / "workspace.yaml").read_text(encoding="utf-8")

    named = [line.split(":")[1].strip() for line in text.splitlines() if "location_name" in line]

    assert sorted(named) == sorted([*domain_names(example), "journeys"])


def test_loading_every_domain_imports_no_engine_and_takes_the_fast_roads() -> None:
    loaded = run(
        "-c",
        "import importlib, sys; from mesh_assets.words.settings import PACKAGE\n"
        "for path in sorted((PACKAGE / 'domains').glob('*/definitions.py')):\n"
        "    importlib.import_module(f'mesh_assets.domains.{path.parent.name}.definitions')\n"
        f"print(*[name for name in {(*ENGINES, *SLOW_ROADS)!r} if name in sys.modules])",
    )

    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == [], "import these in the function that needs them, or spare the need"


def test_a_sensor_per_domain_runs_by_default_and_is_told_in_the_words_of_its_contracts(
    example: Settings,
) -> None:
    for domain in domain_names(example):
        sensors = {each.name: each for each in domain_definitions(domain, example).sensors or ()}
        sensor = sensors[f"{domain}_automation"]

        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        rules = [
            each.contract.automation for each in read_domain_assets(example, domain).assets if each.contract
        ]
        assert all(described(rule) in (sensor.description or "") for rule in rules if rule.kind != "manual")


def test_no_condition_of_dagsters_own_asks_for_a_second_run(example: Settings) -> None:
    for domain in domain_names(example):
        graph = domain_definitions(domain, example).resolve_asset_graph()

        assert not [key for key in graph.get_all_asset_keys() if graph.get(key).automation_condition]


def test_steps_of_every_location_run_in_the_process_of_their_run(example: Settings) -> None:
    for domain in domain_names(example):
        assert domain_definitions(domain, example).executor == dg.in_process_executor


def test_a_weekly_product_has_its_weeks_and_builds_any_number_of_them_in_one_run(example: Settings) -> None:
    (step,) = [
        each
        for each in domain_definitions("prescriptions", example).assets or ()
        if isinstance(each, dg.AssetsDefinition) and dg.AssetKey(["prescriptions", "rx_fill"]) in each.keys
    ]

    assert step.partitions_def is not None
    keys = step.partitions_def.get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2023-01-02", "2025-01-20", 108)
    assert step.backfill_policy == dg.BackfillPolicy.single_run()


def test_plain_dagster_in_the_project_remembers_between_starts(tmp_path: Path) -> None:
    """DAGSTER_HOME unset, as for `dagster dev`: the project's dagster.yaml keeps everything in .mesh."""
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    (tmp_path / "tiny.py").write_text("import dagster as dg\n\n\n@dg.asset\ndef tiny(): ...\n")
    for _ in range(2):
        done = run("dagster", "asset", "materialize", "-f", "tiny.py", "--select", "tiny", folder=tmp_path)
        assert done.returncode == 0, done.stderr

    told = run(
        "-c",
        "from dagster import DagsterInstance\n"
        "with DagsterInstance.from_config('.') as instance: print(len(instance.get_runs()))",
        folder=tmp_path,
    )

    assert told.stdout.split() == ["2"], told.stderr
    there = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert there == {".mesh", "dagster.yaml", "tiny.py"}
