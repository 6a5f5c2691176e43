"""Products that are made by themselves: their rules, what each was last asked for, and what a tick looks at.

Each code location writes the rows of its own products; all read those of all. So a location decides without
any other being loaded, and a broken one leaves what is known of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from mesh_assets.capabilities.registry.control_tables import CONTROL
from mesh_assets.capabilities.registry.tables import (
    AUTOMATED,
    BUILD,
    HEAD,
    RELEASE,
    RUN_ITEM,
    RUN_ORDER,
    VERSION,
)
from mesh_assets.words.automation import HeadNow, Picture, Told, Watched
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.orders import OrderState
from mesh_assets.words.versions import BuildOutcome

#: Names in one statement; with more, all heads are read.
AT_ONCE = 1_000


def pulse(connection: Connection, environment: str) -> str:
    """Differs if anything was released, built, paused, resumed or ordered since: a few look-ups."""
    released = select(func.max(RELEASE.c.id)).where(RELEASE.c.environment == environment)
    parts = [
        released.scalar_subquery(),
        select(func.max(BUILD.c.id)).scalar_subquery(),
        select(func.max(CONTROL.c.id)).scalar_subquery(),
        select(func.count(CONTROL.c.ended)).scalar_subquery(),
        select(func.max(RUN_ORDER.c.started)).scalar_subquery(),
        select(func.max(RUN_ORDER.c.ended)).scalar_subquery(),
    ]
    return "/".join("" if part is None else str(part) for part in connection.execute(select(*parts)).one())


def picture(connection: Connection, environment: str) -> Picture:
    """What a decision needs, in one transaction."""
    watched = {product_name(row.product): _watched(row) for row in connection.execute(select(AUTOMATED))}
    released = select(func.max(RELEASE.c.id)).where(RELEASE.c.environment == environment)
    return Picture(
        heads=_heads(connection, environment, None),
        watched=watched,
        in_hand=_ordered(connection),
        told=_told(connection),
        build=connection.scalar(select(func.max(BUILD.c.id))) or 0,
        release=connection.scalar(released) or 0,
    )


def glimpse(connection: Connection, environment: str, domain: str) -> Picture:
    """The domain's own products and what they read: enough to see that nothing is wanted."""
    mine = select(AUTOMATED).where(AUTOMATED.c.domain == domain)
    watched = {product_name(row.product): _watched(row) for row in connection.execute(mine)}
    names = {str(each) for row in watched.values() for each in (row.product, *row.inputs)}
    return Picture(heads=_heads(connection, environment, names), watched=watched)


def _heads(
    connection: Connection, environment: str, names: Collection[str] | None
) -> dict[ProductName, HeadNow]:
    query = (
        select(VERSION.c.product, VERSION.c.number, VERSION.c.fingerprint, VERSION.c.published)
        .join(HEAD, (HEAD.c.product == VERSION.c.product) & (HEAD.c.number == VERSION.c.number))
        .where(HEAD.c.environment == environment)
    )
    if names is not None and len(names) < AT_ONCE:
        query = query.where(HEAD.c.product.in_(sorted(names)))
    return {
        product_name(row.product): HeadNow(row.number, row.fingerprint, row.published)
        for row in connection.execute(query)
    }


def _ordered(connection: Connection) -> dict[ProductName, str]:
    query = (
        select(RUN_ITEM.c.product, RUN_ITEM.c.order_id)
        .join(RUN_ORDER, RUN_ORDER.c.id == RUN_ITEM.c.order_id)
        .where(RUN_ORDER.c.state == OrderState.RUNNING.value, RUN_ITEM.c.outcome.is_(None))
    )
    return {product_name(row.product): row.order_id for row in connection.execute(query)}


def _told(connection: Connection) -> dict[ProductName, Told]:
    """How builds of requested products ended since: by their numbers, because clocks of machines differ."""
    query = (
        select(BUILD.c.product, BUILD.c.started, BUILD.c.outcome)
        .join(AUTOMATED, AUTOMATED.c.product == BUILD.c.product)
        .where(AUTOMATED.c.token != "", BUILD.c.id > AUTOMATED.c.after, ~BUILD.c.recheck)
        .order_by(BUILD.c.id)
    )
    good = (BuildOutcome.PUBLISHED.value, BuildOutcome.UNCHANGED.value)
    return {
        product_name(row.product): Told(row.started, row.outcome in good) for row in connection.execute(query)
    }


def declare(connection: Connection, domain: str, found: Iterable[Watched]) -> bool:
    """Bring a domain's rules and inputs up to date; what was asked for stays. True if anything changed."""
    query = select(AUTOMATED).where(AUTOMATED.c.domain == domain)
    known = {row.product: row for row in connection.execute(query)}
    wanted = {str(each.product): each for each in found}
    changed = False
    for name, each in wanted.items():
        facts = {"rule": each.rule, "inputs": [str(need) for need in each.inputs]}
        row = known.get(name)
        if row is None:
            connection.execute(insert(AUTOMATED).values(_values(each)))
        elif (row.rule, list(row.inputs)) != (facts["rule"], facts["inputs"]):
            connection.execute(update(AUTOMATED).where(AUTOMATED.c.product == name).values(facts))
        else:
            continue
        changed = True
    gone = [name for name in known if name not in wanted]
    if gone:
        connection.execute(delete(AUTOMATED).where(AUTOMATED.c.product.in_(gone)))
    return changed or bool(gone)


def keep(connection: Connection, changes: Sequence[Watched]) -> None:
    """Write what was asked for, and how it ended."""
    for each in changes:
        mine = AUTOMATED.c.product == str(each.product)
        connection.execute(update(AUTOMATED).where(mine).values(_values(each)))


def rules(connection: Connection, products: Collection[ProductName] | None = None) -> list[Watched]:
    """What is known of products, of all by default."""
    query = select(AUTOMATED).order_by(AUTOMATED.c.product)
    if products is not None:
        query = query.where(AUTOMATED.c.product.in_([str(each) for each in products]))
    return [_watched(row) for row in connection.execute(query)]


def _values(each: Watched) -> dict[str, Any]:
    return {
        "product": str(each.product),
        "domain": each.product.domain,
        "rule": each.rule,
        "inputs": [str(need) for need in each.inputs],
        "since": each.since,
        "seen": None if each.seen is None else {str(name): text for name, text in each.seen.items()},
        "asked": each.asked,
        "token": each.token,
        "partitions": list(each.partitions),
        "after": each.after,
        "joined": each.joined,
        "lost": each.lost,
    }


def _watched(row: Row[Any]) -> Watched:
    return Watched(
        product=product_name(row.product),
        rule=row.rule,
        inputs=tuple(product_name(each) for each in row.inputs),
        since=row.since or datetime.now(UTC),
        seen=None if row.seen is None else {product_name(name): text for name, text in row.seen.items()},
        asked=row.asked,
        token=row.token,
        partitions=tuple(row.partitions),
        after=row.after,
        joined=row.joined,
        lost=row.lost,
    )
