"""DuckDB's words for a server that did not answer, made ours: what, and what next, and no key in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh_assets.capabilities.lake.credentials import masked
from mesh_assets.words.stores import CatalogLost, DiskRefused, NotAllowed, StoreRefused, disk_refused

#: How libpq and PostgreSQL tell that a connection is gone or was never there.
LOST = re.compile(
    r"server closed the connection|terminating connection|connection to server|could not connect|"
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
#: A presigned address, or one with a password: nobody needs what stands behind the question mark.
QUESTION = re.compile(r"(https?://[^\s'\"?]+)\?[^\s'\"]*")


@contextmanager
def told(domain: str) -> Iterator[None]:
    """Raise CatalogLost, StoreRefused and DiskRefused for what DuckDB says of servers and disks; all else
    stays as it is.
    """
    import duckdb

    try:
        yield
    except Exception as error:
        # psycopg is an extra: where it is not installed nothing of it is raised.
        if not isinstance(error, duckdb.Error) and not type(error).__module__.startswith("psycopg"):
            raise
        said = QUESTION.sub(r"\1", masked(" ".join(str(error).split())))
        if isinstance(error, duckdb.HTTPException) or "s3://" in said:
            remedy = "Look at AWS_ENDPOINT_URL_S3, the key's rights (`mesh lake grant`) and the server"
            raise StoreRefused(what=f"The lake of {domain}", problem=said[:400], remedy=remedy) from None
        denied = DENIED.search(said)
        if denied:
            raise NotAllowed(domain=domain, problem=denied[0]) from None
        if LOST.search(said):
            raise CatalogLost(domain=domain, problem=said[:300]) from None
        if UNWRITABLE.search(said):
            raise DiskRefused(what=f"The lake of {domain}", problem=said[:300]) from None
        raise


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
