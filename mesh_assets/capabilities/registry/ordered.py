"""What the registry takes in and answers about run orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection

from mesh_assets.capabilities.registry import orders
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import JobReport, KeptOrder, OrderItem, OrderState


class Ordered(ABC):
    """The part of the registry with which orders are given, followed and taken up again."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]: ...

    def begin_order(self, kept: KeptOrder) -> None:
        """Put an order on record, before anything of it runs."""
        with self.writing() as connection:
            orders.begin(connection, kept)

    def note_order(self, order_id: str, items: Sequence[OrderItem]) -> None:
        """What became of some products of an order: a run has them, or they ended."""
        with self.writing() as connection:
            orders.note(connection, order_id, items)

    def set_order(self, order_id: str, state: OrderState) -> None:
        """The order goes on, ended, or was interrupted."""
        with self.writing() as connection:
            orders.set_state(connection, order_id, state)

    def order(self, order_id: str) -> KeptOrder | None:
        """The order with all its products, None if it is not on record."""
        with self.reading() as connection:
            return orders.order(connection, order_id)

    def orders(self, *, limit: int = 50, journey: str | None = None) -> list[KeptOrder]:
        """The newest orders first, without their products."""
        with self.reading() as connection:
            return orders.orders(connection, limit, journey)

    def looked(self, since: datetime, until: datetime | None = None) -> Mapping[ProductName, list[datetime]]:
        """When orders found products unchanged without a run."""
        with self.reading() as connection:
            return orders.looked(connection, since, until)

    # jobs of other tools

    def report_job(self, report: JobReport) -> bool:
        """Take in how a job of another tool ended; False if that run of it was reported before."""
        with self.writing() as connection:
            return orders.report_job(connection, report)

    def job_reports(self, jobs: Sequence[str], since: datetime) -> list[JobReport]:
        """How runs of these jobs ended since then, the oldest first."""
        with self.reading() as connection:
            return orders.job_reports(connection, jobs, since)
