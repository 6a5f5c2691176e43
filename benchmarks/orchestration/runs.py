"""The whole example in order: `mesh run`, one location after the other by hand, one process without a mesh.

`MESH_SCALE=0.01 python -m benchmarks.orchestration.runs [--runs 1]`. Every way makes all products again from
the same sources (`--force`, tag `mesh/force`). By hand is what a person does in Dagster's UI: `launchRun` of
a location's assets when the run before it has ended, over `mesh dev`; as many runs as the plan of `mesh run`
has. Bare is benchmarks/bare.py: the same recipes in one process, no Dagster, no audit, no lake. Wall seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.orchestration.drop import mesh, running
from benchmarks.plan import bare_plan
from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.orchestration.batches import waves
from mesh_assets.capabilities.orchestration.launch import launch_of
from mesh_assets.capabilities.orchestration.launch_server import RunsOnServer
from mesh_assets.capabilities.orchestration.server import running_server
from mesh_assets.capabilities.publishing.keys import all_partitions
from mesh_assets.words.orders import RunOrder
from mesh_assets.words.settings import PROJECT, read_settings
from mesh_assets.words.versions import WHOLE


def ran(*arguments: str) -> None:
    subprocess.run(mesh(*arguments), cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def by_hand() -> None:
    """A run per location and wave, each started when the one before has ended."""
    settings = read_settings()
    server = running_server(settings)
    assert server is not None
    whole, launcher = read_mesh(settings), RunsOnServer(server, settings)
    names = in_order(whole, [name for name, asset in whole.assets.items() if asset.in_lake])
    order = RunOrder(names=tuple(names), started_by="by hand")
    for level in waves(whole, names):
        for batch in level:
            keys = {key for name in batch for key in all_partitions(whole.assets[name].partitioning)}
            launch = launch_of(whole, order, batch, sorted(keys - {WHOLE}), {"mesh/force": "true"})
            child = launcher.start(launch, "")
            while launcher.ended(child) is None:
                time.sleep(0.2)


def bare(plan: Path) -> None:
    """The same recipes in one process, into a fresh folder."""
    with tempfile.TemporaryDirectory(dir=plan.parent) as folder:
        command = [sys.executable, "-m", "benchmarks.bare", str(plan), folder]
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object], runs: int) -> float:
    found = []
    for _ in range(runs):
        began = time.monotonic()
        work()
        found.append(time.monotonic() - began)
    return median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    runs = parser.parse_args().runs
    print(machine())
    with tempfile.TemporaryDirectory("mesh-runs-") as folder:
        os.environ["MESH_HOME"] = str(Path(folder) / ".mesh")
        ran("build")
        settings = read_settings()
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(bare_plan(settings)), encoding="utf-8")
        rows = [["mesh run --local", timed(lambda: ran("run", "*", "--force", "--local"), runs)]]
        with running():
            rows.append(["mesh run, on mesh dev", timed(lambda: ran("run", "*", "--force"), runs)])
            rows.append(["by hand, one location after the other", timed(by_hand, runs)])
        rows.append(["bare", timed(lambda: bare(plan), runs)])
        products = sum(asset.in_lake for asset in read_mesh(settings).assets.values())
    print(table(["way", "wall s", "ms a product"], [
        [str(name), f"{seconds:.1f}", f"{1000 * float(seconds) / products:.0f}"] for name, seconds in rows
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
