"""What the registry answers about health: pauses, holds, announcements, and all products at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import builds, controls, versions
from mesh_assets.capabilities.registry.controls import BROKEN, HOLD, PAUSE, Wanted
from mesh_assets.words.controls import Announcement, Controls, Pause
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import PROD, BuildRecord, Version


class Controlled(ABC):
    """The part of the registry that `mesh status` and the controls work with."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def pause(self, scope: str, reason: str, who: str, until: datetime | None = None) -> Pause:
        """Let nothing of a domain or product be made until somebody resumes it, or until then."""
        with self.writing() as connection:
            return controls.impose(connection, Wanted(PAUSE, scope, reason, who, until))

    def resume(self, scope: str, who: str) -> Pause:
        """End the pause of a scope and return it; raises NothingPaused."""
        with self.writing() as connection:
            return controls.lift(connection, PAUSE, scope, who)

    def paused(self, now: datetime | None = None) -> Mapping[str, Pause]:
        """What is paused: the name of a domain or product, and by whom and why."""
        with self.reading() as connection:
            return controls.standing(connection, PAUSE, now)

    def pauses(self, scope: str | None = None, *, limit: int = 50) -> list[Pause]:
        """Pauses, newest first, those that ended too."""
        with self.reading() as connection:
            return controls.history(connection, PAUSE, scope, limit)

    def hold_users(self, product: ProductName, reason: str, who: str, until: datetime | None = None) -> Pause:
        """Let nothing that reads the product be made: its users keep the version that they have."""
        with self.writing() as connection:
            return controls.impose(connection, Wanted(HOLD, str(product), reason, who, until))

    def let_users_go(self, product: ProductName, who: str) -> Pause:
        """End the hold and return it; raises NothingPaused."""
        with self.writing() as connection:
            return controls.lift(connection, HOLD, str(product), who)

    def user_holds(self, scope: str | None = None, *, limit: int = 50) -> list[Pause]:
        """Holds of what uses a product, newest first, those that ended too."""
        with self.reading() as connection:
            return controls.history(connection, HOLD, scope, limit)

    def controls(self, now: datetime | None = None) -> Controls:
        """Everything that stands now, for asking `why_not` of many products."""
        with self.reading() as connection:
            return controls.controls(connection, now)

    def broken(self) -> Mapping[str, Pause]:
        """Domains whose code location was found broken and not yet mended: why, and since when."""
        with self.reading() as connection:
            return controls.standing(connection, BROKEN)

    def notice_broken(
        self, problems: Mapping[str, str], *, mended: Collection[str], who: str
    ) -> Mapping[str, Pause]:
        """Remember domains that are broken from now on, and those that are mended; all that are broken."""
        with self.writing() as connection:
            return controls.notice(connection, problems, mended, who)

    def head_versions(self, environment: str = PROD) -> dict[ProductName, Version]:
        """The version of every product that the environment shows now, with its certificate."""
        with self.reading() as connection:
            return versions.head_versions(connection, environment)

    def last_good_builds(self, products: Collection[ProductName]) -> dict[ProductName, BuildRecord]:
        """The last build of each that published or found nothing new; nothing of one without."""
        with self.reading() as connection:
            return builds.last_good_of(connection, products) if products else {}

    def builds_since(self, moment: datetime) -> list[BuildRecord]:
        """Every build and recheck that began then or later, in order."""
        with self.reading() as connection:
            return builds.since(connection, moment)

    def began(self) -> datetime | None:
        """When the mesh first built something; None: it never did."""
        with self.reading() as connection:
            return builds.began(connection)

    def announce(self, announcement: Announcement) -> Announcement:
        """Put an announcement on record; it comes back with its number."""
        with self.writing() as connection:
            return controls.announce(connection, announcement)

    def withdraw(self, number: int, who: str) -> None:
        """Let an announcement stand no longer; raises UnknownAnnouncement."""
        with self.writing() as connection:
            controls.withdraw(connection, number, who)

    def announcements(self, product: ProductName | None = None) -> list[Announcement]:
        """What is announced and stands, the nearest day first."""
        with self.reading() as connection:
            return controls.announcements(connection, product)
