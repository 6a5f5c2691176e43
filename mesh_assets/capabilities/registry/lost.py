"""A registry that does not answer or says no, told in our words: which one, why, what next, and no password.

Connecting is tried again for some seconds, because nothing can have happened yet: a database that is started
again is back by then. What was under way when a connection broke is not tried again here.
"""

from __future__ import annotations

import logging
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from mesh_assets.words.stores import RegistryFileRefused, RegistryLost, RegistryRefused

LOG = logging.getLogger(__name__)

#: Seconds in which a server may be started again, before a person is told.
RESTART = 10.0

#: What passes by itself: a server that is being started or stopped.
PASSING = re.compile(
    r"refused|starting up|shutting down|not yet accepting|recovery mode|No such file or directory|"
    r"closed the connection|terminating connection",
    re.IGNORECASE,
)
#: What SQLite says of a file that it cannot use; damaged ones are upkeep's.
UNUSABLE = ("unable to open", "readonly database", "disk I/O error", "disk is full")


def connected(engine: Engine) -> Connection:
    """A connection; raises RegistryLost when there is none to be had."""
    until, told = time.monotonic() + RESTART, False
    while True:
        try:
            return engine.connect()
        except (OperationalError, sqlite3.OperationalError) as error:
            if not PASSING.search(str(error)) or time.monotonic() > until:
                raise
            if not told:
                LOG.warning("%s does not answer; trying for %d seconds", named(engine.url), RESTART)
            told = True
            time.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - so that not all come back at once


@contextmanager
def told_if_lost(url: URL) -> Iterator[None]:
    """Raise RegistryLost for a server that went away or a file that cannot be used, and RegistryRefused for
    what a role may not do.
    """
    try:
        yield
    except (OperationalError, InterfaceError, ProgrammingError, sqlite3.OperationalError) as error:
        said = _said(error)
        if "permission denied" in said or "row-level security" in said:
            raise RegistryRefused(where=named(url), problem=said) from None
        if _is_lost(url, error, said):
            lost = RegistryFileRefused if url.get_backend_name() == "sqlite" else RegistryLost
            raise lost(where=named(url), problem=said) from None
        raise


def named(url: URL) -> str:
    """The registry as messages name it: its server and database, or its file; never a password."""
    if url.get_backend_name() == "sqlite":
        return f"The registry in {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"The registry {url.database} on {host}{f':{url.port}' if url.port else ''}"


def _is_lost(url: URL, error: Exception, said: str) -> bool:
    if url.get_backend_name() == "sqlite":
        return any(word in said for word in UNUSABLE)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError)


def _said(error: Exception) -> str:
    """The database's own words, in one line and without the statement."""
    said = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
    return said[:300]
