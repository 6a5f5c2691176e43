"""Versions as SQL for any engine: the Parquet files of one snapshot, with no lake in sight."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import CATALOG_THREADS, connect, version_sql
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class _Open(threading.local):
    """This thread's connection to the lakes of one mesh: attaching a lake for each input costs 40 ms."""

    settings: Settings | None = None
    connection: DuckDBPyConnection | None = None


_open = _Open()


@lru_cache(maxsize=512)
def input_sql(settings: Settings, product: ProductName, snapshot: int) -> str:
    """A SELECT over the files of a snapshot. Snapshots never change, so the answer is kept."""
    return version_sql(_connection(settings), settings, product, snapshot)


def _connection(settings: Settings) -> DuckDBPyConnection:
    if _open.connection is None or _open.settings != settings:
        if _open.connection is not None:
            _open.connection.close()
        _open.settings, _open.connection = settings, connect(settings, threads=CATALOG_THREADS)
    return _open.connection
