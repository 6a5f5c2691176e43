"""What a version consists of, asked once in a process: a snapshot never changes, nor does the answer.

A thread keeps one connection, with the lakes attached that it asked: opening one and attaching a lake cost
25 ms, a question 10.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect
from mesh_assets.capabilities.lake.places import LakePlace, lake_of
from mesh_assets.capabilities.lake.told import told
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.stores import CatalogLost

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Known:
    """A product at a snapshot."""

    #: Absolute paths, or addresses, of its Parquet files.
    files: tuple[str, ...]
    #: (name, DuckDB type) in table order.
    columns: tuple[tuple[str, str], ...]
    #: Its rows as a SELECT over the files, for any connection.
    sql: str


class _Open(threading.local):
    """This thread's connection."""

    process: int = 0
    settings: Settings | None = None
    connection: DuckDBPyConnection | None = None
    #: The lakes as they were when they were attached.
    attached: dict[str, tuple[LakePlace, int]] | None = None


_open = _Open()


def known(settings: Settings, product: ProductName, snapshot: int) -> Known:
    """What the product was at the snapshot, in the place where the lake is now."""
    place = lake_of(settings, product.domain)
    return _known(settings, (place, _catalog_of(place)), product, snapshot)


@lru_cache(maxsize=4096)
def _known(settings: Settings, lake: tuple[LakePlace, int], product: ProductName, snapshot: int) -> Known:
    try:
        with told(product.domain):
            return _asked(settings, lake, product, snapshot)
    except CatalogLost:
        # A question changes nothing: the server may be back, and this connection is not.
        _forget()
        with told(product.domain):
            return _asked(settings, lake, product, snapshot)


def _asked(settings: Settings, lake: tuple[LakePlace, int], product: ProductName, snapshot: int) -> Known:
    from mesh_assets.capabilities.lake.read import version_facts

    connection = _connection(settings, lake)
    try:
        return Known(*version_facts(connection, settings, product, snapshot))
    finally:
        # An answer that was not fetched to its end keeps the catalog's transaction open, and with it a lock
        # in PostgreSQL that the removal of the schema would wait for.
        with suppress(Exception):
            connection.execute("SELECT 1").fetchall()


def _catalog_of(place: LakePlace) -> int:
    """Changes when the catalog is replaced, as by a restore: its snapshots are numbered anew then."""
    try:
        return 0 if place.postgres else place.catalog.stat().st_ino
    except FileNotFoundError:
        return 0


def _connection(settings: Settings, lake: tuple[LakePlace, int]) -> DuckDBPyConnection:
    domain = lake[0].domain
    there = _open.connection is not None and _open.settings == settings and _open.process == os.getpid()
    if not there or _open.attached is None or _open.attached.get(domain, lake) != lake:
        _forget()
        _open.process, _open.settings, _open.attached = os.getpid(), settings, {}
        _open.connection = connect(settings, threads=CATALOG_THREADS)
    assert _open.connection is not None and _open.attached is not None
    _open.attached[domain] = lake
    return _open.connection


def _forget() -> None:
    if _open.connection is not None and _open.process == os.getpid():
        with suppress(Exception):
            _open.connection.close()
    _open.connection = None
