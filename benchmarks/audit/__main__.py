"""The audit beside its peers: `python -m benchmarks.audit [--rows 1000000] [--runs 3] [--peers a,b]`.

Twenty rules over ten columns, once clean and once with one percent of the rows failing each rule. Every peer
is a process of its own that imports, reads the file, counts, and with failing rows also fetches some; they
take turns. `rules` says how many of the twenty a peer counted right; below the table stands what it did with
the others. A peer that takes more memory than `--most-mb` or longer than `--most-seconds` is ended, told so,
and has no further turn. Fifty million rows, on two cores:

    python -m benchmarks.audit --rows 50000000 --runs 1 --peers mesh,by_hand,dataframely,pandera_polars
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.audit import peers
from benchmarks.audit.data import RULES, expected, write
from benchmarks.audit.environments import interpreter
from benchmarks.measured import ROOT, Cost, check, measure
from benchmarks.tables import machine, median, table

#: The first is what the others are held against.
MEASURED_AGAINST = "by_hand"


def main() -> None:
    asked = _asked()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    modules = (each.name for each in pkgutil.iter_modules(peers.__path__))
    names = asked.peers.split(",") if asked.peers else [each for each in modules if each != "__main__"]
    check()
    print(machine())
    for failing in (False, True):
        if asked.only in (None, "failing" if failing else "clean"):
            path, few = write(work, asked.rows, failing), write(work, 100, failing)
            there = [name for name in names if _installed(_command(name, few, failing, asked))]
            _compare(there, path, asked, failing=failing)


def _asked() -> argparse.Namespace:
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
    parser.add_argument(
        "--environments", type=Path, help="made by `python -m benchmarks.audit.peers --setup`"
    )
    parser.add_argument("--most-mb", type=int, default=16_000, help="memory at which a peer is ended")
    parser.add_argument("--most-seconds", type=int, default=900, help="time at which a peer is ended")
    return parser.parse_args()


def _compare(names: list[str], path: Path, asked: argparse.Namespace, *, failing: bool) -> None:
    found: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(asked.runs):
        for name in names:
            if not any(cost.ended for cost in found[name]):
                found[name].append(_turn(_command(name, path, failing, asked), name, asked))
    taken = {name: costs for name, costs in found.items() if not any(cost.ended for cost in costs)}
    first = taken.get(MEASURED_AGAINST) or next(iter(taken.values()))
    base = median([cost.cpu for cost in first])
    title = "1% failing each rule, rows fetched" if failing else "clean"
    print(f"\n{asked.rows:,} rows, {title}; median of {asked.runs} interleaved runs\n")
    ranked = sorted(taken, key=lambda name: median([cost.cpu for cost in taken[name]]))
    wanted = expected(asked.rows, failing)
    lines = [_line(name, taken[name], base, wanted) for name in ranked]
    print(table(["", "rules", "CPU s", "ratio", "wall s", "MB"], lines), end="\n\n")
    for name in ranked:
        _tell(name, json.loads(_answer(taken[name])), wanted)
    for name in names:
        if name not in taken:
            last = found[name][-1]
            print(f"- {name}: {last.ended}, ended after {last.cpu:.0f} CPU s")


def _turn(command: list[str], name: str, asked: argparse.Namespace) -> Cost:
    cost = measure(command, most_mb=asked.most_mb, most_seconds=asked.most_seconds)
    told = f", ended {cost.ended}" if cost.ended else ""
    load = f"load {os.getloadavg()[0]:.1f}"
    print(
        f"{name}: {cost.cpu:.2f} CPU s, {cost.largest_mb:.0f} MB, {load}{told}", file=sys.stderr, flush=True
    )
    return cost


def _line(name: str, costs: list[Cost], base: float, wanted: dict[str, int]) -> tuple[str, ...]:
    found = json.loads(_answer(costs))
    right = sum(found.get(rule) == count for rule, count in wanted.items())
    cpu = median([cost.cpu for cost in costs])
    wall = median([cost.wall for cost in costs])
    largest = median([cost.largest_mb for cost in costs])
    return (
        name,
        f"{right} of {len(RULES)}",
        f"{cpu:.2f}",
        f"{cpu / base:.2f}",
        f"{wall:.2f}",
        f"{largest:.0f}",
    )


def _answer(costs: list[Cost]) -> str:
    """The last line; some tools write to stdout before it."""
    return costs[0].stdout.strip().splitlines()[-1]


def _tell(name: str, found: dict[str, int | str], wanted: dict[str, int]) -> None:
    """What a peer left out, or counted otherwise."""
    for rule, right in wanted.items():
        said = found.get(rule, "left out")
        if said != right:
            counted = said if isinstance(said, str) else f"{said:,} rows counted"
            print(f"- {name}, {rule}: {counted}; there are {right:,}")


def _command(name: str, path: Path, failing: bool, asked: argparse.Namespace) -> list[str]:
    python = interpreter(name, asked.environments)
    return [python, "-m", f"benchmarks.audit.peers.{name}", str(path), *(["--rows"] if failing else [])]


def _installed(command: list[str]) -> bool:
    """Try the peer on a hundred rows; one without its packages is left out, by name."""
    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if tried.returncode == peers.MISSING:
        print(f"{command[2]} is left out: {tried.stderr.strip()}")
    elif tried.returncode:
        raise SystemExit(f"{command[2]} cannot run:\n{tried.stderr[-3000:]}")
    return tried.returncode == 0


if __name__ == "__main__":
    main()
