"""`mesh kitchen dev` ends with its terminal: nothing that it started is left, and the port is free."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from mesh_assets.capabilities.kitchens.processes import server_of
from mesh_assets.capabilities.portal.beside import refuse_taken
from tests.killed import started
from tests.shop import Shop
from tests.ui.showing import free_port
from tests.unit.kitchens.conftest import git, opened

#: Two servers, a daemon and a code location start on what may be busy cores.
SECONDS = 240


def below(home: Path) -> list[str]:
    """Processes that were given this home."""
    wanted, found = f"MESH_HOME={home}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_closed_terminal_ends_all_that_a_kitchens_dagster_started(built: Shop) -> None:
    """By itself `dagster dev` dies of it, and its servers keep the port."""
    place = "{relative_path: domains/shop/definitions.py, location_name: shop}"
    shop = Shop(built.root, {"MESH_WORKSPACE": str(built.root / "workspace.yaml")})
    shop.settings.workspace.write_text(f"load_from:\n  - python_file: {place}\n", encoding="utf-8")
    git(shop.root, "add", "workspace.yaml")
    git(shop.root, "commit", "--quiet", "-m", "workspace")
    here, port = opened(shop), free_port()

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5))
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            return False

    with started(shop, ["-m", "mesh_assets.cli", "kitchen", "dev", "try", "--port", str(port)]) as process:
        until(answers, "nobody answers")
        assert server_of(here.settings.home) == process.pid
        assert len(below(shop.settings.home)) > 1
        os.kill(process.pid, signal.SIGHUP)
        assert process.wait(SECONDS) == 0
        until(lambda: not below(shop.settings.home), "something is left")

    refuse_taken("127.0.0.1", port, "mesh kitchen dev")
    assert server_of(here.settings.home) is None
