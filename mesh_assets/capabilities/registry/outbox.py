"""Messages to others: stored with what they tell of, sent afterwards, tried again until they arrive.

Here: the rows, and who may try which of them now. Not here: sending (observability).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from mesh_assets.capabilities.registry.tables import OUTBOX

#: A sender that died lets go of its messages after this time.
LEASE = timedelta(minutes=2)
#: How long messages that arrived stay on record.
SENT_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Message:
    """One message to one receiver. `key` is what the receiver may know it again by."""

    channel: str
    receiver: str
    key: str
    body: Mapping[str, Any]
    created: datetime
    due: datetime
    attempts: int = 0
    problem: str = ""
    sent: datetime | None = None
    dead: datetime | None = None
    id: int = 0

    @property
    def state(self) -> str:
        return "sent" if self.sent else "dead" if self.dead else "waiting"


def put(connection: Connection, messages: Sequence[Message]) -> int:
    """Store messages; one whose key is there already is not stored twice. How many are new."""
    new = 0
    for each in messages:
        there = (
            (OUTBOX.c.channel == each.channel)
            & (OUTBOX.c.receiver == each.receiver)
            & (OUTBOX.c.key == each.key)
        )
        if connection.execute(select(OUTBOX.c.id).where(there)).first() is None:
            facts = {name: value for name, value in vars(each).items() if name != "id"}
            connection.execute(insert(OUTBOX).values(**{**facts, "body": dict(each.body)}))
            new += 1
    return new


def claim(connection: Connection, channel: str, now: datetime, limit: int) -> list[Message]:
    """Messages that are due, the oldest first, for this sender alone until the lease is over."""
    due = _waiting(channel) & (OUTBOX.c.due <= now)
    rows = connection.execute(select(OUTBOX).where(due).order_by(OUTBOX.c.id).limit(limit)).all()
    ids = [row.id for row in rows]
    if ids:
        connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(due=now + LEASE))
    return [_message(row) for row in rows]


def _waiting(channel: str) -> Any:
    return (OUTBOX.c.channel == channel) & OUTBOX.c.sent.is_(None) & OUTBOX.c.dead.is_(None)


def arrived(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    mine = OUTBOX.c.id.in_(list(ids))
    changed = {"sent": now, "problem": "", "attempts": OUTBOX.c.attempts + 1}
    connection.execute(update(OUTBOX).where(mine).values(changed))
    connection.execute(delete(OUTBOX).where(OUTBOX.c.sent < now - SENT_KEPT))


def failed(
    connection: Connection, message: Message, problem: str, due: datetime | None, now: datetime
) -> None:
    """Try again at `due`; None: never again by itself."""
    changed: dict[str, Any] = {"problem": problem, "attempts": message.attempts + 1}
    changed |= {"dead": now} if due is None else {"due": due}
    connection.execute(update(OUTBOX).where(OUTBOX.c.id == message.id).values(changed))


def postpone(connection: Connection, ids: Sequence[int], due: datetime, why: str) -> None:
    """Not tried, and not before then."""
    mine = OUTBOX.c.id.in_(list(ids))
    connection.execute(update(OUTBOX).where(mine).values(due=due, problem=why))


def put_off(connection: Connection, channel: str, receiver: str, due: datetime) -> None:
    """The receiver is down: nothing of it is tried before then."""
    mine = _waiting(channel) & (OUTBOX.c.receiver == receiver) & (OUTBOX.c.due < due)
    connection.execute(update(OUTBOX).where(mine).values(due=due))


def revive(connection: Connection, channel: str, now: datetime) -> int:
    """Try everything that is given up, or waits, now. How many."""
    mine = (OUTBOX.c.channel == channel) & OUTBOX.c.sent.is_(None)
    return connection.execute(update(OUTBOX).where(mine).values(due=now, dead=None, attempts=0)).rowcount


def messages(connection: Connection, channel: str | None = None, limit: int = 100) -> list[Message]:
    """The newest first, those that arrived in the last days too."""
    query = select(OUTBOX).order_by(OUTBOX.c.id.desc()).limit(limit)
    if channel is not None:
        query = query.where(OUTBOX.c.channel == channel)
    return [_message(row) for row in connection.execute(query)]


def _message(row: Row[Any]) -> Message:
    return Message(**row._mapping)
