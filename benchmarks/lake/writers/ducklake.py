"""DuckLake as it comes: a table made anew of the rows, catalog in SQLite; it writes the files itself."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lake.writers import run


def write(source: Path, folder: Path) -> None:
    import duckdb

    from mesh_assets.capabilities.lake.extensions import load

    with duckdb.connect(config={"allow_unsigned_extensions": True}) as con:
        load(con, "sqlite_scanner")
        load(con, "ducklake")
        con.execute(f"ATTACH 'ducklake:sqlite:{folder}/catalog.sqlite' AS lake (DATA_PATH '{folder}/data/')")
        con.execute("CALL lake.set_option('parquet_compression', 'zstd')")
        con.execute(f"CREATE OR REPLACE TABLE lake.rows AS SELECT * FROM '{source}'")


if __name__ == "__main__":
    run(write, "duckdb")
