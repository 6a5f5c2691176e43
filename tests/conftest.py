"""What tests share: an environment of their own, and the example mesh built once at small scale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.objects import object_store as object_store  # a fixture: one server for all tests of a process
from tests.postgres import postgres as postgres  # a fixture, the same
from tests.shop import Shop, make_shop

PROJECT = Path(__file__).parent.parent
REAL = PROJECT.parent / "shared" / "data"
SCALE = "0.02"
#: The copy of the built example that nobody opens.
TEMPLATE = "as-built"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the mesh of whoever runs it."""
    for name in [name for name in os.environ if name.startswith(("MESH_", "DAGSTER_"))]:
        monkeypatch.delenv(name)


@dataclass(frozen=True)
class BuiltMesh:
    """A mesh in a folder of its own, and the `mesh` command for it."""

    home: Path
    environment: dict[str, str]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """The `mesh` command as a person runs it; its exit code is the test's to judge."""
        return subprocess.run(
            [sys.executable, "-m", "mesh_assets.cli", *arguments],
            env={**self.environment, **more},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=900,
        )


def mesh_in(home: Path, **more: str) -> BuiltMesh:
    """A mesh of the example's domains in this folder; nothing is built yet."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_"))}
    environment = {**kept, "MESH_HOME": str(home), "MESH_SCALE": SCALE, "COLUMNS": "160", **more}
    return BuiltMesh(home, environment)


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """Where the example was built, once for all test processes; `copy_example` to change anything."""
    import fcntl

    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    home = root / "example" / ".mesh"
    home.parent.mkdir(exist_ok=True)
    with (home.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home.parent / "built").exists():
            done = mesh_in(home).run("build")
            shutil.copytree(home, home.parent / TEMPLATE)
            (home.parent / "built").write_text(f"{done.returncode}\n{done.stdout}\n{done.stderr}")
    code, _, told = (home.parent / "built").read_text().partition("\n")
    if code != "0":
        pytest.fail(f"the example mesh did not build:\n{told}", pytrace=False)
    yield home


def copy_example(built_home: Path, target: Path) -> None:
    """Copy the example as it was when it was built: in the home itself databases are open."""
    shutil.copytree(built_home.parent / TEMPLATE, target)


@pytest.fixture
def built_mesh(built_home: Path, monkeypatch: pytest.MonkeyPatch) -> BuiltMesh:
    """The example, built; `mesh.read(…)` in this process reads it."""
    built = mesh_in(built_home)
    monkeypatch.setenv("MESH_HOME", str(built_home))
    monkeypatch.setenv("MESH_SCALE", SCALE)
    return built


@pytest.fixture
def own_mesh(built_home: Path, tmp_path: Path) -> BuiltMesh:
    """A copy of the built example that a test may break: its own home, sources, registry and lakes."""
    home = tmp_path / ".mesh"
    copy_example(built_home, home)
    return mesh_in(home)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real CMS and Open Payments files beside the repository."""
    if not (REAL / "cms_partd_2023").is_dir():
        pytest.skip(f"the real input is not at {REAL}")
    return REAL


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two small domains of their own, nothing built."""
    return make_shop(tmp_path)
