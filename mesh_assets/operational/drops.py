"""Putting a drop in its place: written beside it first, then renamed, so that nobody reads half a file."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
_CSV = "FORMAT csv, HEADER true"


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A name to write to; the file appears under `path` whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.arriving")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def copy_out(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query's rows as Parquet or CSV, by the name's ending. The query says its order."""
    form = _PARQUET if path.suffix == ".parquet" else _CSV
    with arriving(path) as beside:
        con.execute(f"COPY ({query}) TO '{_quoted(beside)}' ({form})")


def write_rows(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query's rows as CSV from Python: in many small files a COPY costs more than its rows."""
    result = con.execute(query)
    columns = [column[0] for column in result.description or ()]
    with arriving(path) as beside, beside.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(result.fetchall())


def write_bytes(path: Path, content: bytes) -> None:
    with arriving(path) as beside:
        beside.write_bytes(content)


def bring(original: Path, path: Path) -> None:
    """A real file under the name that a recipe reads: a link if the file system allows one, else a copy."""
    with arriving(path) as beside:
        beside.unlink(missing_ok=True)
        try:
            beside.symlink_to(original.resolve())
        except OSError:
            shutil.copyfile(original, beside)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
