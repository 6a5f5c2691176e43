"""CPU seconds of comparing two versions of 1.9 million rows, each way in a process of its own.

`python -m benchmarks.lake_diff [--datacompy PYTHON]`; datacompy is measured by an interpreter that has it
(with pandas and pyarrow), such as that of a throw-away virtual environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_900_000
#: What the second state has of the first: one column in every thousandth row; the same in another order;
#: a hundredth of the rows gone, as many new, and one column changed.
CASES = {
    "few columns changed": ("ORDER BY id", "amount + CASE WHEN id % 1000 = 7 THEN 1 ELSE 0 END", "id"),
    "the same rows in another order": ("ORDER BY hash(id)", "amount", "id"),
    "rows came and went": (
        "ORDER BY id",
        "amount + CASE WHEN id % 1000 = 7 THEN 1 ELSE 0 END",
        f"CASE WHEN id % 100 = 3 THEN id + {ROWS} ELSE id END",
    ),
}
COLUMNS = (
    "{id} AS id, 'P' || (id % 40000) AS patient, date '2023-01-02' + (id % 728)::INTEGER AS day, "
    "'1' || lpad((id * 7919 % 900000000)::VARCHAR, 9, '0') AS npi, (id % 5000)::INTEGER AS plan, "
    "(id % 90)::INTEGER AS days_supply, (id * 37 % 1000) / 10.0 AS quantity, {amount} AS amount, "
    "(id % 12)::INTEGER AS refill, 'claim ' || (id % 7) AS kind"
)
OURS = """
import sys, duckdb
from mesh_assets.capabilities.lake.compare import Side, compare
con = duckdb.connect()
sides = []
for path in sys.argv[1:]:
    kinds = con.execute(f"DESCRIBE FROM '{path}'").fetchall()
    sides.append(Side((path,), tuple((row[0], row[1]) for row in kinds)))
found = compare(con, *sides, key=("id",))
print(found.added, found.removed, found.changed)
"""
FULL_JOIN = """
import sys, duckdb
con = duckdb.connect()
names = [row[0] for row in con.execute(f"DESCRIBE FROM '{sys.argv[1]}'").fetchall() if row[0] != "id"]
differs = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in names)
print(*con.execute(f'''SELECT count(*) FILTER (a.id IS NULL), count(*) FILTER (b.id IS NULL),
  count(*) FILTER (a.id IS NOT NULL AND b.id IS NOT NULL AND ({differs}))
  FROM '{sys.argv[1]}' a FULL JOIN '{sys.argv[2]}' b ON a.id = b.id''').fetchone())
"""
DATACOMPY = """
import sys
import pandas
try:
    from datacompy import PandasCompare as Compare
except ImportError:
    from datacompy import Compare
found = Compare(pandas.read_parquet(sys.argv[1]), pandas.read_parquet(sys.argv[2]), join_columns="id")
changed = len(found.intersect_rows) - found.count_matching_rows()
print(len(found.df2_unq_rows), len(found.df1_unq_rows), changed)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--datacompy", help="a Python that has datacompy")
    parser.add_argument("--rows", type=int, default=ROWS)
    asked = parser.parse_args()
    ways = {"mesh": (sys.executable, OURS), "full join": (sys.executable, FULL_JOIN)}
    if asked.datacompy:
        ways["datacompy"] = (asked.datacompy, DATACOMPY)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), asked.rows)
        for case in CASES:
            paths = [str(Path(folder) / name) for name in ("a.parquet", f"{case}.parquet")]
            for way, (python, program) in ways.items():
                print(json.dumps({"case": case, "way": way, **measured(python, program, paths)}))


def write(folder: Path, rows: int) -> None:
    import duckdb

    with duckdb.connect() as con:
        for name, (order, amount, key) in {"a": ("ORDER BY id", "amount", "id"), **CASES}.items():
            columns = COLUMNS.format(id=key, amount=f"({amount})::DOUBLE")
            con.execute(
                f"COPY (SELECT {columns} FROM (SELECT range AS id, (range * 17 % 100000) / 100.0 AS amount "
                f"FROM range({rows})) {order}) TO '{folder / f'{name}.parquet'}' (COMPRESSION zstd)"
            )


def measured(python: str, program: str, paths: list[str]) -> dict[str, object]:
    """CPU seconds of the whole process, and of its imports alone to take off."""
    timed = f"""
import resource
{_imports(program)}
before = resource.getrusage(resource.RUSAGE_SELF)
{program}
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""
    clock = time.monotonic()
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([python, "-c", timed, *paths], capture_output=True, text=True, cwd=root, check=True)
    counts, cost = done.stdout.strip().splitlines()[-2:]
    return {
        "added, removed, changed": counts,
        "cpu_s": round(float(cost), 2),
        "wall_s_with_imports": round(time.monotonic() - clock, 2),
    }


def _imports(program: str) -> str:
    """The program's imports, made before the clock starts."""
    lines = program.strip().splitlines()
    return "\n".join(line for line in lines if line.startswith(("import ", "from ")))


if __name__ == "__main__":
    main()
