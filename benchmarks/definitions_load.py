"""What each code location costs to load, beside an empty one, interleaved.

`python -m benchmarks.definitions_load [--runs 5]`. CPU seconds and MB of a process that does nothing
else; medians.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from typing import Any

from benchmarks.measured import measure
from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.lineage.read import domain_names
from mesh_assets.words.settings import read_settings

EMPTY = "benchmarks.empty_location"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print(machine())
    names = domain_names(read_settings({}))
    modules = [
        EMPTY,
        *(f"mesh_assets.domains.{name}.definitions" for name in names),
        "mesh_assets.everything",
    ]
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(asked.runs):
        for module in modules:
            cost = measure([sys.executable, "-m", "benchmarks.load_one", module])
            found[module].append(json.loads(cost.stdout.splitlines()[-1]))
    print(f"\nmedian of {asked.runs} interleaved runs\n")
    print(_table(found))


def _table(found: dict[str, list[dict[str, Any]]]) -> str:
    def of(module: str, stage: str, place: int) -> float:
        return median([each[stage][place] for each in found[module]])

    rows = []
    for module, runs in found.items():
        cells: list[object] = [module.removeprefix("mesh_assets.domains.").removesuffix(".definitions")]
        cells.append(runs[0]["assets"])
        for stage in ("loaded", "described"):
            for place, digits in ((0, 2), (1, 0)):
                value = of(module, stage, place)
                cells += [f"{value:.{digits}f}", f"{value / of(EMPTY, stage, place):.2f}"]
        rows.append(cells)
    head = ["location", "assets", "CPU s", "ratio", "MB", "ratio", "described: CPU s", "ratio", "MB", "ratio"]
    return table(head, rows)


if __name__ == "__main__":
    main()
