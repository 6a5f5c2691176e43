"""What reading a version costs beside bare Parquet: `python -m benchmarks.lake.reading [--rows 1000000,…]`.

Every value is read, by the same aggregates. `bare` knows the version's files; `mesh.read` opens registry and
lake to learn of them; `in the lake` asks the table at the version's snapshot, through DuckLake. Each is a
process, they take turns; imports are apart. The version is the tenth of its product.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.audit.data import COLUMNS, write
from benchmarks.lake.shelf import NAME, publish, settings_of, write_shelf
from benchmarks.lake.writers import run
from benchmarks.measured import Cost, check, measure
from benchmarks.tables import machine, median, table

AGGREGATES = ", ".join(f"max({name})" for name in COLUMNS)
BEFORE = 9


def _bare(files: Path, _: Path) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.execute(f"SELECT {AGGREGATES} FROM read_parquet({json.loads(files.read_text())})").fetchall()


def _by_handle(_: Path, root: Path) -> None:
    from mesh_assets import mesh

    os.environ.update(MESH_HOME=str(root / ".mesh"), MESH_DOMAINS=str(root / "domains"))
    mesh.read(str(NAME)).relation.aggregate(AGGREGATES).fetchall()


def _in_the_lake(_: Path, root: Path) -> None:
    from mesh_assets.capabilities.lake import connect
    from mesh_assets.capabilities.lake.read import relation_sql
    from mesh_assets.capabilities.registry import open_registry

    settings = settings_of(root)
    with open_registry(settings) as registry:
        head = registry.head(NAME)
    assert head is not None
    with connect(settings) as con:
        rows = relation_sql(con, settings, NAME, head.snapshot)
        con.execute(f"SELECT {AGGREGATES} FROM ({rows})").fetchall()


MESH = (
    "duckdb",
    "mesh_assets.capabilities.lake.read",
    "mesh_assets.capabilities.registry.open",
    "benchmarks.lake.shelf",
)
WAYS: dict[str, tuple[Callable[[Path, Path], None], tuple[str, ...]]] = {
    "bare": (_bare, ("duckdb",)),
    "mesh.read": (_by_handle, (*MESH, "mesh_assets.mesh", "sqlalchemy.dialects.sqlite")),
    "in the lake": (_in_the_lake, (*MESH, "sqlalchemy.dialects.sqlite")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000000,10000000", help="multiples of 100, with commas")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=Path, help="a folder for the files; sources there are used again")
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp(prefix="mesh-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    check()
    print(machine())
    for rows in (int(each) for each in asked.rows.split(",")):
        with tempfile.TemporaryDirectory(dir=work) as folder:
            _compare(rows, _shelf(work, Path(folder), rows), Path(folder), asked.runs)


def _shelf(work: Path, root: Path, rows: int) -> Path:
    """A mesh with the version, and a file with the names of its files."""
    from mesh_assets.capabilities.lake import files
    from mesh_assets.capabilities.registry import open_registry

    for number in range(BEFORE):
        publish(write_shelf(root, write(work, 100 * (1 + number % 2), failing=False)), f"small-{number}")
    settings = write_shelf(root, write(work, rows, failing=False))
    publish(settings, "large")
    with open_registry(settings) as registry:
        head = registry.head(NAME)
    assert head is not None and head.number == BEFORE + 1
    listed = root / "files.json"
    listed.write_text(json.dumps(files(settings, NAME, head.snapshot)))
    return listed


def _compare(rows: int, listed: Path, root: Path, runs: int) -> None:
    found: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.lake.reading", str(listed), str(root), way]
            found[way].append(measure(command))
    print(f"\n{rows:,} rows; median of {runs} interleaved runs\n")
    base = _work(found["bare"], "cpu")
    lines = [
        (
            way,
            f"{_work(costs, 'cpu'):.3f}",
            f"{_work(costs, 'cpu') / base:.2f}",
            f"{_work(costs, 'wall'):.3f}",
            f"{median([cost.cpu for cost in costs]) - _work(costs, 'cpu'):.2f}",
            f"{median([cost.largest_mb for cost in costs]):.0f}",
        )
        for way, costs in found.items()
    ]
    print(table(["", "CPU s", "ratio", "wall s", "imports, CPU s", "MB"], lines))


def _work(costs: list[Cost], word: str) -> float:
    return median([float(json.loads(cost.stdout.strip().splitlines()[-1])[word]) for cost in costs])


if __name__ == "__main__":
    if sys.argv[-1] in WAYS:
        way, needs = WAYS[sys.argv[-1]]
        run(way, *needs)
    else:
        main()
