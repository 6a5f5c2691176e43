"""Kitchens in the registry of the mesh that they were opened from: their rows, and the pins that keep what
they read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from mesh_assets.capabilities.registry import builds
from mesh_assets.capabilities.registry.kitchen_tables import KITCHEN
from mesh_assets.capabilities.registry.tables import (
    BUILD,
    EXPIRY,
    HEAD,
    PIN,
    RELEASE,
    RELEASE_ITEM,
    TAG,
    VERSION,
)
from mesh_assets.words.errors import VersionExpired
from mesh_assets.words.kitchens import Kitchen, KitchenState, KitchenTaken, UnknownKitchen, holder_of
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import BuildRecord


@dataclass(frozen=True)
class Instant:
    """The whole of a mesh at one moment: the version of every product, and the last release."""

    numbers: Mapping[ProductName, int]
    release: int


def now(connection: Connection, environment: str) -> Instant:
    """What readers see, in the caller's transaction."""
    query = select(HEAD.c.product, HEAD.c.number).where(HEAD.c.environment == environment)
    numbers = {product_name(row.product): row.number for row in connection.execute(query)}
    newest = select(func.max(RELEASE.c.id)).where(RELEASE.c.environment == environment)
    return Instant(numbers, connection.scalar(newest) or 0)


def at_release(connection: Connection, release: int, environment: str) -> Instant:
    """What readers saw after a release."""
    numbered = (
        select(RELEASE_ITEM.c.product, func.max(RELEASE.c.id).label("release"))
        .join(RELEASE, RELEASE.c.id == RELEASE_ITEM.c.release_id)
        .where(RELEASE.c.environment == environment, RELEASE.c.id <= release)
        .group_by(RELEASE_ITEM.c.product)
        .subquery()
    )
    same = (RELEASE_ITEM.c.release_id == numbered.c.release) & (RELEASE_ITEM.c.product == numbered.c.product)
    query = select(RELEASE_ITEM.c.product, RELEASE_ITEM.c.number).join(numbered, same)
    return Instant({product_name(row.product): row.number for row in connection.execute(query)}, release)


def tagged(connection: Connection, tag: str, environment: str) -> Instant | None:
    """The mesh as it was when the last of the versions of a tag had been released, None without any."""
    rows = connection.execute(select(TAG.c.product, TAG.c.number).where(TAG.c.name == tag)).all()
    if not rows:
        return None
    numbers = {product_name(row.product): row.number for row in rows}
    mine = (RELEASE_ITEM.c.product == TAG.c.product) & (RELEASE_ITEM.c.number == TAG.c.number)
    query = (
        select(func.max(RELEASE.c.id))
        .join(RELEASE_ITEM, RELEASE_ITEM.c.release_id == RELEASE.c.id)
        .join(TAG, mine)
        .where(RELEASE.c.environment == environment, TAG.c.name == tag)
    )
    then = at_release(connection, connection.scalar(query) or 0, environment)
    return Instant({**then.numbers, **numbers}, then.release)


def highest_release(connection: Connection, environment: str) -> int:
    newest = select(func.max(RELEASE.c.id)).where(RELEASE.c.environment == environment)
    return connection.scalar(newest) or 0


def pin_all(
    connection: Connection, holder: str, numbers: Mapping[ProductName, int], expires: datetime
) -> None:
    """Pins in one statement; raises VersionExpired if the rows of one are gone."""
    _refuse_expired(connection, numbers)
    connection.execute(delete(PIN).where(PIN.c.holder == holder))
    moment = datetime.now(UTC)
    rows = [
        {"holder": holder, "product": str(name), "number": number, "pinned": moment, "expires": expires}
        for name, number in numbers.items()
    ]
    if rows:
        connection.execute(insert(PIN), rows)


def _refuse_expired(connection: Connection, numbers: Mapping[ProductName, int]) -> None:
    for row in connection.execute(select(EXPIRY)):
        name = product_name(row.product)
        if numbers.get(name) == row.number:
            raise VersionExpired(product=name, number=row.number, expired=row.expired, who=row.who)


def extend_pins(connection: Connection, holder: str, expires: datetime) -> None:
    """Keep what is pinned until then; pins that ran out hold again if their rows are there."""
    query = select(PIN.c.product, PIN.c.number).where(PIN.c.holder == holder)
    numbers = {product_name(row.product): row.number for row in connection.execute(query)}
    _refuse_expired(connection, numbers)
    connection.execute(update(PIN).where(PIN.c.holder == holder).values(expires=expires))


