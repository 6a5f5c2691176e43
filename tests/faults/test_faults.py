"""A mesh lives under faults at seeded calls, and readers never see anything but whole versions.

The long run is `python -m benchmarks.faults --points 1000`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mesh_assets.words.settings import PROJECT
from tests.faults.calls import compiled
from tests.faults.client import Mesh, faulty
from tests.faults.points import Points
from tests.postgres import Postgres


def live(mesh: Mesh, seed: str, points: int) -> None:
    life = Points(mesh, seed)
    try:
        life.live(points)
    except AssertionError as error:
        pytest.fail(f"{life.last}: {error}")
    assert life.counts.total > 0
    assert not life.counts.raised, "a person would read an engine's own words"


def test_a_mesh_of_files_survives_faults_anywhere(tmp_path: Path) -> None:
    with faulty(tmp_path / "mesh", compiled(tmp_path)) as mesh:
        live(mesh, "files", 7)


#: Kills itself at a line of the registry, and says what it has counted until then if it does not.
AT_A_LINE = """
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.settings import read_settings
from tests.faults.calls import Fault, Lines, What
import sys

lines = Lines()
lines.arm(Fault(What.KILL_BEFORE, int(sys.argv[1])))
open_registry(read_settings()).close()
lines.disarm()
print(lines.told().calls)
"""


def test_where_there_is_no_compiler_kills_are_given_at_lines(tmp_path: Path) -> None:
    def ended(at: int) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MESH_HOME": str(tmp_path)}
        command = [sys.executable, "-c", AT_A_LINE, str(at)]
        return subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True)

    assert ended(30).returncode == -signal.SIGKILL
    whole = ended(0)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert int(whole.stdout) > 30


@pytest.mark.postgres
def test_a_mesh_in_postgres_survives_faults_anywhere(tmp_path: Path, postgres: Postgres) -> None:
    libpq = postgres.database()
    more = {"MESH_REGISTRY": postgres.url(libpq), "MESH_CATALOG": f"postgres:{libpq}"}
    with faulty(tmp_path / "mesh", compiled(tmp_path), more) as mesh:
        live(mesh, "postgres", 5)
