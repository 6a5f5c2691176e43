"""An engine for the registry's database, each kind with what it needs to be safe.

Here: what MESH_REGISTRY may say, pragmas and transactions of SQLite. Not here: tables, the Registry (open).
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from mesh_assets.words.errors import SettingMalformed

#: How long a writer waits for another one, in seconds. A release takes milliseconds.
PATIENCE = 60


def registry_url(setting: str) -> URL:
    """Where the registry is. Raises SettingMalformed for what is no such place, without its password."""
    try:
        url = make_url(setting)
    except (ArgumentError, ValueError):
        problem = "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        raise SettingMalformed(setting="MESH_REGISTRY", value=setting[:12] + "…", problem=problem) from None
    if url.password is not None:
        raise SettingMalformed(
            setting="MESH_REGISTRY",
            value=url.render_as_string(),
            problem="leave the password out of it, and set PGPASSWORD or a password file",
        )
    return url


def engine_at(url: URL) -> Engine:
    """An engine that is not connected yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    problem = "the registry is kept in sqlite or postgresql"
    if url.get_backend_name() in ("postgresql", "postgres"):
        try:
            # READ COMMITTED: what follows the lock sees what the one before it committed.
            return create_engine(
                url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, isolation_level="READ COMMITTED"
            )
        except ModuleNotFoundError:
            problem = "psycopg is not installed: pip install 'mesh-assets[postgres]'"
    raise SettingMalformed(setting="MESH_REGISTRY", value=url.render_as_string(), problem=problem)


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
            problem = f"no folder can be made there ({error.strerror}): set MESH_HOME to a folder of yours"
            raise SettingMalformed(setting="MESH_HOME", value=str(folder), problem=problem) from None
    engine = create_engine(url, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # sqlite3 would open transactions by its own rules; with None the "begin" event decides.
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL: a release that was acknowledged survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")


def _use_wal(connection: sqlite3.Connection) -> None:
    # Changing the journal mode ignores the busy timeout, and two first openings may meet here.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # A disk that is full, or can only be read, does not get better by waiting.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a writer that begins as a reader fails with "database is locked" instead of waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
