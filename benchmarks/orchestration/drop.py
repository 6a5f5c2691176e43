"""A week's file is dropped, and eight domains later the scorecard is new: shown for real, with times.

`MESH_SCALE=0.01 python -m benchmarks.orchestration.drop [--one-process] [--home FOLDER]`. Builds the example,
starts `mesh dev` as a person does, delivers the next week, and prints each new version with its seconds since
the drop. Exit code 1 if the scorecard is not new after two and a half minutes.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks.measured import BYTECODE
from benchmarks.tables import machine
from mesh_assets.capabilities.orchestration.server import running_server
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.settings import PROJECT, read_settings

END = "field_reports.brand_scorecard"
#: Seconds for each of: until everything is up, until the scorecard is new.
PATIENCE = 150.0
READY = """{ workspaceOrError { ... on Workspace { locationEntries { loadStatus
  locationOrLoadError { __typename } } } } }"""


def mesh(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mesh_assets.cli", *arguments]


@contextmanager
def running(*options: str) -> Iterator[float]:
    """`mesh dev`, with every location loaded; seconds until it was."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = str(listening.getsockname()[1])
    began, settings = time.monotonic(), read_settings()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # in a shell's background it is ignored, by children too
    with (settings.home / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            mesh("dev", "--port", port, *options),
            cwd=PROJECT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not _is_ready():
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                raise SystemExit(f"mesh dev did not start; see {settings.home / 'dev.log'}")
            time.sleep(0.5)
        yield time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _is_ready() -> bool:
    server = running_server(read_settings())
    if server is None:
        return False
    entries = server.ask(READY)["workspaceOrError"].get("locationEntries", ())
    return bool(entries) and all(
        each["loadStatus"] == "LOADED" and each["locationOrLoadError"]["__typename"] == "RepositoryLocation"
        for each in entries
    )


def follow(since: float) -> bool:
    """Print new versions until the scorecard has one."""
    with open_registry(read_settings()) as registry:
        known = registry.heads()
        while time.monotonic() - since < PATIENCE:
            now = registry.heads()
            for name in [name for name, number in now.items() if known.get(name) != number]:
                print(f"{time.monotonic() - since:7.1f} s  {name}, version {now[name]}", flush=True)
                if str(name) == END:
                    return True
            known = now
            time.sleep(0.2)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-process", action="store_true")
    parser.add_argument("--home", type=Path, help="A folder for the mesh, which stays.")
    asked = parser.parse_args()
    print(machine())
    with (
        nullcontext(asked.home) if asked.home else tempfile.TemporaryDirectory(prefix="mesh-drop-") as folder
    ):
        os.environ.update({**BYTECODE, "MESH_HOME": str(Path(folder) / ".mesh")})
        quiet = subprocess.DEVNULL
        subprocess.run(mesh("build"), cwd=PROJECT, check=True, stdout=quiet, stderr=quiet)
        with running(*(["--one-process"] if asked.one_process else [])) as started:
            print(f"mesh dev was up after {started:.0f} s")
            subprocess.run(mesh("sources", "--week", "next"), cwd=PROJECT, check=True)
            done = follow(time.monotonic())
    raise SystemExit(0 if done else 1)


if __name__ == "__main__":
    main()
