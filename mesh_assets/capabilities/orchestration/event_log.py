"""Dagster's SQLite event log with its connections kept open.

Dagster opens and closes a connection, and an SQLAlchemy engine with an empty statement cache, for every
event. Closing the last connection of a database in WAL mode checkpoints and syncs it, so each of a product's
checks waits for the disk. A mesh tells Dagster one check per rule: docs/performance.md has what this saves.
Events that Dagster hands over as a batch (what a run plans, a product's weeks) are one transaction, and what
the tables look like is asked once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from dagster import EventLogEntry

#: Seconds to wait for another writer.
PATIENCE = 60

#: Open databases at most: the index and the latest runs. Every run has a database of its own.
OPEN_AT_MOST = 8


class PooledSqliteEventLog(SqliteEventLogStorage):
    """The same tables and files as Dagster's own; only connections live longer."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._there: set[str] = set()
        self._batch = threading.local()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All of them in one transaction of each database that they touch, or none."""
        with self._db_lock, ExitStack() as stack:
            self._batch.open, self._batch.stack = {}, stack
            try:
                for each in events:
                    self.store_event(each)
            finally:
                self._batch.open = None

    def has_table(self, table_name: str) -> bool:
        """Asked for every event; a table that is there stays."""
        ask = super().has_table
        return self._remembered(f"table {table_name}", lambda: ask(table_name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._remembered(f"column {column_name}", lambda: ask(conn, column_name))

    def _remembered(self, what: str, ask: Callable[[], bool]) -> bool:
        if what not in self._there and ask():
            self._there.add(what)
        return what in self._there

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Asked once per process for every database; only a new one needs alembic and all its scripts."""
        with engine.connect() as connection:
            known = connection.dialect.has_table(connection, "alembic_version")
            if known and connection.execute(text("SELECT 1 FROM alembic_version")).first():
                return
        super()._initdb(engine, for_index_shard)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held: dict[str, Connection] | None = getattr(self._batch, "open", None)
        if held is None:
            with self._db_lock, self._transaction(shard) as connection:
                yield connection
            return
        if shard not in held:  # this thread stores a batch, and has the lock
            held[shard] = self._batch.stack.enter_context(self._transaction(shard))
        yield held[shard]

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
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
