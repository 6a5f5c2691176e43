"""What the registry answers and takes in about deliveries: files, rows and events from outside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import arrivals
from mesh_assets.words.arrivals import Arrival, Landing


class Delivered(ABC):
    """The part of the registry that remembers what came, so that everything comes once."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def files_known(self, domain: str) -> dict[tuple[str, str], list[Arrival]]:
        """(source, file) -> the last arrival that was decided on, and one that settles."""
        with self.reading() as connection:
            return arrivals.newest(connection, domain)

    def arrivals(self, domain: str | None = None, *, limit: int = 100) -> list[Arrival]:
        """What came, newest first."""
        with self.reading() as connection:
            return arrivals.arrivals(connection, domain, limit)

    def set_aside(self, domain: str | None = None) -> list[Arrival]:
        """Files that builds go without, and why."""
        with self.reading() as connection:
            return arrivals.set_aside(connection, domain)

    def keep_arrivals(self, changes: Sequence[Arrival], gone: Collection[int] = ()) -> None:
        """Write what a look found, in one transaction."""
        with self.writing() as connection:
            arrivals.keep(connection, changes, gone)

    def hand_over(self, domain: str) -> int | None:
        """Make a batch of the accepted arrivals that are in none; its number."""
        with self.reading() as connection:  # nearly always there is none, and writers queue
            if not arrivals.is_waiting(connection, domain):
                return None
        with self.writing() as connection:
            return arrivals.hand_over(connection, domain)

    def arrived_after(self, domain: str, batch: int, also: Collection[int] = ()) -> dict[int, list[Arrival]]:
        """Batches after one, and some older ones."""
        with self.reading() as connection:
            return arrivals.batches(connection, domain, batch, also)

    def last_landing(self, domain: str, source: str) -> Landing | None:
        """The cursor of a source of rows or events."""
        with self.reading() as connection:
            return arrivals.last_landing(connection, domain, source)

    def land(self, landing: Landing) -> None:
        """Move the cursor of a source by one batch; fails if another process was quicker."""
        with self.writing() as connection:
            arrivals.land(connection, landing)

    def take_events(self, domain: str, source: str, spool: str, keys: Collection[str]) -> list[str]:
        """Keys of these that were not known; they are now."""
        with self.writing() as connection:
            return arrivals.take_events(connection, domain, source, spool, keys)

    def waiting_events(self, domain: str, source: str) -> tuple[int, datetime | None]:
        """How many events are in no file yet, and when the first came."""
        with self.reading() as connection:
            return arrivals.waiting_events(connection, domain, source)

    def bundle_events(
        self, domain: str, source: str, *, most: int, named: Callable[[int, int], Landing]
    ) -> Landing | None:
        """Give waiting events a file, which `named` describes by its number and count; None if none wait."""
        with self.writing() as connection:
            last = arrivals.last_landing(connection, domain, source)
            number = 1 + (last.number if last else 0)
            count = arrivals.bundle_events(connection, domain, source, number, most)
            if not count:
                return None
            landing = named(number, count)
            arrivals.land(connection, landing)
            return landing

    def events_of(self, domain: str, source: str, batch: int) -> dict[str, str]:
        """Key -> spool file of the events of one file."""
        with self.reading() as connection:
            return arrivals.events_of(connection, domain, source, batch)

    def spools_in_use(self, domain: str, source: str) -> set[str]:
        """Spool files of which an event is in no file yet."""
        with self.reading() as connection:
            return arrivals.spools_in_use(connection, domain, source)
