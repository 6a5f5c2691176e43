"""Tags: names that people give to versions, accepted wherever a version is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select

from mesh_assets.capabilities.registry import versions
from mesh_assets.capabilities.registry.tables import TAG, VERSION
from mesh_assets.words.errors import NoVersion, TagTaken, UnknownTag, UnknownVersion, VersionMalformed
from mesh_assets.words.names import VERSION_WORD, ProductName, product_name
from mesh_assets.words.versions import Version


@dataclass(frozen=True)
class Tag:
    """A version's name, one of a product's own."""

    product: ProductName
    name: str
    number: int
    who: str
    tagged: datetime | None = None


def find(connection: Connection, product: ProductName, wanted: str | None, environment: str) -> Version:
    if wanted is None:
        found = versions.head(connection, product, environment)
        if found is None:
            raise NoVersion(product=product)
        return found
    number = int(wanted) if wanted.isdigit() else _number(connection, product, wanted)
    newest = connection.scalar(select(func.max(VERSION.c.number)).where(VERSION.c.product == str(product)))
    if newest is None:
        raise NoVersion(product=product, wanted=f" {wanted}")
    if number is None or not 1 <= number <= newest:
        names = tuple(each.name for each in tags(connection, product))
        raise UnknownVersion(product=product, wanted=wanted, newest=newest, tags=names)
    return versions.version(connection, product, number)


def tag(connection: Connection, wanted: Tag, *, move: bool) -> None:
    if wanted.name.isdigit() or not VERSION_WORD.match(wanted.name):
        raise VersionMalformed(text=f"{wanted.product}@{wanted.name}", wanted=wanted.name)
    versions.version(connection, wanted.product, wanted.number).readable()
    number = _number(connection, wanted.product, wanted.name)
    if number == wanted.number:
        return
    if number is not None:
        if not move:
            raise TagTaken(product=wanted.product, name=wanted.name, number=number, wanted=wanted.number)
        untag(connection, wanted.product, wanted.name)
    connection.execute(
        insert(TAG).values(
            product=str(wanted.product),
            name=wanted.name,
            number=wanted.number,
            who=wanted.who,
            tagged=datetime.now(UTC),
        )
    )


def untag(connection: Connection, product: ProductName, name: str) -> None:
    query = delete(TAG).where(TAG.c.product == str(product), TAG.c.name == name)
    if not connection.execute(query).rowcount:
        raise UnknownTag(product=product, name=name)


def tags(connection: Connection, product: ProductName) -> list[Tag]:
    query = select(TAG).where(TAG.c.product == str(product)).order_by(TAG.c.number, TAG.c.name)
    return [
        Tag(product_name(row.product), row.name, row.number, row.who, row.tagged)
        for row in connection.execute(query)
    ]


def _number(connection: Connection, product: ProductName, name: str) -> int | None:
    query = select(TAG.c.number).where(TAG.c.product == str(product), TAG.c.name == name)
    return connection.scalar(query)
