"""What an order has done, kept in the registry as it goes: `--resume` takes an order up from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mesh_assets.capabilities.publishing.holds import told_of_hold
from mesh_assets.capabilities.publishing.quarantine import rows_aside
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import KeptOrder, OrderItem
from mesh_assets.words.versions import BuildOutcome, BuildRecord


class LogBook:
    """The order's items; what changed is written at once with the next `write`, or before a run starts."""

    def __init__(self, registry: Registry, kept: KeptOrder) -> None:
        self.id = kept.id
        #: Found unchanged without a run.
        self.looked: list[ProductName] = []
        #: Products that a run has, by its id, as it was when the order was taken up.
        self.given: Mapping[ProductName, str] = {
            item.product: item.run_id for item in kept.items if item.outcome is None and item.run_id
        }
        self._registry = registry
        self._news: dict[ProductName, OrderItem] = {}

    def give(self, names: Sequence[ProductName], run_id: str) -> None:
        for name in names:
            self._news[name] = OrderItem(name, run_id=run_id)
        self.write()

    def end(self, record: BuildRecord) -> None:
        self._news[record.product] = OrderItem(
            product=record.product,
            outcome=record.outcome,
            run_id=record.run_id,
            message=record.message,
            seconds=record.seconds,
            ended=datetime.now(UTC),
        )

    def write(self) -> None:
        if self._news:
            self._registry.note_order(self.id, list(self._news.values()))
            self._news = {}


def unchanged_record(registry: Registry, name: ProductName, told: str = "") -> BuildRecord:
    """A product that was looked at and is as its version says; `told` is what a person should know of it."""
    head = registry.head(name)
    if head is None:  # `--missing` of partitions that do not exist
        return record_of(name, BuildOutcome.UNCHANGED, "nothing of it was asked for")
    results = head.certificate.rule_results
    return BuildRecord(
        product=name,
        run_id=head.run_id,
        outcome=BuildOutcome.UNCHANGED,
        started=datetime.now(UTC),
        seconds=0.0,
        version=head.number,
        rows=head.rows,
        message=told_of_hold(registry, head) or told,
        passed=sum(result["outcome"] == "passed" for result in results),
        warned=sum(result["outcome"] != "passed" for result in results),
        details=rows_aside(head),
    )


def record_of(name: ProductName, outcome: BuildOutcome, message: str, run_id: str = "") -> BuildRecord:
    return BuildRecord(
        product=name,
        run_id=run_id,
        outcome=outcome,
        started=datetime.now(UTC),
        seconds=0.0,
        message=message,
    )


def kept_record(registry: Registry, item: OrderItem) -> BuildRecord:
    """How a product of an order ended, from the order's own record and its build."""
    assert item.outcome is not None
    build = registry.builds_of(item.run_id).get(item.product) if item.run_id else None
    if build is not None and build.outcome is item.outcome:
        return build
    if item.outcome is BuildOutcome.UNCHANGED:
        return unchanged_record(registry, item.product)
    return record_of(item.product, item.outcome, item.message, item.run_id)
