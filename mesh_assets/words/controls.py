"""Pauses, holds and announcements: what people decide about when products are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from mesh_assets.words.errors import YourCode, YourData
from mesh_assets.words.names import ProductName


class Paused(YourData):
    """Nothing is wrong with the product: somebody decided that it is not made now."""

    template = "{product} was not built: {why}"


class NothingPaused(YourData):
    template = "{scope} is not {what}. See `mesh pauses`"


class UnknownAnnouncement(YourData):
    template = "No announcement {number} stands. See `mesh pauses`"


class UnknownScope(YourCode):
    template = "There is no domain and no product {scope!r} in this mesh.{hint} See `mesh products`"


class AnnouncementKind(StrEnum):
    BREAKING = "breaking"
    DEPRECATED = "deprecated"


@dataclass(frozen=True)
class Pause:
    """Somebody's word that something is not to be made for now. `scope` is a domain or a product."""

    scope: str
    reason: str
    who: str
    since: datetime
    #: It ends by itself then; None: when somebody ends it.
    until: datetime | None = None
    #: How it ended before that; None while it stands.
    ended: datetime | None = None
    ended_by: str | None = None

    def told(self) -> str:
        """By whom, since when, until when and why, for the end of a sentence."""
        until = f" until {self.until:%Y-%m-%d %H:%M}" if self.until else ""
        return f"by {self.who} since {self.since:%Y-%m-%d %H:%M}{until} ({self.reason})"


@dataclass(frozen=True)
class Announcement:
    """A change of a product that its consumers are told of before it comes."""

    number: int
    product: ProductName
    kind: AnnouncementKind
    #: The day from which it holds.
    on: date
    text: str
    who: str
    announced: datetime

    def told(self) -> str:
        """The announcement in one sentence."""
        what = "changes in a breaking way" if self.kind is AnnouncementKind.BREAKING else "is deprecated"
        return f"{self.product} {what} on {self.on.isoformat()}: {self.text} (announced by {self.who})"


@dataclass(frozen=True)
class Controls:
    """All that stands at one moment, so that asking for a thousand products asks the registry once."""

    #: Scope (a domain or a product) -> why nothing of it is made.
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    #: Product -> why what uses it is not made: its users keep the version that they have.
    holds: Mapping[str, Pause] = field(default_factory=dict)

    def why_not(self, product: ProductName, needs: Collection[ProductName] = ()) -> str | None:
        """Why this product may not be made now, in one sentence, or None. `needs` is what it reads."""
        name, domain = str(product), product.domain
        if (pause := self.pauses.get(name)) is not None:
            return f"{name} is paused {pause.told()}. To go on: `mesh resume {name}`"
        if (pause := self.pauses.get(domain)) is not None:
            return (
                f"{name} is paused with its domain {domain} {pause.told()}. To go on: `mesh resume {domain}`"
            )
        for need in sorted(map(str, needs)):
            if (hold := self.holds.get(need)) is not None and need != name:
                return (
                    f"{name} keeps its version: what uses {need} is held {hold.told()}. "
                    f"To let it go: `mesh let-go {need}`"
                )
        return None
