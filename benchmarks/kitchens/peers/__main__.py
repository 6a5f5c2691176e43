"""An environment beside production in mesh_assets, SQLMesh and dbt: the same project, the same machine.

    python -m benchmarks.kitchens.peers --setup FOLDER
    python -m benchmarks.kitchens.peers --environments FOLDER --models 20,340 --rows 1,4

Every step is a command of the tool, measured with all its processes; the three take turns at each step, so
that a busy machine is busy for all of them. `start` is the tool's own --help. Rows x 1 are 355,770 a table of
the first twenty models, so that 13 changed tables hold 18.5 million rows at x 4. All of `--models 20,340
--rows 1,4` takes a quarter of an hour; 20 models of 20,000 rows (`--table 20000 --rows 1`) a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.kitchens.peers import environments, of_dbt, of_sqlmesh, ours
from benchmarks.kitchens.peers.project import Project
from benchmarks.measured import Cost

ROWS = 355_770
PEERS: dict[str, ModuleType] = {"sqlmesh": of_sqlmesh, "dbt": of_dbt}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setup", type=Path, metavar="FOLDER", help="make the peers' environments there")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", help="where they are")
    parser.add_argument("--models", type=numbers, default=[20], help="20, 340 or both")
    parser.add_argument("--rows", type=numbers, default=[1, 4], help="times --table rows")
    parser.add_argument("--table", type=int, default=ROWS, help="rows of a table at x 1")
    asked = parser.parse_args()
    if asked.setup:
        environments.make(asked.setup)
        return
    with tempfile.TemporaryDirectory() as folder:
        ours.warm(Path(folder) / "warm")
    for models in asked.models:
        for times in asked.rows:
            with tempfile.TemporaryDirectory() as folder:
                run(Path(folder), Project(models, asked.table * times), asked.environments)


def numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def run(folder: Path, project: Project, environment: Path | None) -> None:
    """All steps of one project, a line of JSON for each."""
    sides = {"mesh": ours.prepare(folder / "mesh", project, "")}
    for name, peer in PEERS.items():
        if program := environments.program(environment, name):
            sides[name] = peer.prepare(folder / name, project, program)
        else:
            print(f"{name} is left out: --setup makes its environment", file=sys.stderr)
    about = {"models": project.models, "rows of a table": project.rows}
    tell(about, "start", {name: (side.nothing(), None) for name, side in sides.items()})
    tell(about, "open", {name: (side.open(), None) for name, side in sides.items()})
    one, many = project.with_one_column_changed(), project.with_many_changed()
    tell(about, "one column changed", {name: side.change(one) for name, side in sides.items()})
    tell(about, "13 models changed", {name: side.change(many) for name, side in sides.items()})
    for step in ("diff", "promote"):
        found = {name: (getattr(side, step)(), None) for name, side in sides.items()}
        tell(about, step, {name: cost for name, cost in found.items() if cost[0] is not None})


def tell(about: dict[str, int], step: str, costs: dict[str, tuple[Cost, int | None]]) -> None:
    """CPU seconds (wall) of each, and how much more than ours."""
    mine = costs["mesh"][0].cpu
    told: dict[str, Any] = {**about, "step": step, "load": round(os.getloadavg()[0], 1)}
    for name, (cost, made) in costs.items():
        told[name] = {
            "cpu": round(cost.cpu, 2),
            "wall": round(cost.wall, 2),
            "x ours": round(cost.cpu / mine, 1),
        }
        if made is not None:
            told[name]["tables made"] = made
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
