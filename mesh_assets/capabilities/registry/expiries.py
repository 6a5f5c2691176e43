"""Versions whose rows are gone: marked here first, so that nobody can pin what is about to go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from mesh_assets.capabilities.registry import pins, versions
from mesh_assets.capabilities.registry.tables import EXPIRY, HEAD, TAG
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import Version


def held(connection: Connection) -> dict[ProductName, set[int]]:
    """Heads of every environment, pins in force, tags."""
    found: dict[ProductName, set[int]] = {}
    for table in (HEAD, TAG):
        for row in connection.execute(select(table.c.product, table.c.number)):
            found.setdefault(product_name(row.product), set()).add(row.number)
    for pin in pins.pins(connection, None):
        found.setdefault(pin.product, set()).add(pin.number)
    return found


def expire(connection: Connection, wanted: Mapping[ProductName, Collection[int]], who: str) -> list[Version]:
    """In one transaction with the look at who holds what: a pin comes before, or is refused."""
    kept, now, gone = held(connection), datetime.now(UTC), []
    for product, numbers in wanted.items():
        for number in sorted(set(numbers) - kept.get(product, set())):
            version = versions.version(connection, product, number)
            if version.expired is None:
                mark(connection, version, now, who)
                gone.append(version)
    return gone


def mark(connection: Connection, version: Version, expired: datetime, who: str) -> None:
    connection.execute(
        insert(EXPIRY).values(product=str(version.product), number=version.number, expired=expired, who=who)
    )
