"""Bare, and every value of the file read once, as an audit does whatever its rules are."""

from __future__ import annotations

from pathlib import Path

from benchmarks.audit.data import COLUMNS
from benchmarks.lake.writers import run
from benchmarks.lake.writers.copy import write as copy


def write(source: Path, folder: Path) -> None:
    import duckdb

    copy(source, folder)
    with duckdb.connect() as con:
        read = ", ".join(f"max({name})" for name in COLUMNS)
        con.execute(f"SELECT {read} FROM '{folder / 'rows.parquet'}'").fetchall()


if __name__ == "__main__":
    run(write, "duckdb")
