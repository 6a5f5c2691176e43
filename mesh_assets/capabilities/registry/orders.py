"""Run orders and their products, so that an order that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from mesh_assets.capabilities.registry.tables import JOB_REPORT, RUN_ITEM, RUN_ORDER
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.orders import JobReport, KeptOrder, OrderItem, OrderState, order_from_json
from mesh_assets.words.versions import BuildOutcome

#: Orders that are kept; a mesh of forty products takes some 6 kB for each.
KEPT_ORDERS = 2_000


def begin(connection: Connection, kept: KeptOrder) -> None:
    connection.execute(
        insert(RUN_ORDER).values(
            id=kept.id,
            request=kept.order.as_json(),
            journey=kept.order.journey,
            who=kept.who,
            state=kept.state.value,
            started=kept.started,
        )
    )
    rows = [
        {"order_id": kept.id, "product": str(name), "position": position}
        for position, name in enumerate(kept.order.names)
    ]
    if rows:
        connection.execute(insert(RUN_ITEM), rows)
    _forget(connection)


def _forget(connection: Connection) -> None:
    newest = select(RUN_ORDER.c.id).order_by(RUN_ORDER.c.started.desc(), RUN_ORDER.c.id.desc())
    gone: list[str] = list(connection.scalars(newest.offset(KEPT_ORDERS).limit(100)))
    if gone:
        connection.execute(delete(RUN_ITEM).where(RUN_ITEM.c.order_id.in_(gone)))
        connection.execute(delete(RUN_ORDER).where(RUN_ORDER.c.id.in_(gone)))


def note(connection: Connection, order_id: str, items: Sequence[OrderItem]) -> None:
    """Write down what became of products since the last time."""
    if not items:
        return
    changed = (
        update(RUN_ITEM)
        .where(RUN_ITEM.c.order_id == order_id, RUN_ITEM.c.product == bindparam("named"))
        .values(
            {name: bindparam(f"to_{name}") for name in ("outcome", "run_id", "message", "seconds", "ended")}
        )
    )
    connection.execute(changed, [_row(item) for item in items])


def _row(item: OrderItem) -> dict[str, Any]:
    return {
        "named": str(item.product),
        "to_outcome": None if item.outcome is None else item.outcome.value,
        "to_run_id": item.run_id,
        "to_message": item.message,
        "to_seconds": item.seconds,
        "to_ended": item.ended,
    }


def set_state(connection: Connection, order_id: str, state: OrderState) -> None:
    ended = None if state is OrderState.RUNNING else datetime.now(UTC)
    mine = update(RUN_ORDER).where(RUN_ORDER.c.id == order_id)
    connection.execute(mine.values(state=state.value, ended=ended))


def order(connection: Connection, order_id: str) -> KeptOrder | None:
    row = connection.execute(select(RUN_ORDER).where(RUN_ORDER.c.id == order_id)).one_or_none()
    return None if row is None else _kept(row, _items(connection, order_id))


def orders(connection: Connection, limit: int, journey: str | None = None) -> list[KeptOrder]:
    """Newest first, without their products."""
    query = select(RUN_ORDER).order_by(RUN_ORDER.c.started.desc(), RUN_ORDER.c.id.desc()).limit(limit)
    if journey is not None:
        query = query.where(RUN_ORDER.c.journey == journey)
    return [_kept(row, ()) for row in connection.execute(query)]


def looked(
    connection: Connection, since: datetime, until: datetime | None = None
) -> Mapping[ProductName, list[datetime]]:
    """When orders found products unchanged without a run: nobody else writes that down."""
    query = (
        select(RUN_ITEM.c.product, RUN_ITEM.c.ended)
        .where(RUN_ITEM.c.outcome == BuildOutcome.UNCHANGED.value, RUN_ITEM.c.ended >= since)
        .order_by(RUN_ITEM.c.ended)
    )
    if until is not None:
        query = query.where(RUN_ITEM.c.ended < until)
    found: dict[ProductName, list[datetime]] = {}
    for row in connection.execute(query):
        found.setdefault(product_name(row.product), []).append(row.ended)
    return found


def _items(connection: Connection, order_id: str) -> tuple[OrderItem, ...]:
    query = select(RUN_ITEM).where(RUN_ITEM.c.order_id == order_id).order_by(RUN_ITEM.c.position)
    return tuple(
        OrderItem(
            product=product_name(row.product),
            outcome=None if row.outcome is None else BuildOutcome(row.outcome),
            run_id=row.run_id,
            message=row.message,
            seconds=row.seconds,
            ended=row.ended,
        )
        for row in connection.execute(query)
    )


def _kept(row: Row[Any], items: tuple[OrderItem, ...]) -> KeptOrder:
    return KeptOrder(
        id=row.id,
        order=order_from_json(row.request),
        who=row.who,
        state=OrderState(row.state),
        started=row.started,
        ended=row.ended,
        items=items,
    )


def report_job(connection: Connection, report: JobReport) -> bool:
    """False if this run of the job was reported before: a tool that sends twice is heard once."""
    mine = (JOB_REPORT.c.job == report.job) & (JOB_REPORT.c.run_id == report.run_id)
    if connection.execute(select(JOB_REPORT.c.id).where(mine)).first() is not None:
        return False
    connection.execute(insert(JOB_REPORT).values(**vars(report)))
    return True


def job_reports(connection: Connection, jobs: Sequence[str], since: datetime) -> list[JobReport]:
    query = (
        select(JOB_REPORT)
        .where(JOB_REPORT.c.job.in_(list(jobs)), JOB_REPORT.c.ended >= since)
        .order_by(JOB_REPORT.c.ended, JOB_REPORT.c.id)
    )
    return [
        JobReport(job=row.job, run_id=row.run_id, ended=row.ended, good=row.good, told=row.told)
        for row in connection.execute(query)
    ]
