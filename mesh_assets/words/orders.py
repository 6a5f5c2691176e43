"""Run orders: what somebody asked to have built, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mesh_assets.words.errors import YourCode, YourData
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import BuildOutcome


class NothingToResume(YourData):
    template = "No order was interrupted in this home. Begin one: `mesh run TARGET`"


class NoServer(YourData):
    template = "{url} cannot start runs of this mesh: {why}. Start it with `mesh dev`, or run with --local"


class ServerRefused(YourData):
    template = "Dagster at {url} did not do what it was asked: {why}"


class UnknownTarget(YourCode):
    template = (
        "There is no domain, no product and no journey {name!r} in this mesh.{hint} See `mesh products`"
    )


class NoSuchPartition(YourCode):
    template = "{problem}"


class Mode(StrEnum):
    """What of the named products is built."""

    #: Whose code, contract, inputs or sources changed, or whose last build went wrong.
    STALE = "stale"
    #: Only what was never built: no version, or no rows of a partition.
    MISSING = "missing"
    #: All of it.
    FORCE = "force"


class OrderState(StrEnum):
    RUNNING = "running"
    GREEN = "green"
    RED = "red"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class RunOrder:
    """What a person, or a journey's schedule, asked for."""

    names: tuple[ProductName, ...]
    mode: Mode = Mode.STALE
    #: Only these partitions; () for whatever is stale.
    partitions: tuple[str, ...] = ()
    #: Only partitions from this day to that one, both included; "" where there is no bound.
    first: str = ""
    last: str = ""
    #: Runs side by side.
    jobs: int = 2
    #: As the person wrote it, for histories.
    asked: tuple[str, ...] = ()
    #: The journey that the order is a run of, "" for none.
    journey: str = ""
    #: The command, or the kind of job, that gave the order.
    started_by: str = "mesh run"
    #: The Dagster run that gave it, "" for a person.
    parent: str = ""

    @property
    def force(self) -> bool:
        return self.mode is Mode.FORCE

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "names": [str(name) for name in self.names], "mode": self.mode.value}


def order_from_json(facts: Mapping[str, Any]) -> RunOrder:
    lists = {name: tuple(facts[name]) for name in ("partitions", "asked")}
    names = tuple(product_name(name) for name in facts["names"])
    return RunOrder(**{**facts, **lists, "names": names, "mode": Mode(facts["mode"])})


@dataclass(frozen=True)
class OrderItem:
    """One product of an order. Without an outcome it waits, or a run has it."""

    product: ProductName
    outcome: BuildOutcome | None = None
    run_id: str = ""
    message: str = ""
    seconds: float = 0.0
    #: When it ended.
    ended: datetime | None = None


@dataclass(frozen=True)
class KeptOrder:
    """An order as it is on record."""

    id: str
    order: RunOrder
    who: str
    state: OrderState
    started: datetime
    ended: datetime | None = None
    items: tuple[OrderItem, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class JobReport:
    """What another tool said of one run of a job of its own."""

    job: str
    #: The tool's own id of the run: the same one twice is one report.
    run_id: str
    ended: datetime
    good: bool
    told: str = ""
