"""Releases: heads that move together, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, update

from mesh_assets.capabilities.registry import versions
from mesh_assets.capabilities.registry.promotion_tables import FENCE
from mesh_assets.capabilities.registry.tables import HEAD, RELEASE, RELEASE_ITEM, VERSION
from mesh_assets.words.errors import ReleaseConflict
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import Certificate, InputVersion, Version


@dataclass(frozen=True)
class Order:
    """What somebody wants released, and what they believe the heads to be."""

    certificates: tuple[Certificate, ...]
    expected: Mapping[ProductName, int | None]
    reads: Mapping[ProductName, int]
    environment: str
    who: str
    run_id: str
    #: Promotions whose change the code is known to have; None: not a matter of code.
    fences: Mapping[ProductName, int] | None = None


@dataclass(frozen=True)
class Released:
    """A release as history tells it."""

    id: int
    environment: str
    run_id: str
    who: str
    released: datetime
    #: Product to (number before, number since).
    moved: Mapping[ProductName, tuple[int | None, int]]


def release(connection: Connection, order: Order) -> list[Version]:
    """Give each certificate its number and move its head, in a transaction that is the only one writing."""
    done = {
        certificate.product: versions.version_of_run(connection, certificate.product, order.run_id)
        for certificate in order.certificates
    }
    wanted = [certificate for certificate in order.certificates if done[certificate.product] is None]
    if wanted:
        heads = _heads(connection, order)
        _refuse_if_moved(connection, order, [each.product for each in wanted], heads)
        _refuse_if_fenced(connection, order, heads)
        _move(connection, order, wanted, heads)
    found = [
        versions.version_of_run(connection, certificate.product, order.run_id)
        for certificate in order.certificates
    ]
    return [version for version in found if version is not None]


def refuse_if_moved(connection: Connection, order: Order) -> None:
    """Raise the ReleaseConflict that a release would end in now; an order without certificates asks of all
    that it expects.
    """
    heads = _heads(connection, order)
    _refuse_if_moved(connection, order, [*order.expected], heads)


def history(connection: Connection, environment: str, limit: int) -> list[Released]:
    query = (
        select(RELEASE).where(RELEASE.c.environment == environment).order_by(RELEASE.c.id.desc()).limit(limit)
    )
    releases = connection.execute(query).all()
    items = connection.execute(
        select(RELEASE_ITEM).where(RELEASE_ITEM.c.release_id.in_([row.id for row in releases]))
    ).all()
    moved: dict[int, dict[ProductName, tuple[int | None, int]]] = {row.id: {} for row in releases}
    for item in items:
        moved[item.release_id][product_name(item.product)] = (item.previous, item.number)
    return [
        Released(row.id, row.environment, row.run_id, row.who, row.released, moved[row.id])
        for row in releases
    ]


def head_at(connection: Connection, product: ProductName, release: int, environment: str) -> Version | None:
    """What the last release up to this one made the product's head."""
    query = (
        select(RELEASE_ITEM.c.number)
        .join(RELEASE, RELEASE.c.id == RELEASE_ITEM.c.release_id)
        .where(
            RELEASE.c.environment == environment,
            RELEASE_ITEM.c.product == str(product),
            RELEASE.c.id <= release,
        )
        .order_by(RELEASE.c.id.desc())
        .limit(1)
    )
    number = connection.scalar(query)
    return None if number is None else versions.version(connection, product, number)


def _heads(connection: Connection, order: Order) -> dict[ProductName, int]:
    """Of what the release is about: under the registry's one lock, no look at a thousand others."""
    about = {*order.expected, *order.reads, *(each.product for each in order.certificates)}
    return versions.heads(connection, order.environment, about)


def _refuse_if_moved(
    connection: Connection, order: Order, wanted: list[ProductName], heads: Mapping[ProductName, int]
) -> None:
    # Heads that were only read count as well: two builds that each read what the other wrote would
    # otherwise both pass (write skew).
    own = {product: order.expected.get(product) for product in wanted}
    ours = {*own, *(certificate.product for certificate in order.certificates)}
    read = {product: number for product, number in order.reads.items() if product not in ours}
    for moved, believed in (*own.items(), *read.items()):
        actual = heads.get(moved)
        if actual != believed:
            raise ReleaseConflict(
                product=moved if moved in own else wanted[0],
                moved=moved,
                expected=believed,
                actual=actual,
                winner=_winner(connection, moved, order.environment),
            )


def _refuse_if_fenced(connection: Connection, order: Order, heads: Mapping[ProductName, int]) -> None:
    """A promotion changed the code since somebody looked: who lost looks again."""
    if order.fences is None:
        return
    mine = select(FENCE).where(FENCE.c.product.in_([str(each.product) for each in order.certificates]))
    for row in connection.execute(mine):
        product = product_name(row.product)
        if order.fences.get(product) != row.promotion:
            head = heads.get(product)
            winner = f"promotion {row.promotion} of kitchen {row.kitchen}"
            raise ReleaseConflict(product=product, moved=product, expected=head, actual=head, winner=winner)


def _winner(connection: Connection, product: ProductName, environment: str) -> str:
    """Who moved this head last, and in which run."""
    query = (
        select(RELEASE.c.who, RELEASE.c.run_id)
        .join(RELEASE_ITEM, RELEASE_ITEM.c.release_id == RELEASE.c.id)
        .where(RELEASE.c.environment == environment, RELEASE_ITEM.c.product == str(product))
        .order_by(RELEASE.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return "nobody known" if row is None else f"{row.who}, run {row.run_id}"


def _move(
    connection: Connection, order: Order, wanted: list[Certificate], heads: Mapping[ProductName, int]
) -> None:
    now = datetime.now(UTC)
    release_id: int = connection.execute(
        insert(RELEASE)
        .values(
            environment=order.environment,
            run_id=order.run_id,
            who=order.who,
            released=now,
            reads={str(product): number for product, number in order.reads.items()},
        )
        .returning(RELEASE.c.id)
    ).scalar_one()
    numbers = {certificate.product: _next_number(connection, certificate.product) for certificate in wanted}
    for certificate in wanted:
        number = numbers[certificate.product]
        told = replace(certificate, number=number, inputs=_numbered(certificate, numbers))
        versions.add(connection, told, run_id=order.run_id, published=now)
        previous = heads.get(certificate.product)
        _set_head(connection, order.environment, certificate.product, number, known=previous is not None)
        connection.execute(
            insert(RELEASE_ITEM).values(
                release_id=release_id, product=str(certificate.product), number=number, previous=previous
            )
        )


def _next_number(connection: Connection, product: ProductName) -> int:
    newest = connection.scalar(select(func.max(VERSION.c.number)).where(VERSION.c.product == str(product)))
    return (newest or 0) + 1


def _numbered(certificate: Certificate, numbers: Mapping[ProductName, int]) -> tuple[InputVersion, ...]:
    """Inputs that are released with it were read before they had a number."""
    return tuple(
        replace(each, number=numbers[each.product]) if each.product in numbers else each
        for each in certificate.inputs
    )


def _set_head(
    connection: Connection, environment: str, product: ProductName, number: int, *, known: bool
) -> None:
    if known:
        connection.execute(
            update(HEAD)
            .where(HEAD.c.environment == environment, HEAD.c.product == str(product))
            .values(number=number)
        )
    else:
        connection.execute(insert(HEAD).values(environment=environment, product=str(product), number=number))
