"""Pins: who may keep reading what, so that expiry leaves it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, or_, select

from mesh_assets.capabilities.registry import versions
from mesh_assets.capabilities.registry.tables import PIN
from mesh_assets.words.names import ProductName, product_name


@dataclass(frozen=True)
class Pin:
    """One version that somebody keeps."""

    holder: str
    product: ProductName
    number: int
    pinned: datetime
    #: None: until the holder lets go.
    expires: datetime | None


def pin(
    connection: Connection, holder: str, wanted: Mapping[ProductName, int], expires: datetime | None
) -> None:
    for product, number in wanted.items():
        versions.version(connection, product, number).readable()
    unpin(connection, holder)
    now = datetime.now(UTC)
    for product, number in wanted.items():
        connection.execute(
            insert(PIN).values(
                holder=holder, product=str(product), number=number, pinned=now, expires=expires
            )
        )


def keep(
    connection: Connection, holder: str, product: ProductName, number: int, expires: datetime | None
) -> None:
    """One pin more; a holder that has it already gets another expiry."""
    versions.version(connection, product, number).readable()
    let_go(connection, holder, product, number)
    connection.execute(
        insert(PIN).values(
            holder=holder,
            product=str(product),
            number=number,
            pinned=datetime.now(UTC),
            expires=expires,
        )
    )


def let_go(
    connection: Connection, holder: str, product: ProductName | None = None, number: int | None = None
) -> int:
    """How many pins of the holder went: all, those on a product, or the one on a version."""
    query = delete(PIN).where(PIN.c.holder == holder)
    if product is not None:
        query = query.where(PIN.c.product == str(product))
    if number is not None:
        query = query.where(PIN.c.number == number)
    return connection.execute(query).rowcount


def unpin(connection: Connection, holder: str) -> None:
    connection.execute(delete(PIN).where(PIN.c.holder == holder))


def pins(connection: Connection, now: datetime | None) -> list[Pin]:
    moment = now or datetime.now(UTC)
    query = (
        select(PIN)
        .where(or_(PIN.c.expires.is_(None), PIN.c.expires > moment))
        .order_by(PIN.c.holder, PIN.c.product, PIN.c.number)
    )
    return [
        Pin(row.holder, product_name(row.product), row.number, row.pinned, row.expires)
        for row in connection.execute(query)
    ]
