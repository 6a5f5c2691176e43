"""Dagster's SQLite event log with its connections kept open.

Dagster opens and closes a connection, and an SQLAlchemy engine with an empty statement cache, for every
event. Closing the last connection of a database in WAL mode checkpoints and syncs it, so each of a product's
checks waits for the disk. A mesh tells Dagster one check per rule: docs/performance.md has what this saves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

#: Seconds to wait for another writer.
PATIENCE = 60

#: Open databases at most: the index and the latest runs. Every run has a database of its own.
OPEN_AT_MOST = 8


class PooledSqliteEventLog(SqliteEventLogStorage):
    """The same tables and files as Dagster's own; only connections live longer."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine_of(self, shard: str) -> Engine:
        found = self._engines.pop(shard, None) or _open(self.conn_string_for_shard(shard))
        self._engines[shard] = found  # last: most recently used
        if len(self._engines) > OPEN_AT_MOST:
            self._engines.pop(next(iter(self._engines))).dispose()
        return found

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _open(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        connect_args={"timeout": PATIENCE, "check_same_thread": False},
    )
    event.listen(engine, "connect", _sync_at_checkpoints)
    return engine


def _sync_at_checkpoints(connection: Any, _: Any) -> None:
    # In WAL mode NORMAL never corrupts; a power cut may take the last events of a run, no version.
    connection.execute("PRAGMA synchronous = NORMAL")
