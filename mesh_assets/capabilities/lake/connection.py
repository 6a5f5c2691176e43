"""DuckDB connections, and lakes attached to them.

Nothing is downloaded: extensions come from their wheels. A connection of its own for each thread: DuckDB
connections that share one instance break each other on a PostgreSQL catalog (duckdb-postgres issue 577).
"""

from __future__ import annotations

import os
import re
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.extensions import load, open_objects
from mesh_assets.capabilities.lake.lock import commit_lock
from mesh_assets.capabilities.lake.manifest import after_all
from mesh_assets.capabilities.lake.places import (
    SPILL,
    LakePlace,
    in_objects,
    keep_record,
    lake_of,
    literal,
    quoted,
)
from mesh_assets.capabilities.lake.stores import is_object
from mesh_assets.capabilities.lake.told import told
from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.moves import LakeMoved
from mesh_assets.words.stores import LakeElsewhere

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.words.settings import Settings

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Extensions are loaded by path out of installed wheels, which pip verified like DuckDB itself. Verifying
    # their signature again hashes 60 MB: 0.2 to 0.4 s for every connection, 2 ms without.
    "allow_unsigned_extensions": True,
}


#: A password in a libpq connection string or URI.
SECRET = re.compile(r"password\s*=|://[^/@]*:[^/@]*@", re.IGNORECASE)


#: For connections that only talk to catalogs: a second thread waits busily there, and doubles the CPU seconds
#: of a commit (0.23 instead of 0.10; 0.80 instead of 0.43 with 104 files).
CATALOG_THREADS = 1

#: What an empty catalog says of its first snapshot.
NUMBERED = (
    ("ducklake_snapshot", "snapshot_id"),
    ("ducklake_snapshot_changes", "snapshot_id"),
    ("ducklake_schema", "begin_snapshot"),
)


def connect(
    settings: Settings, database: Path | str = ":memory:", *, threads: int | None = None
) -> DuckDBPyConnection:
    """A DuckDB connection that downloads nothing and keeps time in UTC; in memory and with a thread for each
    core unless told otherwise.
    """
    import duckdb

    # A spill folder for each connection: DuckDB gives its temporary files the same names in every process.
    settings.scratch.mkdir(parents=True, exist_ok=True)
    spill = settings.scratch / f"{SPILL}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    config = {**CONFIG, "temp_directory": str(spill), **({"threads": threads} if threads else {})}
    connection = duckdb.connect(str(database), config=config)
    connection.execute("SET TimeZone = 'UTC'")
    if in_objects(settings):
        open_objects(connection)
    return connection


def attach(
    connection: DuckDBPyConnection,
    settings: Settings,
    domain: str,
    *,
    snapshot: int | None = None,
    read_only: bool = True,
) -> str:
    """Attach a domain's lake and return its alias; a second call finds it attached.

    Read-only, at its newest state or at a snapshot. For writing, a lake that does not exist yet is made.
    """
    place = lake_of(settings, domain)
    alias = _alias(settings, domain, snapshot, read_only=read_only)
    there = f"SELECT 1 FROM duckdb_databases() WHERE database_name = {literal(alias)}"
    if connection.execute(there).fetchone():
        return alias
    _load_catalog(connection, place)
    if place.objects:
        open_objects(connection)
    if not read_only:
        _make(settings, place)
    options = [f"DATA_PATH {literal(place.data + '/')}", *_catalog_options(place)]
    # The path that the catalog remembers is the one at its making; a home may move.
    options += ["OVERRIDE_DATA_PATH true"] + (["READ_ONLY"] if read_only else [])
    options += [f"SNAPSHOT_VERSION {int(snapshot)}"] if snapshot is not None else []
    with told(domain):
        connection.execute(
            f"ATTACH {literal(_catalog_path(place))} AS {quoted(alias)} ({', '.join(options)})"
        )
    there = _named_place(connection, place, alias)
    if _agree(place, there):
        return alias
    connection.execute(f"DETACH {quoted(alias)}")
    if _moved_since(settings, place, there):
        return attach(connection, settings, domain, snapshot=snapshot, read_only=read_only)
    _refuse_elsewhere(place, there)
    return alias


def refuse_moved(connection: DuckDBPyConnection, place: LakePlace, alias: str) -> None:
    """Raise LakeMoved if, since the lake was attached, another machine took its data elsewhere."""
    there = _named_place(connection, place, alias)
    if not _agree(place, there):
        raise LakeMoved(domain=place.domain, here=there.removesuffix("/data"))


def _agree(place: LakePlace, there: str) -> bool:
    return there in (place.data, f"{place.also}/data") or not (is_object(there) or place.objects)


def _named_place(connection: DuckDBPyConnection, place: LakePlace, alias: str) -> str:
    """Where the catalog says that the data is."""
    table = f"{quoted(f'__ducklake_metadata_{alias}')}.{quoted(place.catalog_schema)}.ducklake_metadata"
    row = connection.execute(f"SELECT value FROM {table} WHERE key = 'data_path'").fetchone()
    return str(row[0]).rstrip("/") if row else place.data


def _moved_since(settings: Settings, place: LakePlace, there: str) -> bool:
    """True if the lake moved while we looked; or on another machine, and the settings here say so now."""
    now = lake_of(settings, place.domain)
    if now != place:
        return True
    wanted = dict(settings.data_of).get(place.domain, settings.data)
    if not wanted or there != f"{wanted}/{place.domain}/data":
        return False
    keep_record(replace(place, objects=there.removesuffix("/data"), elsewhere=""))
    return True


