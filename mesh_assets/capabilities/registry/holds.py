"""Holds of rollbacks that somebody ended before new code or a new input did."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from mesh_assets.capabilities.registry.tables import ENDED_HOLD
from mesh_assets.words.names import ProductName


def end(connection: Connection, product: ProductName, run_id: str, who: str) -> None:
    if not ended(connection, product, run_id):
        connection.execute(
            insert(ENDED_HOLD).values(product=str(product), run_id=run_id, who=who, ended=datetime.now(UTC))
        )


def ended(connection: Connection, product: ProductName, run_id: str) -> bool:
    query = select(ENDED_HOLD.c.run_id).where(
        ENDED_HOLD.c.product == str(product), ENDED_HOLD.c.run_id == run_id
    )
    return connection.scalar(query) is not None
