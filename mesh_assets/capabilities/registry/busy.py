"""A registry that somebody else writes to for longer than anybody waits, told in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from mesh_assets.words.errors import RegistryBusy

#: What SQLite and PostgreSQL say of a lock that was not to be had in time.
WORDS = ("database is locked", "database table is locked", "lock timeout")


@contextmanager
def told_if_busy(seconds: float) -> Iterator[None]:
    """Raise RegistryBusy instead of the database's own error for a lock."""
    try:
        yield
    except OperationalError as error:
        if any(word in str(error.orig) for word in WORDS):
            raise RegistryBusy(seconds=seconds) from None
        raise
