"""Followers and requests for access on record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from mesh_assets.capabilities.registry.following_tables import ACCESS, FOLLOW
from mesh_assets.words.following import Access, Asked, By, Follow, Heard, UnknownAccess, UnknownFollow


def add(connection: Connection, wanted: Follow) -> Follow:
    """One row per person, scope and address: following again changes what is heard."""
    mine = (FOLLOW.c.scope == wanted.scope) & (FOLLOW.c.who == wanted.who)
    connection.execute(delete(FOLLOW).where(mine & (FOLLOW.c.address == wanted.address)))
    facts = {name: value for name, value in vars(wanted).items() if name != "id"}
    facts |= {"by": str(wanted.by), "events": sorted(map(str, wanted.events))}
    number: int = connection.execute(insert(FOLLOW).values(**facts).returning(FOLLOW.c.id)).scalar_one()
    return Follow(**{**vars(wanted), "id": number})


def remove(connection: Connection, number: int, who: str) -> None:
    """Raises UnknownFollow, also for somebody else's; `who` is "" for one who may end anybody's."""
    mine = FOLLOW.c.id == number
    if who:
        mine &= FOLLOW.c.who == who
    if connection.execute(delete(FOLLOW).where(mine)).rowcount == 0:
        raise UnknownFollow(who=who or "Nobody", number=number)


def followers(connection: Connection, who: str = "") -> list[Follow]:
    """All of them, or what one person follows."""
    query = select(FOLLOW).order_by(FOLLOW.c.id)
    rows = connection.execute(query.where(FOLLOW.c.who == who) if who else query)
    return [_follow(row) for row in rows]


def _follow(row: Row[Any]) -> Follow:
    facts = dict(row._mapping)
    return Follow(**{**facts, "by": By(row.by), "events": frozenset(map(Heard, row.events))})


def ask(connection: Connection, wanted: Access) -> Access:
    """Asking again for the same while nothing is decided is the same request."""
    same = (ACCESS.c.scope == wanted.scope) & (ACCESS.c.who == wanted.who)
    open_one = same & (ACCESS.c.state == str(Asked.OPEN))
    connection.execute(delete(ACCESS).where(open_one))
    facts = {name: value for name, value in vars(wanted).items() if name != "id"}
    facts |= {"until": wanted.until.isoformat(), "state": str(wanted.state)}
    number: int = connection.execute(insert(ACCESS).values(**facts).returning(ACCESS.c.id)).scalar_one()
    return Access(**{**vars(wanted), "id": number})


def decide(connection: Connection, number: int, state: Asked, who: str, why: str = "") -> Access:
    """Raises UnknownAccess for a request that is not there or is decided."""
    mine = (ACCESS.c.id == number) & (ACCESS.c.state == str(Asked.OPEN))
    values = {"state": str(state), "decided": datetime.now(UTC), "decided_by": who, "why": why}
    if connection.execute(update(ACCESS).where(mine).values(**values)).rowcount == 0:
        raise UnknownAccess(number=number)
    return request(connection, number)


def request(connection: Connection, number: int) -> Access:
    row = connection.execute(select(ACCESS).where(ACCESS.c.id == number)).one_or_none()
    if row is None:
        raise UnknownAccess(number=number)
    return _access(row)


def requests(connection: Connection, scope: str = "") -> list[Access]:
    """Newest first; of a domain with all of its products."""
    rows = connection.execute(select(ACCESS).order_by(ACCESS.c.id.desc()))
    found = [_access(row) for row in rows]
    return [each for each in found if not scope or each.scope == scope or each.scope.startswith(f"{scope}.")]


def _access(row: Row[Any]) -> Access:
    facts = {**row._mapping, "until": date.fromisoformat(row.until), "state": Asked(row.state)}
    return Access(**facts)


class Followed(ABC):
    """The part of the registry that knows who listens and who asked."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def follow(self, wanted: Follow) -> Follow:
        """Put somebody on record who wants to hear of a product."""
        with self.writing() as connection:
            return add(connection, wanted)

    def unfollow(self, number: int, who: str) -> None:
        """End it; raises UnknownFollow."""
        with self.writing() as connection:
            remove(connection, number, who)

    def followers(self, who: str = "") -> list[Follow]:
        """Everybody who listens, or what one person follows."""
        with self.reading() as connection:
            return followers(connection, who)

    def ask_access(self, wanted: Access) -> Access:
        """Put a request for access on record."""
        with self.writing() as connection:
            return ask(connection, wanted)

    def decide_access(self, number: int, state: Asked, who: str, why: str = "") -> Access:
        """Grant or refuse a request; raises UnknownAccess."""
        with self.writing() as connection:
            return decide(connection, number, state, who, why)

    def access_request(self, number: int) -> Access:
        """One request; raises UnknownAccess."""
        with self.reading() as connection:
            return request(connection, number)

    def access_requests(self, scope: str = "") -> list[Access]:
        """Requests for a domain or product, newest first; all without one."""
        with self.reading() as connection:
            return requests(connection, scope)
