"""The ledger of promotions, what owners agreed to, and the fences that promotions leave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from mesh_assets.capabilities.registry import builds, releases
from mesh_assets.capabilities.registry.promotion_tables import APPROVAL, FENCE, PROMOTION
from mesh_assets.capabilities.registry.releases import Order
from mesh_assets.capabilities.registry.tables import HEAD, RELEASE, RELEASE_ITEM
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.promotions import (
    UNFINISHED,
    Approval,
    Moved,
    Promotion,
    PromotionMode,
    PromotionState,
    PromotionUnfinished,
    UnknownPromotion,
)
from mesh_assets.words.versions import BuildRecord, Version


@dataclass(frozen=True)
class Fence:
    """Who publishes the product has to have read code with this commit in its history."""

    product: ProductName
    promotion: int
    kitchen: str
    commit: str


@dataclass(frozen=True)
class Showing:
    """What one transaction shows: heads, fences, and what was found to be as it was."""

    promotion: Promotion
    order: Order
    fenced: Collection[ProductName] = ()
    equal: Sequence[BuildRecord] = ()
    #: Products that the promotion which is undone had brought into the world.
    retired: Collection[ProductName] = ()
    #: What the history of builds says of each version that is shown.
    record: Callable[[Version], BuildRecord] | None = None
    #: The commit of the fences, where it is not the promotion's own.
    at: str = ""


def begin(connection: Connection, wanted: Promotion) -> Promotion:
    """A new line. Raises PromotionUnfinished while another one has data shown and code not."""
    _refuse_half_shown(connection, but=wanted.undoes or 0)
    number: int = connection.execute(
        insert(PROMOTION).values(**_columns(wanted)).returning(PROMOTION.c.id)
    ).scalar_one()
    return replace(wanted, id=number)


def keep(connection: Connection, promotion: Promotion) -> None:
    """Write what is known of a promotion by now."""
    connection.execute(update(PROMOTION).where(PROMOTION.c.id == promotion.id).values(**_columns(promotion)))


def show(connection: Connection, showing: Showing) -> tuple[Promotion, list[Version]]:
    """Show all of it. Raises ReleaseConflict if a head moved that was written on or read."""
    promotion, order = showing.promotion, showing.order
    _refuse_half_shown(connection, but=promotion.undoes or promotion.id)
    if promotion.undoes is not None:
        _end_half_shown(connection, promotion.undoes)
    if order.certificates:
        released = releases.release(connection, order)
    else:
        released = []
        releases.refuse_if_moved(connection, order)
    for name in showing.retired:
        mine = (HEAD.c.environment == order.environment) & (HEAD.c.product == str(name))
        connection.execute(delete(HEAD).where(mine))
    for name in showing.fenced:
        _fence(connection, Fence(name, promotion.id, promotion.kitchen, showing.at or promotion.after))
    for record in showing.equal:
        builds.record(connection, record, ())
    if showing.record is not None:
        for version in released:
            builds.record(connection, showing.record(version), ())
    number = connection.scalar(select(RELEASE.c.id).where(RELEASE.c.run_id == order.run_id).limit(1))
    state = PromotionState.RELEASED if promotion.after else PromotionState.LANDED
    shown = replace(promotion, state=state, release=number, moved=_moved(connection, number))
    keep(connection, shown)
    return shown, released


def fences(connection: Connection, products: Collection[ProductName]) -> dict[ProductName, Fence]:
    query = select(FENCE)
    wanted = {str(name) for name in products}
    if len(wanted) < 500:
        query = query.where(FENCE.c.product.in_(wanted))
    found = [row for row in connection.execute(query) if row.product in wanted]
    return {
        (name := product_name(row.product)): Fence(name, row.promotion, row.kitchen, row.commit)
        for row in found
    }


def promotion(connection: Connection, number: int) -> Promotion:
    row = connection.execute(select(PROMOTION).where(PROMOTION.c.id == number)).one_or_none()
    if row is None:
        raise UnknownPromotion(id=number)
    return _promotion(connection, row)


def history(connection: Connection, kitchen: str | None, limit: int) -> list[Promotion]:
    query = select(PROMOTION).order_by(PROMOTION.c.id.desc()).limit(limit)
    if kitchen is not None:
        query = query.where(PROMOTION.c.kitchen == kitchen)
    return [_promotion(connection, row) for row in connection.execute(query).all()]


def unfinished(connection: Connection) -> list[Promotion]:
    query = select(PROMOTION).where(PROMOTION.c.state.in_(UNFINISHED)).order_by(PROMOTION.c.id)
    return [_promotion(connection, row) for row in connection.execute(query).all()]


def of_product(connection: Connection, product: ProductName) -> list[Promotion]:
    """Promotions that moved the product's head and still stand, newest first."""
    undone = select(PROMOTION.c.undoes).where(
        PROMOTION.c.undoes.is_not(None), PROMOTION.c.release.is_not(None)
    )
    query = (
        select(PROMOTION)
        .join(RELEASE_ITEM, RELEASE_ITEM.c.release_id == PROMOTION.c.release)
        .where(RELEASE_ITEM.c.product == str(product), PROMOTION.c.id.not_in(undone))
        .order_by(PROMOTION.c.id.desc())
    )
    return [_promotion(connection, row) for row in connection.execute(query).all()]