def _refuse_elsewhere(place: LakePlace, there: str) -> None:
    """The catalog remembers where it was made: files of a bucket are not looked for in another place."""
    raise LakeElsewhere(
        domain=place.domain,
        there=there.removesuffix(f"/{place.domain}/data") if is_object(there) else "local",
        here=place.root,
        variable=place.domain.upper(),
    )


def _alias(settings: Settings, domain: str, snapshot: int | None, *, read_only: bool) -> str:
    # Never the domain's bare name: catalog `hcp` beside schema `hcp` makes `hcp.hcp_master` ambiguous.
    # A kitchen's lake of a domain is attached beside the one that it was opened from.
    of = f"{domain}_in_{settings.kitchen}" if settings.kitchen else domain
    if not read_only:
        return f"writable_{of}"
    return f"lake_{of}" if snapshot is None else f"lake_{of}_at_{int(snapshot)}"


def _catalog_path(place: LakePlace) -> str:
    if not place.postgres:
        return f"ducklake:sqlite:{place.catalog}"
    refuse_secret(place.postgres)
    return f"ducklake:postgres:{place.postgres}"


def refuse_secret(catalog: str) -> None:
    """No password in MESH_CATALOG: DuckDB repeats the whole string when it cannot connect."""
    if SECRET.search(catalog):
        raise SettingMalformed(
            setting="MESH_CATALOG",
            value="postgres:...",
            problem="leave the password out of it, and set PGPASSWORD or a password file",
        )


def _catalog_options(place: LakePlace) -> list[str]:
    # Inlined rows make expiry hang behind readers, and a file added whole needs none.
    options = ["DATA_INLINING_ROW_LIMIT 0", "AUTOMATIC_MIGRATION false"]
    if place.postgres:
        options.append(f"METADATA_SCHEMA {literal(place.metadata_schema)}")
    return options


def _make(settings: Settings, place: LakePlace) -> None:
    """An empty catalog and the lake's folders, if they are not there; the data's folder says that all is."""
    if place.objects and not place.record.exists():
        keep_record(place)
    if not place.postgres:
        if not place.catalog.exists():
            with commit_lock(settings, place):
                _make_sqlite(settings, place)
    elif not _has_schema(place):
        with commit_lock(settings, place):
            make_tables(settings, place, _catalog_path(place), first=after_all(settings, place.domain))
    if not place.objects:
        Path(place.data).mkdir(parents=True, exist_ok=True)


def _make_sqlite(settings: Settings, place: LakePlace) -> None:
    """A whole catalog in WAL mode, made under another name: readers find all of it or none."""
    if place.catalog.exists():
        return
    fresh = place.folder / "catalog.fresh"
    for leftover in place.folder.glob("catalog.fresh*"):
        leftover.unlink()
    # The only time that Python's own SQLite touches the catalog, before DuckDB has it open: two SQLite
    # libraries in one process drop each other's locks on a file.
    run_sqlite(fresh, "PRAGMA journal_mode = WAL")
    make_tables(settings, place, f"ducklake:sqlite:{fresh}", first=after_all(settings, place.domain))
    run_sqlite(fresh, "PRAGMA wal_checkpoint(TRUNCATE)")
    fresh.rename(place.catalog)


def run_sqlite(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as session:
        session.execute(statement)


def make_tables(settings: Settings, place: LakePlace, path: str, *, first: int = 0) -> None:
    """An empty catalog there, if there is none; its snapshots are numbered from `first`."""
    with closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        _load_catalog(connection, place)
        if place.objects:
            open_objects(connection)
        options = [f"DATA_PATH {literal(place.data + '/')}", *_catalog_options(place)]
        connection.execute(f"ATTACH {literal(path)} AS fresh ({', '.join(options)})")
        if first:
            _number_from(connection, place, first)
        connection.execute("DETACH fresh")


def _number_from(connection: DuckDBPyConnection, place: LakePlace, first: int) -> None:
    """Where versions are left of a catalog that was lost, no snapshot of the new one has a number of theirs:
    else whoever reads an old version would be given other rows.
    """
    where = f"{quoted('__ducklake_metadata_fresh')}.{quoted(place.catalog_schema)}"
    connection.execute("BEGIN")
    for table, column in NUMBERED:
        connection.execute(f"UPDATE {where}.{table} SET {column} = {int(first)} WHERE {column} = 0")
    connection.execute("COMMIT")


def has_lake(_: Settings, place: LakePlace) -> bool:
    """False for a domain that never committed; a run may have died while it made the lake."""
    if not place.postgres:
        return place.catalog.exists()
    # Where the data is here, its folder is younger than the schema, and asking costs no session.
    return Path(place.data).is_dir() if place.root == str(place.folder) else _has_schema(place)


def _has_schema(place: LakePlace) -> bool:
    import psycopg

    with psycopg.connect(place.postgres) as session:
        query = "SELECT to_regclass(%s) IS NOT NULL"
        row = session.execute(query, [f"{place.metadata_schema}.ducklake_snapshot"]).fetchone()
    return bool(row and row[0])


def _load_catalog(connection: DuckDBPyConnection, place: LakePlace) -> None:
    load(connection, "postgres_scanner" if place.postgres else "sqlite_scanner")
    load(connection, "ducklake")
    connection.execute("SET ducklake_max_retry_count = 100")
