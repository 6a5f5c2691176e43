"""Pauses, holds of what uses a product, and announcements. Rows are ended and never deleted: the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from mesh_assets.capabilities.registry.control_tables import ANNOUNCEMENT, CONTROL
from mesh_assets.words.controls import (
    Announcement,
    AnnouncementKind,
    Controls,
    NothingPaused,
    Pause,
    UnknownAnnouncement,
)
from mesh_assets.words.names import ProductName, product_name

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.open import Registry

PAUSE = "pause"
HOLD = "hold"
#: A code location that does not load: nobody decided that, and its history is kept the same way.
BROKEN = "broken"


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to stop: everything of a scope (pause), or all that uses a product (hold)."""

    kind: str
    scope: str
    reason: str
    who: str
    until: datetime | None = None


def why_not(
    registry: Registry, product: ProductName, needs: Collection[ProductName] | None = None
) -> str | None:
    """One sentence why this product may not be built now, or None.

    Without `needs`, what the product reads is what its current version was made of. For many products, ask
    `registry.controls()` once.
    """
    found = registry.controls()
    if not found.pauses and not found.holds:
        return None
    if needs is None and found.holds:
        head = registry.head(product)
        needs = [each.product for each in head.certificate.inputs] if head else []
    return found.why_not(product, needs or ())


def impose(connection: Connection, wanted: Wanted) -> Pause:
    """Begin a pause or a hold; one that stands already is ended by the new one."""
    now = datetime.now(UTC)
    _end(connection, wanted.kind, wanted.scope, wanted.who, now)
    connection.execute(insert(CONTROL).values(**vars(wanted), since=now))
    return Pause(wanted.scope, wanted.reason, wanted.who, now, wanted.until)


def lift(connection: Connection, kind: str, scope: str, who: str) -> Pause:
    """End a pause or a hold; raises NothingPaused if there is none."""
    now = datetime.now(UTC)
    found = standing(connection, kind, now).get(scope)
    if found is None:
        raise NothingPaused(scope=scope, what="paused" if kind == PAUSE else "held")
    _end(connection, kind, scope, who, now)
    return found


def _end(connection: Connection, kind: str, scope: str, who: str, now: datetime) -> None:
    mine = (CONTROL.c.kind == kind) & (CONTROL.c.scope == scope) & CONTROL.c.ended.is_(None)
    over = or_(CONTROL.c.until.is_(None), CONTROL.c.until > now)  # one that ended by itself keeps its end
    connection.execute(update(CONTROL).where(mine & over).values(ended=now, ended_by=who))


def standing(connection: Connection, kind: str, now: datetime | None = None) -> dict[str, Pause]:
    """What stands at a moment (now), by scope."""
    moment = now or datetime.now(UTC)
    query = (
        select(CONTROL)
        .where(
            CONTROL.c.kind == kind,
            CONTROL.c.since <= moment,
            or_(CONTROL.c.ended.is_(None), CONTROL.c.ended > moment),
            or_(CONTROL.c.until.is_(None), CONTROL.c.until > moment),
        )
        .order_by(CONTROL.c.id)
    )
    return {row.scope: _pause(row) for row in connection.execute(query)}


def notice(
    connection: Connection, problems: Mapping[str, str], mended: Collection[str], who: str
) -> dict[str, Pause]:
    """Begin a row for each domain that is newly broken, end those that are mended; what stands then."""
    known = standing(connection, BROKEN)
    for domain, problem in problems.items():
        if domain not in known:
            impose(connection, Wanted(BROKEN, domain, problem, who))
    for domain in mended:
        _end(connection, BROKEN, domain, who, datetime.now(UTC))
    return standing(connection, BROKEN)


def controls(connection: Connection, now: datetime | None = None) -> Controls:
    return Controls(pauses=standing(connection, PAUSE, now), holds=standing(connection, HOLD, now))


def history(connection: Connection, kind: str, scope: str | None, limit: int) -> list[Pause]:
    """Pauses or holds of a scope (or of all), newest first, those that ended too."""
    query = select(CONTROL).where(CONTROL.c.kind == kind).order_by(CONTROL.c.id.desc()).limit(limit)
    if scope is not None:
        query = query.where(CONTROL.c.scope == scope)
    return [_pause(row) for row in connection.execute(query)]


def _pause(row: Row[Any]) -> Pause:
    return Pause(
        scope=row.scope,
        reason=row.reason,
        who=row.who,
        since=row.since,
        until=row.until,
        ended=row.ended,
        ended_by=row.ended_by,
    )


def announce(connection: Connection, announcement: Announcement) -> Announcement:
    """Put an announcement on record; it gets its number and its moment here."""
    values = {
        "product": str(announcement.product),
        "kind": announcement.kind.value,
        "effective": announcement.on.isoformat(),
        "text": announcement.text,
        "who": announcement.who,
        "announced": announcement.announced,
    }
    number: int = connection.execute(
        insert(ANNOUNCEMENT).values(values).returning(ANNOUNCEMENT.c.id)
    ).scalar_one()
    return Announcement(**{**vars(announcement), "number": number})


def withdraw(connection: Connection, number: int, who: str) -> None:
    """Take an announcement back, or tick it off once the change has come; raises UnknownAnnouncement."""
    mine = (ANNOUNCEMENT.c.id == number) & ANNOUNCEMENT.c.withdrawn.is_(None)
    changed = update(ANNOUNCEMENT).where(mine).values(withdrawn=datetime.now(UTC), withdrawn_by=who)
    if connection.execute(changed).rowcount == 0:
        raise UnknownAnnouncement(number=number)


def announcements(connection: Connection, product: ProductName | None = None) -> list[Announcement]:
    """What is announced and not withdrawn, the nearest day first."""
    query = select(ANNOUNCEMENT).where(ANNOUNCEMENT.c.withdrawn.is_(None))
    if product is not None:
        query = query.where(ANNOUNCEMENT.c.product == str(product))
    rows = connection.execute(query.order_by(ANNOUNCEMENT.c.effective, ANNOUNCEMENT.c.id))
    return [_announcement(row) for row in rows]


def announcements_after(connection: Connection, number: int) -> list[Announcement]:
    """What was announced after that number, in order, withdrawn or not."""
    query = select(ANNOUNCEMENT).where(ANNOUNCEMENT.c.id > number).order_by(ANNOUNCEMENT.c.id)
    return [_announcement(row) for row in connection.execute(query)]


def last_announcement(connection: Connection) -> int:
    """The number of the newest announcement, 0 if there was none."""
    return int(connection.scalar(select(func.max(ANNOUNCEMENT.c.id))) or 0)


def _announcement(row: Row[Any]) -> Announcement:
    return Announcement(
        number=row.id,
        product=product_name(row.product),
        kind=AnnouncementKind(row.kind),
        on=date.fromisoformat(row.effective),
        text=row.text,
        who=row.who,
        announced=row.announced,
    )
