"""`python -m benchmarks.year --weeks 52 --seed 1`: exit code 1 if anything is not as the script says."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.year.simulate import simulate


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m benchmarks.year", description=__doc__)
    words.add_argument("--weeks", type=int, default=52)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep", type=Path, help="an empty folder that the mesh stays in")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="mesh-year-") as folder:
        year = simulate(asked.keep or Path(folder), weeks=asked.weeks, seed=asked.seed)
    print(f"{asked.weeks} weeks, seed {asked.seed}: {year.seconds:.0f} s")
    print(", ".join(f"{count} {kind}" for kind, count in Counter(str(w.kind) for w in year.script).items()))
    print(", ".join(f"{name} {value}" for name, value in vars(year.done).items() if name != "asked"))
    print(", ".join(f"{name} {value}" for name, value in year.report.figures.items()))
    for name in ("told_wrongly", "made_twice", "miscounted", "differs"):
        for line in getattr(year.report, name):
            print(f"{name}: {line}")
    print("as the script says" if year.report.good else "NOT as the script says")
    return 0 if year.report.good else 1


if __name__ == "__main__":
    sys.exit(main())
