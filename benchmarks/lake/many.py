"""What stays of a commit's, a reader's and a list's time when versions and products pile up.

`python -m benchmarks.lake.many [--versions 10,1000,5000] [--products 10,1000] [--postgres]`. Versions are put
into lake and registry by the statements that every version is put there by, over one connection, which is
quicker. What is measured is then done as everybody does it, in a fresh process: CPU and wall milliseconds,
the median of five. `--versions` are of one product among ten; `--products` are in one lake, with two versions
each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.lake.pile import Pile
from benchmarks.measured import ROOT
from benchmarks.tables import machine, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", default="10,1000,5000", help="how many of one product, with commas")
    parser.add_argument("--products", default="10,100,1000", help="how many in one lake, with commas")
    parser.add_argument("--postgres", action="store_true", help="registry and catalog on PostgreSQL")
    asked = parser.parse_args()
    print(machine())
    for title, marks in (("versions", asked.versions), ("products", asked.products)):
        found: list[tuple[int, dict[str, list[float]]]] = []
        with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder, _stores(asked.postgres) as more:
            pile = Pile(Path(folder), more)
            for mark in (int(each) for each in marks.split(",") if each):
                if title == "versions":
                    pile.grow(products=10, versions=2)
                    pile.grow(products=1, versions=mark)
                else:
                    pile.grow(products=mark, versions=2)
                found.append((mark, _probed(Path(folder), more)))
                sys.stderr.write(f"{mark} {title}: {found[-1][1]}\n")
        if found:
            print(f"\n{title}: CPU ms (wall ms)\n")
            rows = [(what, *(_told(each[what]) for _, each in found)) for what in found[0][1]]
            print(table(["", *(f"{mark:,}" for mark, _ in found)], rows))


def _probed(folder: Path, more: dict[str, str]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.lake.pile", str(folder), json.dumps(more)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, list[float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _told(cost: list[float]) -> str:
    return f"{cost[0]:.1f} ({cost[1]:.1f})"


@contextmanager
def _stores(postgres: bool) -> Iterator[dict[str, str]]:
    if not postgres:
        yield {}
        return
    from tests.postgres import serving

    with serving() as server:
        libpq = server.database()
        yield {"MESH_CATALOG": f"postgres:{libpq}", "MESH_REGISTRY": server.url(libpq)}


if __name__ == "__main__":
    main()
