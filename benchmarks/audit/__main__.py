"""The audit beside its peers: `python -m benchmarks.audit [--rows 1000000] [--runs 3] [--peers a,b]`.

Twenty rules over ten columns, once clean and once with one percent of the rows failing each rule. Every peer
is a process of its own that imports, reads the file, counts, and with failing rows also fetches some; they
take turns. A peer that counts a rule wrong is told by name, with the rule.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.audit import peers
from benchmarks.audit.data import expected, write
from benchmarks.measured import ROOT, Cost, check, measure
from benchmarks.tables import machine, median, table

#: The first is what the others are held against.
MEASURED_AGAINST = "by_hand"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="a multiple of 100")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--peers", help="names, with commas; every module of benchmarks/audit/peers unless told"
    )
    parser.add_argument("--only", choices=("clean", "failing"))
    parser.add_argument(
        "--work", type=Path, help="a folder for the files; those that are there are used again"
    )
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    names = (
        asked.peers.split(",")
        if asked.peers
        else [each.name for each in pkgutil.iter_modules(peers.__path__)]
    )
    check()
    print(machine())
    for failing in (False, True):
        if asked.only in (None, "failing" if failing else "clean"):
            path = write(work, asked.rows, failing)
            there = [name for name in names if _installed(name, write(work, 100, failing))]
            _compare(there, path, rows=asked.rows, failing=failing, runs=asked.runs)


def _compare(names: list[str], path: Path, *, rows: int, failing: bool, runs: int) -> None:
    found: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            cost = measure(_command(name, path, failing))
            _verify(name, json.loads(cost.stdout), expected(rows, failing))
            found[name].append(cost)
    base = median([cost.cpu for cost in found.get(MEASURED_AGAINST, next(iter(found.values())))])
    title = "1% failing each rule, rows fetched" if failing else "clean"
    print(f"\n{rows:,} rows, {title}; median of {runs} interleaved runs\n")
    lines = [
        (
            name,
            f"{median([cost.cpu for cost in costs]):.2f}",
            f"{median([cost.cpu for cost in costs]) / base:.2f}",
            f"{median([cost.wall for cost in costs]):.2f}",
            f"{median([cost.largest_mb for cost in costs]):.0f}",
        )
        for name, costs in sorted(found.items(), key=lambda item: median([cost.cpu for cost in item[1]]))
    ]
    print(table(["", "CPU s", "ratio", "wall s", "MB"], lines))


def _command(name: str, path: Path, failing: bool) -> list[str]:
    return [
        sys.executable,
        "-m",
        f"benchmarks.audit.peers.{name}",
        str(path),
        *(["--rows"] if failing else []),
    ]


def _installed(name: str, path: Path) -> bool:
    """Try the peer on a hundred rows; one without its packages is left out, by name."""
    tried = subprocess.run(_command(name, path, False), cwd=ROOT, capture_output=True, text=True)
    if tried.returncode == peers.MISSING:
        print(f"{name} is left out: {tried.stderr.strip()}")
    elif tried.returncode:
        raise SystemExit(f"{name} cannot run:\n{tried.stderr[-3000:]}")
    return tried.returncode == 0


def _verify(name: str, found: dict[str, int], wanted: dict[str, int]) -> None:
    """A peer may leave rules out (by_hand_without_keys does), but not count them wrong."""
    wrong = {rule: (count, wanted[rule]) for rule, count in found.items() if count != wanted[rule]}
    for rule, (count, right) in wrong.items():
        print(f"{name} counts {count:,} rows for {rule}, and there are {right:,}", file=sys.stderr)


if __name__ == "__main__":
    main()
