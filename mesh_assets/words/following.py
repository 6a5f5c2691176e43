"""Who wants to hear of a product, and who asked to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from mesh_assets.words.errors import YourCode, YourData

_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
LONGEST = 500


class Heard(StrEnum):
    """What a follower is told of."""

    RELEASED = "released"
    FAILED = "failed"
    BREAKING = "breaking"
    DEPRECATED = "deprecated"


class By(StrEnum):
    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True)
class Follow:
    """Somebody hears of a product, or of all products of a domain, from a moment on."""

    scope: str
    who: str
    by: By
    address: str
    since: datetime
    events: frozenset[Heard] = frozenset(Heard)
    id: int = 0

    def about(self, product: str) -> bool:
        return product == self.scope or product.startswith(f"{self.scope}.")


class Asked(StrEnum):
    """How a request for access stands."""

    OPEN = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Access:
    """Somebody wants to read a domain or a product until a day, and what became of it."""

    scope: str
    who: str
    purpose: str
    until: date
    asked: datetime
    state: Asked = Asked.OPEN
    decided: datetime | None = None
    decided_by: str = ""
    why: str = ""
    id: int = 0

    @property
    def domain(self) -> str:
        return self.scope.partition(".")[0]


class FollowMalformed(YourCode):
    template = "{what} {value!r}: {problem}"


class UnknownFollow(YourData):
    template = "{who} follows nothing under number {number}. See `mesh follow --list`"


class UnknownAccess(YourData):
    template = "There is no open request {number} for access. See `mesh access list`"


def checked_address(by: By, text: str, hosts: tuple[str, ...] = ()) -> str:
    """The address, if messages may go there; `hosts`, if there are any, are the only ones for webhooks."""
    if by is By.MAIL:
        if not _ADDRESS.match(text) or len(text) > LONGEST:
            raise FollowMalformed(what="The mail address", value=text[:80], problem="write name@host.example")
        return text
    try:
        parts = urlsplit(text)
        host, plain = (parts.hostname or "").lower(), parts.scheme in ("http", "https")
    except ValueError:
        host, plain, parts = "", False, urlsplit("")
    if not plain or not host or len(text) > LONGEST or not text.isprintable():
        told = "write http://host/path or https://host/path"
        raise FollowMalformed(what="The address", value=text[:80], problem=told)
    if parts.username or parts.password or parts.query or parts.fragment:
        told = "a name, a password or a query in it would be kept in the registry: leave it out"
        raise FollowMalformed(what="The address", value=f"{parts.scheme}://{host}/…", problem=told)
    if hosts and host not in hosts and not host.endswith(tuple(f".{each}" for each in hosts)):
        told = f"messages go to {', '.join(hosts)} only (MESH_FOLLOW_HOSTS)"
        raise FollowMalformed(what="The address", value=text[:80], problem=told)
    return text
