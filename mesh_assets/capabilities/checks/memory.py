"""What an audit may keep in memory, whatever the number of rows: beyond it, DuckDB spills to its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What the keys of one pass may take before they are spilled.
AUDIT_BYTES = 256 * 2**20

_SIZE = re.compile(r"([\d.]+) ?(\w+)")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@contextmanager
def bounded_memory(con: DuckDBPyConnection, most: int = AUDIT_BYTES) -> Iterator[None]:
    """While it lasts, the connection holds at most so many bytes; a lower limit of its own stays as it is."""
    import duckdb

    row = con.execute("SELECT current_setting('memory_limit')").fetchone()
    before = str(row[0]) if row else ""
    if _bytes(before) <= most:
        yield
        return
    try:
        con.execute(f"SET memory_limit = '{most} bytes'")
    except duckdb.Error:  # the recipe keeps more than that in tables of its own
        yield
        return
    try:
        yield
    finally:
        con.execute(f"SET memory_limit = '{_restored(before)}'")


@contextmanager
def footers_kept(con: DuckDBPyConnection) -> Iterator[None]:
    """While it lasts, a Parquet file's footer is read once and not by each query.

    DuckDB looks at the file's time before it takes a footer that it has kept, as with the file's bytes.
    """
    row = con.execute("SELECT current_setting('parquet_metadata_cache')").fetchone()
    con.execute("SET parquet_metadata_cache = true")
    try:
        yield
    finally:
        con.execute(f"SET parquet_metadata_cache = {bool(row and row[0])}")


def _restored(size: str) -> str:
    """DuckDB shows one digit and cuts the others off: as it stands, a limit would sink a little each time."""
    number, unit = size.split()
    return f"{float(number) + 0.01:.2f} {unit}"


def _bytes(size: str) -> float:
    """A size as DuckDB writes it (`9.3 GiB`); what is written otherwise counts as no limit."""
    found = _SIZE.fullmatch(size)
    return float(found.group(1)) * _UNITS.get(found.group(2), 2**40) if found else float("inf")
