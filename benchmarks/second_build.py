"""A second `mesh build` with nothing changed: `python -m benchmarks.second_build [--scale 1] [--runs 3]`.

The peer is what one does without a mesh: the bare recipes again, all of them (bare.py). `dbt parse`, which
reads one of the three kinds of recipe and looks at no data, is there for scale.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measured import Cost, check, measure
from benchmarks.tables import machine, median, table
from benchmarks.whole_mesh import arguments, bare_build, fresh, mesh_build, prepare
from mesh_assets.words.settings import read_settings


def main() -> None:
    asked = arguments(__doc__).parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    check()
    print(machine())
    plan, sources = prepare(work, asked.scale)
    mesh_build(fresh(work / "home"), sources)
    found: dict[str, list[Cost]] = {"mesh build, nothing changed": [], "bare, all again": [], "dbt parse": []}
    for _ in range(asked.runs):
        found["mesh build, nothing changed"].append(_unchanged(work / "home", sources))
        found["bare, all again"].append(bare_build(plan, fresh(work / "bare")))
        found["dbt parse"].append(_dbt_parse(fresh(work / "parse")))
    print(f"\nscale {asked.scale:g}, median of {asked.runs} interleaved runs\n")
    rows = [
        (
            name,
            f"{median([c.cpu for c in costs]):.2f}",
            f"{median([c.wall for c in costs]):.2f}",
            f"{median([c.largest_mb for c in costs]):.0f}",
        )
        for name, costs in found.items()
    ]
    print(table(["", "CPU s", "wall s", "MB, largest process"], rows))
    if asked.work is None:
        shutil.rmtree(work)


def _unchanged(home: Path, sources: Path) -> Cost:
    cost = mesh_build(home, sources)
    others = {each["product"]: each["outcome"] for each in json.loads(cost.stdout)}
    others = {product: outcome for product, outcome in others.items() if outcome != "unchanged"}
    if others:
        raise SystemExit(f"something changed: {others}")
    return cost


def _dbt_parse(target: Path) -> Cost:
    project = read_settings({}).dbt_project
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    command = [sys.executable, "-m", "dbt.cli.main", "parse", *folders, "--target-path", str(target)]
    env = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_LOG_PATH": str(target)}
    return measure([*command, "--no-partial-parse"], env)


if __name__ == "__main__":
    main()
