"""A catalog copied, table by table, into another database: SQLite to PostgreSQL and back, or the same again.

Snapshots, versions and files keep their numbers. Paths in a catalog are relative to its data path, so that no
file is touched; a catalog with other paths is refused.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect, make_tables, run_sqlite
from mesh_assets.capabilities.lake.extensions import load
from mesh_assets.capabilities.lake.places import LakePlace, literal, quoted
from mesh_assets.words.moves import CannotMove

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.words.settings import Settings

#: What stays behind: files that wait for their deletion are in no copy.
LEFT = "ducklake_files_scheduled_for_deletion"

#: What has paths, and says which are relative.
WITH_PATHS = ("ducklake_schema", "ducklake_table", "ducklake_data_file", "ducklake_delete_file")


def copy_catalog(settings: Settings, source: LakePlace, target: LakePlace) -> None:
    """Put the catalog of `source` where `target` has its own, over whatever is there, in one transaction.

    To be called under the lake's lock.
    """
    with closing(CatalogCopy(settings, source)) as copy:
        copy.read()
        copy.write(target)


class CatalogCopy:
    """A catalog read into memory, and written from there: only the reading needs the lake's lock."""

    def __init__(self, settings: Settings, source: LakePlace) -> None:
        self._settings = settings
        self._source = source
        self._connection = connect(settings, threads=CATALOG_THREADS)
        self._where = _attach_source(self._connection, source)
        self._tables: list[str] = []

    def read(self) -> None:
        """Take the catalog as it is now."""
        self._tables = _read(self._connection, self._source, self._where)

    def write(self, target: LakePlace) -> None:
        """Put it where `target` has its catalog, over whatever is there."""
        if target.postgres:
            make_tables(self._settings, target, f"ducklake:postgres:{target.postgres}")
            _write(self._connection, self._tables, target, target.postgres)
        else:
            _write_sqlite(self._settings, self._connection, self._tables, target)

    def close(self) -> None:
        self._connection.close()


def set_data_path(settings: Settings, place: LakePlace, data: str) -> None:
    """Let the catalog say that its data is there."""
    with closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        where = _attach(connection, place.postgres or str(place.catalog), place, read_only=False)
        value = literal(f"{data}/")
        connection.execute(f"UPDATE {where}.ducklake_metadata SET value = {value} WHERE key = 'data_path'")


def _write_sqlite(
    settings: Settings, connection: DuckDBPyConnection, tables: list[str], target: LakePlace
) -> None:
    """Whole, under another name first. Python's SQLite sees it before and after DuckDB: see `connection`."""
    target.folder.mkdir(parents=True, exist_ok=True)
    fresh = target.folder / "catalog.copied"
    for leftover in target.folder.glob("catalog.copied*"):
        leftover.unlink()
    run_sqlite(fresh, "PRAGMA journal_mode = WAL")
    make_tables(settings, target, f"ducklake:sqlite:{fresh}")
    _write(connection, tables, target, str(fresh))
    run_sqlite(fresh, "PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        target.catalog.with_name(target.catalog.name + suffix).unlink(missing_ok=True)
    fresh.rename(target.catalog)


def _attach_source(connection: DuckDBPyConnection, place: LakePlace) -> str:
    if _loaded(connection, place):
        connection.execute("SET sqlite_all_varchar = true")
    return _attach(connection, place.postgres or str(place.catalog), place, read_only=True)


def _read(connection: DuckDBPyConnection, place: LakePlace, where: str) -> list[str]:
    """The catalog's tables as temporary ones; returns their names."""
    schema = literal(place.catalog_schema)
    query = (
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'raw' "
        f"AND schema_name = {schema} AND table_name LIKE 'ducklake\\_%' ESCAPE '\\' ORDER BY 1"
    )
    names = [str(name) for (name,) in connection.execute(query).fetchall()]
    connection.execute("BEGIN")
    for name in names:
        connection.execute(f"CREATE TEMP TABLE {quoted(name)} AS FROM {where}.{quoted(name)}")
    connection.execute("COMMIT")
    connection.execute("DETACH raw")
    if not place.postgres:
        connection.execute("SET sqlite_all_varchar = false")
    _refuse_absolute(connection, place, names)
    return names


def _loaded(connection: DuckDBPyConnection, place: LakePlace) -> bool:
    """Load what reads the catalog; True for SQLite, whose columns hold what they were not declared for."""
    load(connection, "postgres_scanner" if place.postgres else "sqlite_scanner")
    return not place.postgres


def _refuse_absolute(connection: DuckDBPyConnection, place: LakePlace, names: list[str]) -> None:
    for name in (each for each in WITH_PATHS if each in names):
        query = f"SELECT path FROM temp.{quoted(name)} WHERE NOT CAST(path_is_relative AS BOOLEAN) LIMIT 1"
        row = connection.execute(query).fetchone()
        if row:
            problem = f"its catalog has a path that is not below its data: {row[0]}"
            raise CannotMove(what=f"The lake of {place.domain}", problem=problem)


def _write(connection: DuckDBPyConnection, tables: list[str], target: LakePlace, database: str) -> None:
    where = _attach(connection, database, target, read_only=False)
    connection.execute("BEGIN")
    for name in tables:
        kinds = connection.execute(f"DESCRIBE {where}.{quoted(name)}").fetchall()
        columns = ", ".join(f"CAST({quoted(row[0])} AS {row[1]})" for row in kinds)
        listed = ", ".join(quoted(row[0]) for row in kinds)
        connection.execute(f"DELETE FROM {where}.{quoted(name)}")
        if name != LEFT:
            connection.execute(
                f"INSERT INTO {where}.{quoted(name)} ({listed}) SELECT {columns} FROM temp.{quoted(name)}"
            )
    path = literal(f"{target.data}/")
    connection.execute(f"UPDATE {where}.ducklake_metadata SET value = {path} WHERE key = 'data_path'")
    connection.execute("COMMIT")
    _compare(connection, tables, where, target)
    connection.execute("DETACH raw")


def _compare(connection: DuckDBPyConnection, tables: list[str], where: str, target: LakePlace) -> None:
    """As many rows as there were, in every table."""
    for name in tables:
        if name == LEFT:
            continue
        counts = [f"(SELECT count(*) FROM {each}.{quoted(name)})" for each in ("temp", where)]
        row = connection.execute(f"SELECT {', '.join(counts)}").fetchone()
        if row is None or row[0] != row[1]:
            problem = f"{name} has {row} rows before and after"
            raise CannotMove(what=f"The catalog of {target.domain}", problem=problem)


def _attach(connection: DuckDBPyConnection, database: str, place: LakePlace, *, read_only: bool) -> str:
    """A catalog's own database, not as a lake; returns where its tables are."""
    _loaded(connection, place)
    kind = "POSTGRES" if place.postgres else "SQLITE"
    options = f"TYPE {kind}" + (", READ_ONLY" if read_only else "")
    connection.execute(f"ATTACH {literal(database)} AS raw ({options})")
    return f"raw.{quoted(place.catalog_schema)}"


def set_catalog_aside(place: LakePlace, stamp: str) -> None:
    """Rename a catalog, so that another one can take its place; nothing if there is none."""
    if place.postgres:
        import psycopg

        schema, aside = place.metadata_schema, f"{place.metadata_schema}_before_{stamp}"
        with psycopg.connect(place.postgres) as session:
            query = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
            if session.execute(query, [schema]).fetchone():
                # Names of our own making: letters, digits and underscores.
                session.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'.encode())
        return
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{place.catalog}{suffix}")
        if part.exists():
            part.rename(Path(f"{place.catalog}.before-{stamp}{suffix}"))