def add(connection: Connection, kitchen: Kitchen) -> None:
    """A new row; raises KitchenTaken."""
    there = find(connection, kitchen.name)
    if there is not None:
        raise KitchenTaken(name=there.name, state=there.state, owner=there.owner)
    connection.execute(insert(KITCHEN).values(_columns(kitchen)))


def keep(connection: Connection, kitchen: Kitchen) -> None:
    """Write what is known of a kitchen by now."""
    mine = KITCHEN.c.name == kitchen.name
    connection.execute(update(KITCHEN).where(mine).values(_columns(kitchen)))


def remove(connection: Connection, name: str) -> None:
    """The row and the pins."""
    connection.execute(delete(PIN).where(PIN.c.holder == holder_of(name)))
    connection.execute(delete(KITCHEN).where(KITCHEN.c.name == name))


def find(connection: Connection, name: str) -> Kitchen | None:
    row = connection.execute(select(KITCHEN).where(KITCHEN.c.name == name)).one_or_none()
    return None if row is None else _kitchen(row)


def kitchen(connection: Connection, name: str) -> Kitchen:
    found = find(connection, name)
    if found is None:
        raise UnknownKitchen(name=name, known=tuple(each.name for each in kitchens(connection)))
    return found


def kitchens(connection: Connection) -> list[Kitchen]:
    return [_kitchen(row) for row in connection.execute(select(KITCHEN).order_by(KITCHEN.c.name))]


def stored_of(connection: Connection) -> dict[ProductName, tuple[int, str]]:
    """Product -> its version, and where the rows of it are, of all heads."""
    query = select(HEAD.c.product, HEAD.c.number, VERSION.c.stored).join(
        VERSION, (VERSION.c.product == HEAD.c.product) & (VERSION.c.number == HEAD.c.number)
    )
    return {product_name(row.product): (row.number, row.stored) for row in connection.execute(query)}


def _columns(kitchen: Kitchen) -> dict[str, Any]:
    return {
        **vars(kitchen),
        "home": str(kitchen.home),
        "code": str(kitchen.code),
        "domains": list(kitchen.domains),
        "state": kitchen.state.value,
    }


def _kitchen(row: Row[Any]) -> Kitchen:
    facts = dict(row._mapping)
    return Kitchen(
        **{
            **facts,
            "home": Path(row.home),
            "code": Path(row.code),
            "domains": tuple(row.domains),
            "state": KitchenState(row.state),
        }
    )


def commit_of(connection: Connection, instant: Instant) -> str | None:
    """The commit that the newest version of a moment was made with, None if it does not say."""
    query = (
        select(RELEASE_ITEM.c.product, RELEASE_ITEM.c.number)
        .where(RELEASE_ITEM.c.release_id <= instant.release)
        .order_by(RELEASE_ITEM.c.release_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    mine = (VERSION.c.product == row.product) & (VERSION.c.number == row.number)
    certificate = connection.scalar(select(VERSION.c.certificate).where(mine)) or {}
    found: str | None = certificate.get("git_commit")
    return found


def items_of(connection: Connection, release: int) -> dict[ProductName, int]:
    """What a release showed."""
    query = select(RELEASE_ITEM.c.product, RELEASE_ITEM.c.number).where(RELEASE_ITEM.c.release_id == release)
    return {product_name(row.product): row.number for row in connection.execute(query)}


def inputs_of(connection: Connection, numbers: Mapping[ProductName, int]) -> set[ProductName]:
    """What these versions were made from, by their certificates."""
    found: set[ProductName] = set()
    for name, number in numbers.items():
        mine = (VERSION.c.product == str(name)) & (VERSION.c.number == number)
        certificate = connection.scalar(select(VERSION.c.certificate).where(mine)) or {}
        found |= {product_name(each["product"]) for each in certificate.get("inputs", ())}
    return found


def builds_since_opened(connection: Connection) -> list[BuildRecord]:
    """The last build of each product since the kitchen's first release."""
    opened = connection.scalar(select(RELEASE.c.released).where(RELEASE.c.id == 1))
    latest = (
        select(func.max(BUILD.c.id))
        .where(~BUILD.c.recheck, BUILD.c.started >= opened)
        .group_by(BUILD.c.product)
    )
    query = select(BUILD).where(BUILD.c.id.in_(latest)).order_by(BUILD.c.product)
    return [builds.build_of(row) for row in connection.execute(query)]


def holders(connection: Connection, prefix: str) -> set[str]:
    """Holders of pins whose name begins so."""
    query = select(PIN.c.holder).where(PIN.c.holder.startswith(prefix, autoescape=True)).distinct()
    return {row.holder for row in connection.execute(query)}
