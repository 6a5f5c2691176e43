"""What the registry keeps and answers about products that are made by themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import automation
from mesh_assets.words.automation import Picture, Watched
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import PROD


class Automatic(ABC):
    """The part of the registry that automation decides by."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def pulse(self, environment: str = PROD) -> str:
        """A text that differs if anything was released, built, paused, resumed or ordered since."""
        with self.reading() as connection:
            return automation.pulse(connection, environment)

    def picture(self, environment: str = PROD) -> Picture:
        """All that a tick of automation decides by."""
        with self.reading() as connection:
            return automation.picture(connection, environment)

    def glimpse(self, domain: str, environment: str = PROD) -> Picture:
        """The part of it that tells whether anything of a domain is wanted."""
        with self.reading() as connection:
            return automation.glimpse(connection, environment, domain)

    def declare_automation(self, domain: str, found: Iterable[Watched]) -> bool:
        """Bring the rules of a domain's products up to date; True if anything changed."""
        with self.writing() as connection:
            return automation.declare(connection, domain, found)

    def keep_watched(self, changes: Sequence[Watched]) -> None:
        """Write what was asked for, and how it ended."""
        with self.writing() as connection:
            automation.keep(connection, changes)

    def watched(self, products: Collection[ProductName] | None = None) -> list[Watched]:
        """What automation knows of products, of all by default."""
        with self.reading() as connection:
            return automation.rules(connection, products)
