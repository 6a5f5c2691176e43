"""Alerts that stand: what a rule found, since when, and what of it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from mesh_assets.capabilities.registry.tables import ALERT


@dataclass(frozen=True)
class Standing:
    """A rule holds for a subject."""

    rule: str
    subject: str
    #: Sorted words, with commas.
    states: str
    text: str
    since: datetime
    #: When it was last told; None if it never was.
    told: datetime | None = None
    told_states: str = ""


def standing(connection: Connection) -> list[Standing]:
    query = select(ALERT).order_by(ALERT.c.rule, ALERT.c.subject)
    return [Standing(**row._mapping) for row in connection.execute(query)]


def keep(connection: Connection, before: Sequence[Standing], after: Sequence[Standing]) -> None:
    """Write what changed."""
    for each in set(before) - set(after):
        mine = (ALERT.c.rule == each.rule) & (ALERT.c.subject == each.subject)
        connection.execute(delete(ALERT).where(mine))
    new = [vars(each) for each in after if each not in set(before)]
    if new:
        connection.execute(insert(ALERT), new)
