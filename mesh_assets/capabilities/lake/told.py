"""DuckDB's words for a server that did not answer, made ours: what, and what next, and no key in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh_assets.capabilities.lake.credentials import masked
from mesh_assets.words.errors import MeshError
from mesh_assets.words.stores import (
    CatalogDamaged,
    CatalogLost,
    DiskRefused,
    FileDamaged,
    NotAllowed,
    StoreRefused,
    disk_refused,
)

#: How libpq and PostgreSQL tell that a connection is gone or was never there.
LOST = re.compile(
    r"server closed the connection|terminating connection|connection to server|could not connect|"
    r"connection failed|Connection refused|"
    r"connection (?:has been|was|is) (?:closed|lost|reset|refused)|no connection to the server|"
    r"SSL connection has been closed|Connection reset by peer|Broken pipe|in recovery mode|starting up|"
    # All that DuckDB says of a session that ended in the middle of its transaction.
    r"execute query \"ROLLBACK\":",
    re.IGNORECASE,
)
#: What PostgreSQL says to a role without a right.
DENIED = re.compile(r"permission denied for [a-z]+ [\w.]+")
#: What DuckDB and its SQLite say of a folder that is full, can only be read, or is on a disk that fails.
UNWRITABLE = re.compile(
    r"No space left on device|disk is full|disk I/O error|Read-only file system|readonly database|"
    r"Input/output error|unable to open database file",
    re.IGNORECASE,
)
#: The statement that DuckDB repeats before it says what was wrong.
STATEMENT = re.compile(r"(?:Failed to )?(?:execute|prepare) (?:query|COPY) \".*\": ?", re.IGNORECASE)
#: A catalog's schema as such a statement names it.
SCHEMA = re.compile(r"\"lake_(\w+)\"\.")
#: What DuckDB says of a file that is gone, or was not written so; and the file, if it is of a version.
UNREADABLE = re.compile(
    r"No files found that match|No magic bytes|Failed to read file|too small to be a Parquet|"
    r"Decompression failure|Cannot open file|Invalid Parquet"
)
OF_A_VERSION = re.compile(r"[^\s'\"\[]*/data/(?P<domain>\w+)/(?P<product>\w+)/[^\s'\"]*\.parquet")
#: What DuckDB and its SQLite say of a catalog that is none; and of one that is not there.
NO_CATALOG = re.compile(r"file is not a database|database disk image is malformed")
CATALOG = re.compile(r"Unable to open database \"(?P<file>[^\"]+/lakes/(?P<domain>\w+)/catalog\.sqlite)\"")
#: The same of a schema in PostgreSQL; and of a version whose catalog was lost, and made anew without it.
NO_SCHEMA = re.compile(r"Existing DuckLake at metadata catalog .* does not exist")
NO_SNAPSHOT = re.compile(r"No snapshot found at version (\d+)")
#: Packages whose errors are put in words. psycopg is an extra: where it is not, nothing of it is raised.
ENGINES = ("duckdb", "_duckdb", "psycopg", "psycopg_binary")
#: A presigned address, or one with a password: nobody needs what stands behind the question mark.
QUESTION = re.compile(r"(https?://[^\s'\"?]+)\?[^\s'\"]*")


@contextmanager
def told(domain: str) -> Iterator[None]:
    """Raise CatalogLost, StoreRefused and DiskRefused for what DuckDB says of servers and disks; all else
    stays as it is.
    """
    try:
        yield
    except Exception as error:
        found = in_words(error, domain)
        if found is None:
            raise
        raise found from None


def in_words(error: BaseException, domain: str = "") -> MeshError | None:
    """What DuckDB, psycopg or the system say of a server or a disk, as an error of ours; None for all else.

    Without a domain it is the one that the message names. Asks for names of modules: who never imported an
    engine does not import it to be told of an error.
    """
    whole = _cleaned(error)
    named = SCHEMA.search(whole)
    domain = domain or (named[1] if named else "a domain")
    if isinstance(error, OSError):
        return disk_refused(error, f"The lake of {domain}")
    if type(error).__module__.partition(".")[0] in ENGINES:
        return _of_engine(type(error).__name__, whole, domain)
    return None


def _of_engine(kind: str, whole: str, domain: str) -> MeshError | None:
    said = STATEMENT.sub("", whole)
    damaged = _damaged(said, domain)
    if damaged:
        return damaged
    if kind == "HTTPException" or "s3://" in said:
        return _of_store(domain, said)
    denied = DENIED.search(said)
    if denied:
        return NotAllowed(domain=domain, problem=denied[0])
    if LOST.search(whole):
        return CatalogLost(domain=domain, problem=said[:300])
    if UNWRITABLE.search(said):
        return DiskRefused(what=f"The lake of {domain}", problem=said[:300])
    return None


def _damaged(said: str, domain: str) -> MeshError | None:
    file = OF_A_VERSION.search(said) if UNREADABLE.search(said) else None
    if file:
        product = f"{file['domain']}.{file['product']}"
        problem = said.replace(file[0], Path(file[0]).name)[:200]
        return FileDamaged(product=product, domain=file["domain"], file=file[0], problem=problem)
    if NO_CATALOG.search(said):
        return CatalogDamaged(domain=domain, problem=said[:300], without=_made_anew(domain, "catalog.sqlite"))
    if NO_SCHEMA.search(said):
        without = _made_anew(domain, "data")
        return CatalogDamaged(domain=domain, problem="it is not there", without=without)
    if unknown := NO_SNAPSHOT.search(said):
        problem = f"it has no snapshot {unknown[1]}, so it is older than this version or was made anew"
        return CatalogDamaged(domain=domain, problem=problem, without="the rows of this version are lost")
    lost = CATALOG.search(said)
    if lost and not Path(lost["file"]).exists():
        problem, without = f"{lost['file']} is not there", _made_anew(lost["domain"], "catalog.sqlite")
        return CatalogDamaged(domain=lost["domain"], problem=problem, without=without)
    return None


def _made_anew(domain: str, name: str) -> str:
    return f"rename lakes/{domain}/{name} and make the products again: `mesh build {domain} --force`"


def _cleaned(error: BaseException) -> str:
    return QUESTION.sub(r"\1", masked(" ".join(str(error).split())))


def _of_store(domain: str, said: str) -> StoreRefused:
    remedy = "Look at AWS_ENDPOINT_URL_S3, the key's rights (`mesh lake grant`) and the server"
    return StoreRefused(what=f"The lake of {domain}", problem=said[:400], remedy=remedy)


@contextmanager
def told_of_disks(folder: Path) -> Iterator[None]:
    """Raise DiskRefused for what the system, or DuckDB, says of a disk that is full, can only be read or
    fails; `folder` is named where they name no file.
    """
    import duckdb

    try:
        yield
    except OSError as error:
        refused = disk_refused(error, folder)
        if refused is None:
            raise
        raise refused from error
    except duckdb.Error as error:
        if not UNWRITABLE.search(str(error)):
            raise
        raise DiskRefused(what=folder, problem=masked(" ".join(str(error).split()))[:300]) from error
