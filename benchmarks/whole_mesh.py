"""The whole example built by `mesh build`, and by the same recipes bare, interleaved.

`python -m benchmarks.whole_mesh [--scale 1] [--runs 3] [--no-stages]`. Sources are written first and not
counted. Both must make the same number of rows of everything, else there is no result.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.measured import Cost, check, measure
from benchmarks.plan import bare_plan
from benchmarks.stages import FOLDER
from benchmarks.tables import machine, median, table
from mesh_assets.operational import write_sources
from mesh_assets.words.settings import read_settings

BUILD = [sys.executable, "-m", "mesh_assets.cli", "build", "--json"]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--no-stages", action="store_true", help="leave out the account of stages")
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    check()
    print(machine())
    plan, sources = prepare(work, asked.scale)
    mesh: list[Cost] = []
    bare: list[Cost] = []
    for n in range(asked.runs):
        mesh.append(mesh_build(fresh(work / "home"), sources))
        bare.append(bare_build(plan, fresh(work / "bare")))
        same_rows(mesh[-1], bare[-1])
        print(f"run {n + 1}: mesh {mesh[-1].cpu:.1f} CPU s, bare {bare[-1].cpu:.1f} CPU s", file=sys.stderr)
    print(f"\nscale {asked.scale:g}, median of {asked.runs} interleaved runs\n")
    print(compared(mesh, bare))
    if not asked.no_stages:
        folder = fresh(work / "stages")
        folder.mkdir()
        env = {FOLDER: str(folder)}
        cost = mesh_build(fresh(work / "home"), sources, env, module="benchmarks.staged_build")
        print(f"\none more build, with timers: {cost.cpu:.1f} CPU s\n")
        print(staged(folder, cost.cpu))
    if asked.work is None:
        shutil.rmtree(work)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark of whole builds takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, help="a folder to work in; sources there are used again")
    return parser


def prepare(work: Path, scale: float) -> tuple[Path, Path]:
    """Sources on the disk and the bare peer's plan; the paths of both."""
    sources = work / f"sources-{scale:g}"
    write_sources(sources, scale=scale)
    plan = work / "plan.json"
    plan.write_text(json.dumps(bare_plan(read_settings({"MESH_SOURCES": str(sources)}))), encoding="utf-8")
    return plan, sources


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def mesh_build(
    home: Path, sources: Path, env: dict[str, str] | None = None, *, module: str = "mesh_assets.cli"
) -> Cost:
    settings = {"MESH_HOME": str(home), "MESH_SOURCES": str(sources), **(env or {})}
    arguments = ["build", "--json"] if module == "mesh_assets.cli" else []
    return measure([sys.executable, "-m", module, *arguments], settings)


def bare_build(plan: Path, folder: Path) -> Cost:
    return measure([sys.executable, "-m", "benchmarks.bare", str(plan), str(folder)])


def same_rows(mesh: Cost, bare: Cost) -> None:
    made = {record["product"]: record["rows"] for record in json.loads(mesh.stdout)}
    peer = json.loads(bare.stdout)["rows"]
    other = {
        name: (made.get(name), peer.get(name)) for name in {*made, *peer} if made.get(name) != peer.get(name)
    }
    if other:
        raise SystemExit(f"the two did not do the same work (rows of mesh, of bare): {other}")


def compared(mesh: list[Cost], bare: list[Cost]) -> str:
    def row(title: str, one: list[float], two: list[float], digits: int) -> list[str]:
        left, right = median(one), median(two)
        ratios = [a / b for a, b in zip(one, two, strict=True)]
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        return [title, f"{left:.{digits}f}", f"{right:.{digits}f}", f"{left / right:.2f}", spread]

    return table(
        ["", "mesh build", "bare", "ratio", "of single runs"],
        [
            row("CPU seconds", [c.cpu for c in mesh], [c.cpu for c in bare], 1),
            row("wall seconds", [c.wall for c in mesh], [c.wall for c in bare], 1),
            row("MB, largest process", [c.largest_mb for c in mesh], [c.largest_mb for c in bare], 0),
            row("MB, all processes", [c.together_mb for c in mesh], [c.together_mb for c in bare], 0),
        ],
    )


def staged(folder: Path, total: float) -> str:
    """Stages of all processes together, the dearest first."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0])
    for path in folder.glob("*.json"):
        for stage, account in json.loads(path.read_text(encoding="utf-8")).items():
            for place, value in enumerate(account):
                sums[stage][place] += value
    sums["coordinator: the rest (reading the mesh, progress)"][1] = 0.0  # git, waited for; runs are not
    rest = total - sum(own + children for own, children, _, _ in sums.values())
    rows = [
        (stage, f"{own:.2f}", f"{children:.2f}", f"{(own + children) / total:.0%}", int(calls))
        for stage, (own, children, _, calls) in sorted(sums.items(), key=lambda each: -sum(each[1][:2]))
    ]
    rows.append(
        (
            "fork server's imports, ends of processes (what is left)",
            f"{rest:.2f}",
            "",
            f"{rest / total:.0%}",
            0,
        )
    )
    return table(["stage", "CPU s here", "CPU s in children", "share", "calls"], rows)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
