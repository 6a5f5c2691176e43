"""Bare: DuckDB's `COPY … TO` one Parquet file, and nothing else."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lake.writers import run


def write(source: Path, folder: Path) -> None:
    import duckdb

    with duckdb.connect() as con:
        target = folder / "rows.parquet"
        con.execute(f"COPY (SELECT * FROM '{source}') TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    run(write, "duckdb")
