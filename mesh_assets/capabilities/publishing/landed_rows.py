"""New rows of a table become a file: read behind a watermark, landed once.

The order of things makes it once: the file is written and synced under a hidden name, the cursor moves in the
registry with the file's name and checksum, the file gets its name. Who dies before the cursor moved has done
nothing; who dies after it is finished by the next look.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.lake.connection import connect
from mesh_assets.capabilities.lake.extensions import load
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.publishing.code import digest_of_file
from mesh_assets.capabilities.publishing.sources import folder_of
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.arrivals import Landing, RowsUnreachable
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXTENSIONS = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}
ALIAS = "there"


def land_rows(
    settings: Settings,
    registry: Registry,
    domain: str,
    source: Source,
    environ: Mapping[str, str] | None = None,
) -> Landing | None:
    """The rows behind the watermark as one more file of the source; None if there are none.

    Raises RowsUnreachable if the database does not answer.
    """
    folder = folder_of(settings, source)
    with one_at_a_time(folder, domain, source):
        last = registry.last_landing(domain, source.name)
        if last is not None:
            finish(folder, last)
        import duckdb

        try:
            with closing(
                _attached(settings, domain, source, os.environ if environ is None else environ)
            ) as con:
                return _land_next(con, folder, registry, domain, source, last)
        except duckdb.Error as error:
            raise _unreachable(domain, source, str(error).splitlines()[0]) from None


def _land_next(
    con: DuckDBPyConnection,
    folder: Path,
    registry: Registry,
    domain: str,
    source: Source,
    last: Landing | None,
) -> Landing | None:
    query, mark = _new_rows(con, source, last), quoted(source.delivery.watermark)
    con.execute(f"CREATE TEMP TABLE fresh AS {query}")
    counted = con.execute(
        f"SELECT count(*), min({mark})::varchar, max({mark})::varchar FROM fresh"
    ).fetchone()
    if counted is None or not counted[0]:
        return None
    rows, low, high = counted
    number = 1 + (last.number if last else 0)
    file = source.path.format(batch=f"{number:06d}_{plain(low)}_{plain(high)}")
    hidden = hidden_name(folder / file)
    hidden.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"COPY (FROM fresh ORDER BY {mark}) TO {literal(str(hidden))} (FORMAT parquet, COMPRESSION zstd)"
    )
    sync(hidden)
    landing = Landing(
        domain=domain,
        source=source.name,
        number=number,
        file=file,
        rows=rows,
        low=low,
        high=high,
        sha256=digest_of_file(hidden),
        keys=_keys_at(con, source, high, last),
    )
    registry.land(landing)
    finish(folder, landing)
    return landing


def _new_rows(con: DuckDBPyConnection, source: Source, last: Landing | None) -> str:
    """Rows behind the watermark, and rows at it that were not there when it was reached."""
    delivery = source.delivery
    mark, table = quoted(delivery.watermark), f"{ALIAS}.{'.'.join(map(quoted, delivery.table.split('.')))}"
    if last is None:
        return f"SELECT * FROM {table} WHERE {mark} IS NOT NULL"
    (kind,) = con.execute(f"SELECT column_type FROM (DESCRIBE SELECT {mark} FROM {table})").fetchone() or (
        "",
    )
    high = f"CAST({literal(last.high)} AS {kind})"
    if not delivery.key:
        return f"SELECT * FROM {table} WHERE {mark} > {high}"
    known = ", ".join(literal(key) for key in last.keys) or "''"
    return (
        f"SELECT * FROM {table} WHERE {mark} >= {high} "
        f"AND ({mark} > {high} OR {quoted(delivery.key)}::varchar NOT IN ({known}))"
    )


def _keys_at(con: DuckDBPyConnection, source: Source, high: str, last: Landing | None) -> tuple[str, ...]:
    """Keys of the rows at the watermark; more rows with the same one may be committed later."""
    if not source.delivery.key:
        return ()
    key, mark = quoted(source.delivery.key), quoted(source.delivery.watermark)
    found = con.execute(
        f"SELECT {key}::varchar FROM fresh WHERE {mark}::varchar = {literal(high)}"
    ).fetchall()
    before = last.keys if last is not None and last.high == high else ()
    return (*before, *(str(value) for (value,) in found))


def _attached(
    settings: Settings, domain: str, source: Source, environ: Mapping[str, str]
) -> DuckDBPyConnection:
    """A connection with the source's database attached, read-only."""
    where = _connection_string(domain, source, environ)
    kind, _, place = where.partition(":")
    if kind in ("postgresql", "postgres") and place.startswith("//"):
        kind, place = "postgres", where
    if kind not in (*EXTENSIONS, "duckdb") or not place:
        raise _unreachable(domain, source, "it names neither sqlite, duckdb nor postgres")
    con = connect(settings, threads=1)
    try:
        if kind in EXTENSIONS:
            load(con, EXTENSIONS[kind])
        if kind != "postgres" and not Path(place).is_file():
            raise _unreachable(domain, source, "the file is not there")
        options = "READ_ONLY" if kind == "duckdb" else f"TYPE {kind}, READ_ONLY"
        _attach(con, f"ATTACH {literal(place)} AS {ALIAS} ({options})", domain, source)
    except BaseException:
        con.close()
        raise
    return con


def _attach(con: DuckDBPyConnection, statement: str, domain: str, source: Source) -> None:
    import duckdb

    try:
        con.execute(statement)
    except duckdb.Error:
        # DuckDB repeats the connection string, password included.
        raise _unreachable(domain, source, "the database cannot be opened") from None


def _connection_string(domain: str, source: Source, environ: Mapping[str, str]) -> str:
    name = source.delivery.connection
    if environ.get(name):
        return environ[name]
    if environ.get(f"{name}_FILE"):
        try:
            return Path(environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
        except OSError:
            raise _unreachable(domain, source, f"the file that {name}_FILE names cannot be read") from None
    raise _unreachable(domain, source, f"neither {name} nor {name}_FILE is set")


def _unreachable(domain: str, source: Source, problem: str) -> RowsUnreachable:
    return RowsUnreachable(
        domain=domain, source=source.name, problem=problem, variable=source.delivery.connection
    )


@contextmanager
def one_at_a_time(folder: Path, domain: str, source: Source) -> Iterator[None]:
    """Two looks at once would read the same rows; the registry would refuse the second one's landing."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{domain}.{source.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hidden_name(path: Path) -> Path:
    """Where a file is written: no look takes it for a delivery."""
    return path.with_name(f".{path.name}.landing")


def finish(folder: Path, landing: Landing) -> None:
    """Give the file of a landing its name, unless it has it."""
    path = folder / landing.file
    hidden = hidden_name(path)
    if hidden.exists() and not path.exists():
        hidden.rename(path)
        sync(path.parent)


def sync(path: Path) -> None:
    """On disk before this returns: content of a file, names in a folder."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def plain(mark: str) -> str:
    """A watermark as a part of a file's name."""
    return re.sub(r"[^0-9A-Za-z.-]+", "-", mark)[:40].strip("-.") or "x"