def undone_by(connection: Connection, number: int) -> int | None:
    """The promotion that took this one back."""
    query = select(PROMOTION.c.id).where(PROMOTION.c.undoes == number, PROMOTION.c.release.is_not(None))
    return connection.scalar(query.limit(1))


def approve(connection: Connection, approval: Approval) -> None:
    mine = (APPROVAL.c.kitchen == approval.kitchen) & (APPROVAL.c.owner == approval.owner)
    connection.execute(delete(APPROVAL).where(mine))
    connection.execute(insert(APPROVAL).values(**vars(approval)))


def approvals(connection: Connection, kitchen: str) -> list[Approval]:
    query = select(APPROVAL).where(APPROVAL.c.kitchen == kitchen).order_by(APPROVAL.c.owner)
    return [
        Approval(row.kitchen, row.owner, row.who, row.digest, row.at) for row in connection.execute(query)
    ]


def forget_approvals(connection: Connection, kitchen: str) -> None:
    """A kitchen of the same name that is opened later is another one."""
    connection.execute(delete(APPROVAL).where(APPROVAL.c.kitchen == kitchen))


def _refuse_half_shown(connection: Connection, *, but: int) -> None:
    half = PROMOTION.c.state == PromotionState.RELEASED
    row = connection.execute(select(PROMOTION).where(half, PROMOTION.c.id != but).limit(1)).one_or_none()
    if row is not None:
        raise PromotionUnfinished(id=row.id, kitchen=row.kitchen, state=row.state)


def _end_half_shown(connection: Connection, number: int) -> None:
    """Its code will not follow: its data is being taken back."""
    mine = (PROMOTION.c.id == number) & (PROMOTION.c.state == PromotionState.RELEASED)
    over = {"state": PromotionState.DONE, "ended": datetime.now(UTC)}
    connection.execute(update(PROMOTION).where(mine).values(**over))


def _fence(connection: Connection, fence: Fence) -> None:
    connection.execute(delete(FENCE).where(FENCE.c.product == str(fence.product)))
    connection.execute(insert(FENCE).values(**{**vars(fence), "product": str(fence.product)}))


def _columns(promotion: Promotion) -> dict[str, Any]:
    names = ("kitchen", "mode", "state", "who", "began", "ended", "before", "after", "reason", "release")
    told = {name: getattr(promotion, name) for name in names}
    return {**told, "undoes": promotion.undoes, "plan": dict(promotion.plan)}


def _promotion(connection: Connection, row: Row[Any]) -> Promotion:
    return Promotion(
        id=row.id,
        kitchen=row.kitchen,
        mode=PromotionMode(row.mode),
        state=PromotionState(row.state),
        who=row.who,
        began=row.began,
        before=row.before,
        after=row.after,
        reason=row.reason,
        ended=row.ended,
        release=row.release,
        moved=_moved(connection, row.release),
        undoes=row.undoes,
        plan=row.plan,
    )


def _moved(connection: Connection, release: int | None) -> tuple[Moved, ...]:
    if release is None:
        return ()
    query = select(RELEASE_ITEM).where(RELEASE_ITEM.c.release_id == release).order_by(RELEASE_ITEM.c.product)
    return tuple(
        Moved(product_name(row.product), row.previous, row.number) for row in connection.execute(query)
    )
