"""Which runs are alive is told by locks, so a run that was killed is found by whoever looks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh_assets.capabilities.orchestration.alive import alive, dead_runs, tell_of_dead_runs
from mesh_assets.cli.app import app
from mesh_assets.words.settings import Settings, read_settings

#: A run that says it is alive, and is killed before it has ended.
RUNNER = """
import os, signal, sys
from mesh_assets.capabilities.orchestration.alive import alive
from mesh_assets.words.settings import read_settings

with alive(read_settings({"MESH_HOME": sys.argv[1]}), sys.argv[2]):
    os.kill(os.getpid(), signal.SIGKILL)
"""
RUN_ID = "3c1d6f0e-6c43-4a2c-9a4b-6d3b8d4a1c55"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"MESH_HOME": str(tmp_path)})


@pytest.fixture
def killed(settings: Settings) -> str:
    """A run whose process was killed in the middle."""
    subprocess.run([sys.executable, "-c", RUNNER, str(settings.home), RUN_ID], check=False)
    return RUN_ID


def test_a_run_is_alive_as_long_as_it_lasts_and_leaves_nothing(settings: Settings) -> None:
    with alive(settings, RUN_ID):
        assert dead_runs(settings) == []
    assert dead_runs(settings) == []


def test_a_killed_run_is_found_until_dagster_has_been_told(settings: Settings, killed: str) -> None:
    assert dead_runs(settings) == dead_runs(settings) == [killed]
    assert tell_of_dead_runs(settings) == [killed]
    assert dead_runs(settings) == []


def test_the_doctor_names_a_killed_run(
    settings: Settings, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_HOME", str(settings.home))
    told = CliRunner().invoke(app, ["doctor"])

    assert told.exit_code == 1
    assert f"run {killed} died" in " ".join(told.output.split())
