"""The whole registry copied into another database: for a backup, or because it moves to PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select, text

from mesh_assets.capabilities.registry.tables import (
    HEAD,
    LOG_CURSOR,
    METADATA,
    RELEASE,
    SCHEMA_VERSION,
    VERSION,
)
from mesh_assets.words.moves import CannotMove, RegistryTaken

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.open import Registry

#: Rows that are in memory at a time.
PART = 1000

#: A cursor of this name: a copy that did not end, which may be begun again.
UNDER_WAY = "registry copy under way"

#: What a SQLite registry that was moved says to whoever still writes to it.
MOVED = "this registry was moved to"


@contextmanager
def one_moment(registry: Registry) -> Iterator[Connection]:
    """Everything as it is at one moment, however long the reading takes."""
    with registry.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def copy_all(source: Connection, target: Connection) -> dict[str, int]:
    """Put all rows of one registry into another, over what is there; returns how many, by table."""
    tables = [table for table in METADATA.sorted_tables if table is not SCHEMA_VERSION]
    for table in reversed(tables):
        target.execute(delete(table))
    counts = {}
    for table in tables:
        rows = source.execution_options(yield_per=PART).execute(select(table))
        for part in rows.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in part])
        counts[table.name] = target.scalar(select(func.count()).select_from(table)) or 0
        if counts[table.name] != source.scalar(select(func.count()).select_from(table)):
            raise CannotMove(what="The registry", problem=f"not all rows of {table.name} arrived")
    if target.dialect.name == "postgresql":
        _go_on_counting(target)
    return counts


def _go_on_counting(target: Connection) -> None:
    """PostgreSQL's counters do not see numbers that were given."""
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            name = f'"{table.name}"'
            target.execute(
                text(
                    f"SELECT setval(seq, (SELECT coalesce(max({column.name}), 0) + 1 FROM {name}), false) "
                    "FROM (SELECT pg_get_serial_sequence(:table, :column) AS seq) s WHERE seq IS NOT NULL"
                ),
                {"table": name, "column": column.name},
            )


def _releases(connection: Connection) -> int:
    return connection.scalar(select(func.max(RELEASE.c.id))) or 0


def is_empty(connection: Connection) -> bool:
    return connection.scalar(select(VERSION.c.number).limit(1)) is None


def move_to(source: Registry, target: Registry, url: str) -> dict[str, int]:
    """Copy a SQLite registry, with nobody writing meanwhile; afterwards it refuses all who write to it.

    Killed in between, the old one is the registry still, and the next call copies again.
    """
    with source.writing() as old:
        if old.dialect.name != "sqlite":
            problem = "only one in SQLite goes to PostgreSQL; the other way is a backup that is restored"
            raise CannotMove(what="The registry", problem=problem)
        with target.writing() as new:
            begun = new.scalar(select(LOG_CURSOR.c.position).where(LOG_CURSOR.c.name == UNDER_WAY))
            # A copy that did not end may be begun again, unless somebody has released into it since.
            if not is_empty(new) and (begun is None or _releases(new) > _releases(old)):
                raise RegistryTaken(place=url)
            counts = copy_all(old, new)
            new.execute(insert(LOG_CURSOR).values(name=UNDER_WAY, position=0))
        _close(old, url)
    with target.writing() as new:
        new.execute(delete(LOG_CURSOR).where(LOG_CURSOR.c.name == UNDER_WAY))
    return counts


def _close(old: Connection, url: str) -> None:
    """Nothing is written to it any more, by nobody: a process with the old setting would lose releases."""
    said = f"{MOVED} {url}".replace("'", "''")
    for table in METADATA.sorted_tables:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            old.exec_driver_sql(
                f'CREATE TRIGGER IF NOT EXISTS "moved_{table.name}_{verb}" BEFORE {verb} ON "{table.name}" '
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )


def moved_to(connection: Connection) -> str:
    """Where a SQLite registry was moved to, "" if it was not."""
    if connection.dialect.name != "sqlite":
        return ""
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'moved_release_INSERT'"
    sql = connection.exec_driver_sql(query).scalar()
    return "" if sql is None else str(sql).partition(f"{MOVED} ")[2].partition("'")[0]


def heads_back(connection: Connection, heads: dict[str, int], products: Collection[str]) -> None:
    """Let readers see these versions of these products, and no version of those that have none."""
    for product in products:
        mine = (HEAD.c.product == product) & (HEAD.c.environment == "prod")
        connection.execute(delete(HEAD).where(mine))
        if product in heads:
            connection.execute(
                insert(HEAD).values(environment="prod", product=product, number=heads[product])
            )
