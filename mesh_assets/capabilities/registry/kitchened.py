"""What the registry answers about kitchens that were opened from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import kitchen_rows
from mesh_assets.capabilities.registry.kitchen_rows import Instant
from mesh_assets.words.kitchens import Kitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import PROD, BuildRecord


class Kitchened(ABC):
    """The part of the registry that knows of kitchens."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def open_kitchen(
        self, kitchen: Kitchen, instant: Callable[[Connection], Instant]
    ) -> tuple[Kitchen, Instant]:
        """Put a kitchen on record and pin what it reads, in one transaction; raises KitchenTaken and
        VersionExpired.
        """
        with self.writing() as connection:
            found = instant(connection)
            kitchen = replace(kitchen, base_release=found.release)
            kitchen_rows.add(connection, kitchen)
            kitchen_rows.pin_all(connection, kitchen.holder, found.numbers, kitchen.expires)
        return kitchen, found

    def pin_instant(self, holder: str, expires: datetime, environment: str = PROD) -> Instant:
        """Pin all heads of now, for a kitchen that was opened from a kitchen."""
        with self.writing() as connection:
            found = kitchen_rows.now(connection, environment)
            kitchen_rows.pin_all(connection, holder, found.numbers, expires)
        return found

    def instant(self, environment: str = PROD) -> Instant:
        """Every head and the last release, of one moment."""
        with self.reading() as connection:
            return kitchen_rows.now(connection, environment)

    def stored_heads(self) -> dict[ProductName, tuple[int, str]]:
        """Product -> the version that readers see, and the environment whose lake has its rows."""
        with self.reading() as connection:
            return kitchen_rows.stored_of(connection)

    def kitchen(self, name: str) -> Kitchen:
        """One kitchen; raises UnknownKitchen."""
        with self.reading() as connection:
            return kitchen_rows.kitchen(connection, name)

    def kitchens(self) -> list[Kitchen]:
        """All of them, half-opened and half-dropped ones too, by name."""
        with self.reading() as connection:
            return kitchen_rows.kitchens(connection)

    def keep_kitchen(self, kitchen: Kitchen) -> None:
        """Write what is known of a kitchen by now."""
        with self.writing() as connection:
            kitchen_rows.keep(connection, kitchen)

    def extend_kitchen(self, kitchen: Kitchen, expires: datetime) -> Kitchen:
        """Let a kitchen keep what it reads until then; raises VersionExpired if it is too late."""
        longer = replace(kitchen, expires=expires)
        with self.writing() as connection:
            kitchen_rows.extend_pins(connection, kitchen.holder, expires)
            kitchen_rows.keep(connection, longer)
        return longer

    def extend_pins(self, holder: str, expires: datetime) -> None:
        """The same for pins alone."""
        with self.writing() as connection:
            kitchen_rows.extend_pins(connection, holder, expires)

    def remove_kitchen(self, name: str) -> None:
        """Forget a kitchen, and let go of all that it pinned."""
        with self.writing() as connection:
            kitchen_rows.remove(connection, name)

    # asked of a kitchen's own registry

    def instant_opened(self) -> dict[ProductName, int]:
        """What a kitchen was opened with: its first release."""
        with self.reading() as connection:
            return kitchen_rows.items_of(connection, 1)

    def inputs_of(self, numbers: Mapping[ProductName, int]) -> set[ProductName]:
        """What these versions were made from."""
        with self.reading() as connection:
            return kitchen_rows.inputs_of(connection, numbers)

    def builds_here(self) -> list[BuildRecord]:
        """How the last build of each product ended that was built in the kitchen."""
        with self.reading() as connection:
            return kitchen_rows.builds_since_opened(connection)

    # asked of the mesh's registry

    def pin_holders(self, prefix: str) -> set[str]:
        """Who holds pins, those that ran out too."""
        with self.reading() as connection:
            return kitchen_rows.holders(connection, prefix)
