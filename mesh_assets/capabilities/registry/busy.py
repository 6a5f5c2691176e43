"""A registry that somebody else writes to for longer than anybody waits, told in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError

from mesh_assets.words.errors import RegistryBusy
from mesh_assets.words.moves import RegistryMoved

#: What SQLite and PostgreSQL say of a lock that was not to be had in time.
WORDS = ("database is locked", "database table is locked", "lock timeout")


@contextmanager
def told_if_busy(seconds: float) -> Iterator[None]:
    """Raise RegistryBusy instead of the database's own error for a lock, and RegistryMoved for one that is
    kept elsewhere now.
    """
    try:
        yield
    except IntegrityError as error:
        _, moved, there = str(error.orig).partition("this registry was moved to ")
        if moved:
            raise RegistryMoved(there=there) from None
        raise
    except OperationalError as error:
        if any(word in str(error.orig) for word in WORDS):
            raise RegistryBusy(seconds=seconds) from None
        raise
