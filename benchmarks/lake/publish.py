"""What publishing costs beside a bare `COPY`: `python -m benchmarks.lake.publish [--rows 1000000,10000000]`.

Ten columns (`benchmarks.audit.data`), out of one Parquet file into another that readers find. Every writer is
a process, they take turns, and each writes over a state of a hundred rows that it wrote before, unmeasured:
the tables are there, as on every day but the first. `copy` is the least that there is; `copy_and_read` has an
audit's reading of the file as well, on which the fingerprint rides along.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.audit.data import write
from benchmarks.lake.environments import interpreter
from benchmarks.lake.writers import MISSING
from benchmarks.measured import ROOT, Cost, check, measure
from benchmarks.tables import machine, median, table

#: The first is what the others are held against.
WRITERS = ("copy", "copy_and_read", "mesh", "ducklake", "deltalake", "pyiceberg")


def main() -> None:
    asked = _asked()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    few = write(work, 100, failing=False)
    check()
    print(machine())
    for rows in (int(each) for each in asked.rows.split(",")):
        file = write(work, rows, failing=False)
        found: dict[str, list[Cost]] = {}
        for _ in range(asked.runs):
            for name in asked.writers.split(","):
                cost = _measured(name, few, file, work, asked)
                if cost is not None:
                    found.setdefault(name, []).append(cost)
        print(f"\n{rows:,} rows; median of {asked.runs} interleaved runs\n")
        print(_table(found))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000000,10000000", help="multiples of 100, with commas")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--writers", default=",".join(WRITERS), help="names, with commas; copy first")
    parser.add_argument("--work", type=Path, help="a folder for the files; sources there are used again")
    parser.add_argument("--environments", type=Path, help="made by `python -m benchmarks.lake.environments`")
    parser.add_argument("--most-mb", type=int, default=12_000, help="memory at which a writer is ended")
    return parser.parse_args()


def _measured(name: str, few: Path, file: Path, work: Path, asked: argparse.Namespace) -> Cost | None:
    """What the writer took for the file; None if its packages are not there."""
    folder = work / "written" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [interpreter(name, asked.environments), "-m", f"benchmarks.lake.writers.{name}"]
    try:
        first = subprocess.run([*command, str(few), str(folder)], cwd=ROOT, capture_output=True, text=True)
        if first.returncode == MISSING:
            sys.stderr.write(f"{name} is left out: {first.stderr}")
            return None
        if first.returncode:
            raise SystemExit(f"{name} cannot run:\n{first.stderr[-3000:]}")
        cost = measure([*command, str(file), str(folder)], most_mb=asked.most_mb)
        sys.stderr.write(f"{name}: {cost.stdout.strip()} {cost.largest_mb:.0f} MB\n")
        return cost
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _table(found: dict[str, list[Cost]]) -> str:
    ended = [name for name, costs in found.items() if any(cost.code for cost in costs)]
    kept = {name: costs for name, costs in found.items() if name not in ended}
    base = _work(next(iter(kept.values())), "cpu")
    lines = []
    for name, costs in kept.items():
        cpu = _work(costs, "cpu")
        whole = median([cost.cpu for cost in costs])
        peak = median([cost.largest_mb for cost in costs])
        wall = _work(costs, "wall")
        lines.append(
            (name, f"{cpu:.2f}", f"{cpu / base:.2f}", f"{wall:.2f}", f"{whole - cpu:.2f}", f"{peak:.0f}")
        )
    told = "".join(f"\n- {name}: ended, it took too much memory" for name in ended)
    return table(["", "CPU s", "ratio", "wall s", "imports, CPU s", "MB"], lines) + told


def _work(costs: list[Cost], word: str) -> float:
    return median([float(json.loads(cost.stdout.strip().splitlines()[-1])[word]) for cost in costs])


if __name__ == "__main__":
    main()
