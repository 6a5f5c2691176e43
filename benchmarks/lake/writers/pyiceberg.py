"""pyiceberg: an Iceberg table written over, catalog in SQLite, in zstd as it does unless told.

Batches as they are read, as its manual has it for what does not fit into memory.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.lake.writers import BATCH, run


def write(source: Path, folder: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet
    from pyiceberg.catalog.sql import SqlCatalog

    file = parquet.ParquetFile(source)
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.sqlite", warehouse=f"file://{folder}")
    catalog.create_namespace_if_not_exists("bench")
    table = catalog.create_table_if_not_exists("bench.rows", schema=file.schema_arrow)
    reader = pyarrow.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(BATCH))
    table.overwrite(reader)


if __name__ == "__main__":
    run(write, "pyiceberg.catalog.sql", "pyarrow.parquet")
