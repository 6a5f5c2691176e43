"""delta-rs: a Delta table written over, of record batches as they are read, in zstd as the others."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lake.writers import BATCH, run


def write(source: Path, folder: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet
    from deltalake import WriterProperties, write_deltalake

    file = parquet.ParquetFile(source)
    reader = pyarrow.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(BATCH))
    # DuckDB's level of zstd is 3 as well.
    how = WriterProperties(compression="ZSTD", compression_level=3)
    write_deltalake(str(folder / "table"), reader, mode="overwrite", writer_properties=how)


if __name__ == "__main__":
    run(write, "deltalake", "pyarrow.parquet")
