"""The whole example in order: `mesh run`, one location after the other by hand, one process without a mesh.

`MESH_SCALE=0.01 python -m benchmarks.orchestration.runs`. Every way makes all products from the same
sources: `mesh run --local` in a fresh home, the others again (`--force`, tag `mesh/force`). By hand is what
a person does in Dagster's UI: `launchRun` of a location's assets over `mesh dev`, the next when the one
before has ended; as many runs as the plan of `mesh run` has. Bare is
benchmarks/bare.py: the same recipes in one process in the manner of `dbt build`, no Dagster, no audit, no
lake. Wall seconds, beside bare; what a product and a run cost on top.
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

from benchmarks.measured import BYTECODE
from benchmarks.orchestration.drop import mesh, running
from benchmarks.plan import bare_plan
from benchmarks.tables import machine, table
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
    quiet = subprocess.DEVNULL
    subprocess.run(mesh(*arguments), cwd=PROJECT, check=True, stdout=quiet, stderr=quiet)


def by_hand() -> int:
    """A run per location and wave, each started when the one before has ended; how many there were."""
    settings = read_settings()
    server = running_server(settings)
    assert server is not None
    whole, launcher = read_mesh(settings), RunsOnServer(server, settings)
    names = in_order(whole, [name for name, asset in whole.assets.items() if asset.in_lake])
    order, runs = RunOrder(names=tuple(names), started_by="by hand"), 0
    for level in waves(whole, names):
        for batch in level:
            keys = {key for name in batch for key in all_partitions(whole.assets[name].partitioning)}
            launch = launch_of(whole, order, batch, sorted(keys - {WHOLE}), {"mesh/force": "true"})
            child = launcher.start(launch, "")
            while (ended := launcher.ended(child)) is None:
                time.sleep(0.2)
            assert ended.endswith("SUCCESS"), f"{batch}: {ended}"
            runs += 1
    return runs


def bare(plan: Path) -> None:
    """The same recipes in one process, into a fresh folder."""
    with tempfile.TemporaryDirectory(dir=plan.parent) as folder:
        command = [sys.executable, "-m", "benchmarks.bare", str(plan), folder]
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def measure(folder: Path) -> tuple[dict[str, float], int]:
    """Wall seconds of each way, and how many runs the mesh needed."""
    ran("sources")
    plan, found = folder / "plan.json", {}
    plan.write_text(json.dumps(bare_plan(read_settings())), encoding="utf-8")
    found["bare, in one process"] = timed(lambda: bare(plan))
    found["`mesh run --local`"] = timed(lambda: ran("run", "*", "--local"))
    with running():
        found["`mesh run` on `mesh dev`"] = timed(lambda: ran("run", "*", "--force"))
        runs: list[int] = []
        found["by hand, one location after the other"] = timed(lambda: runs.append(by_hand()))
    return found, runs[0]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="mesh-runs-") as folder:
        os.environ.update({**BYTECODE, "MESH_HOME": str(Path(folder) / ".mesh")})
        found, runs = measure(Path(folder))
    products = sum(asset.in_lake for asset in read_mesh(read_settings()).assets.values())
    least = next(iter(found.values()))
    print(table(
        ["way", "wall s", "ratio", f"more: ms a product ({products})", f"s a run ({runs})"],
        [
            [
                name,
                f"{seconds:.1f}",
                f"{seconds / least:.2f}",
                f"{1000 * (seconds - least) / products:.0f}",
                f"{(seconds - least) / runs:.1f}",
            ]
            for name, seconds in found.items()
        ],
    ))  # fmt: skip
    print(machine())


if __name__ == "__main__":
    main()
