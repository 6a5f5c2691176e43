"""A kitchen opened from a mesh whose registry is an SQLite file, by sqlite3 itself.

SQLAlchemy takes 0.5 CPU s to import, which is more than everything else that an opening does. What stands in
the way of one is not told here: nothing is written then, and the ordinary way tells it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mesh_assets.capabilities.registry.seed_queries import MOMENT, WANTED
from mesh_assets.words.kitchens import Kitchen, KitchenState
from mesh_assets.words.versions import PROD

#: Seconds to wait for a writer; the ordinary way waits longer, and says for whom.
PATIENCE = 5

SQLITE = "sqlite:///"

#: A registry that was moved has triggers, and no other has.
MOVED = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"

#: What a statement that makes something begins with.
MAKES = re.compile(r"^CREATE (TABLE|INDEX|UNIQUE INDEX) ")


def open_directly(registry: str, kitchen: Kitchen) -> Kitchen | None:
    """Put the kitchen on record, pin all heads of now, and write its registry; None if that is for the
    ordinary way to do or to refuse.
    """
    file = _file(registry)
    if file is None:
        return None
    try:
        with closing(_connect(file)) as connection:
            with _writing(connection):
                pinned = _pinned(connection, kitchen)
            return pinned and _seeded(connection, pinned)
    except sqlite3.Error:
        return None


def keep_state(registry: str, name: str, state: KitchenState) -> bool:
    """Write down how far a kitchen is; False if that is for the ordinary way to do."""
    file = _file(registry)
    if file is None:
        return False
    try:
        with closing(_connect(file)) as connection, _writing(connection):
            done = connection.execute("UPDATE kitchen SET state = ? WHERE name = ?", (state.value, name))
            return done.rowcount == 1
    except sqlite3.Error:
        return False


def _file(registry: str) -> Path | None:
    path = registry.removeprefix(SQLITE)
    plain = path != registry and not set(path) & set("?%:")
    return Path(path) if plain and Path(path).is_file() else None


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
    # As the ordinary way prepares one (open.py).
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _pinned(connection: sqlite3.Connection, kitchen: Kitchen) -> Kitchen | None:
    """All or nothing: whatever has to be looked at is left as it was."""
    known = {name for _, name, *_ in connection.execute("PRAGMA table_info(kitchen)")}
    if known != set(vars(kitchen)) or connection.execute(MOVED).fetchone()[0]:
        return None
    taken = connection.execute("SELECT count(*) FROM kitchen WHERE name = ?", (kitchen.name,)).fetchone()[0]
    taken += connection.execute("SELECT count(*) FROM promotion WHERE state = 'released'").fetchone()[0]
    gone = "SELECT count(*) FROM head JOIN expiry USING (product, number) WHERE environment = ?"
    if taken or connection.execute(gone, (PROD,)).fetchone()[0]:
        return None
    newest = "SELECT coalesce(max(id), 0) FROM release WHERE environment = ?"
    kitchen = replace(kitchen, base_release=connection.execute(newest, (PROD,)).fetchone()[0])
    facts = {name: _plain(value) for name, value in vars(kitchen).items()}
    names = ", ".join(f'"{name}"' for name in facts)
    marks = ", ".join("?" * len(facts))
    connection.execute(f"INSERT INTO kitchen ({names}) VALUES ({marks})", tuple(facts.values()))
    connection.execute("DELETE FROM pin WHERE holder = ?", (kitchen.holder,))
    connection.execute(
        "INSERT INTO pin (holder, product, number, pinned, expires) "
        "SELECT ?, product, number, ?, ? FROM head WHERE environment = ?",
        (kitchen.holder, _plain(datetime.now(UTC)), _plain(kitchen.expires), PROD),
    )
    return kitchen


def _plain(value: object) -> object:
    """As the tables' types write it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(MOMENT)
    if isinstance(value, tuple):
        return json.dumps(list(value), default=str)
    if isinstance(value, KitchenState):
        return value.value
    if isinstance(value, str | Path):
        return str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return value


def _seeded(connection: sqlite3.Connection, kitchen: Kitchen) -> Kitchen | None:
    try:
        _seed(connection, kitchen)
    except sqlite3.Error:
        connection.rollback()
        with _writing(connection):
            connection.execute("DELETE FROM pin WHERE holder = ?", (kitchen.holder,))
            connection.execute("DELETE FROM kitchen WHERE name = ?", (kitchen.name,))
        return None
    return kitchen


def _seed(connection: sqlite3.Connection, kitchen: Kitchen) -> None:
    """The kitchen's registry, under another name until it is whole; its tables are those of its base."""
    target = kitchen.home / "registry.sqlite"
    half = target.with_suffix(".half")
    half.unlink(missing_ok=True)
    connection.execute("ATTACH ? AS mine", (str(half),))
    connection.execute("PRAGMA mine.synchronous = OFF")
    connection.execute("BEGIN")
    made = "SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    for (text,) in connection.execute(f"{made} ORDER BY type = 'table' DESC, rowid").fetchall():
        connection.execute(MAKES.sub(r"CREATE \1 mine.", text))
    connection.execute("INSERT INTO mine.schema_version SELECT * FROM main.schema_version")
    for table, query in WANTED.items():
        _copy(connection, kitchen, table, query)
    _show(connection, kitchen)
    connection.execute("COMMIT")
    connection.execute("DETACH mine")
    half.replace(target)


def _copy(connection: sqlite3.Connection, kitchen: Kitchen, table: str, query: str) -> None:
    columns = [f'"{name}"' for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})")]
    # Where the rows are, as the kitchen says it.
    stored = "CASE WHEN t.stored = '' THEN :base ELSE t.stored END"
    read = ", ".join(stored if table == "version" and each == '"stored"' else f"t.{each}" for each in columns)
    connection.execute(
        f"INSERT INTO mine.{table} ({', '.join(columns)}) {query.replace('t.*', read)}",
        {"holder": kitchen.holder, "base": kitchen.base},
    )


def _show(connection: sqlite3.Connection, kitchen: Kitchen) -> None:
    """Heads, and the release that they came with: the opening."""
    connection.execute(
        "INSERT INTO mine.release (id, environment, run_id, who, released, reads) VALUES (1, ?, ?, ?, ?, ?)",
        (PROD, kitchen.holder, kitchen.owner, _plain(kitchen.opened), "{}"),
    )
    pinned = "product, number FROM main.pin WHERE holder = ?"
    connection.execute(
        f"INSERT INTO mine.head (environment, product, number) SELECT '{PROD}', {pinned}", (kitchen.holder,)
    )
    connection.execute(
        f"INSERT INTO mine.release_item (release_id, product, number) SELECT 1, {pinned}", (kitchen.holder,)
    )
