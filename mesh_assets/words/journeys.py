"""Journeys: what a person gets, made of products of many domains, and how one run of it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mesh_assets.words.errors import YourCode
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place


class UnknownJourney(YourCode):
    template = "There is no journey {name!r} in this mesh.{hint} See `mesh journeys`"


@dataclass(frozen=True)
class JourneyStep:
    """A step that a person would name: products made here, or a job of another tool."""

    name: str
    products: tuple[ProductName, ...] = ()
    #: Name of the job that another tool reports; "" for a step of products.
    external: str = ""
    #: How long a run of the journey waits for the job; zero: it has to be there.
    within: timedelta = timedelta(0)


@dataclass(frozen=True)
class ReadyBy:
    """A time of day, so many days after the period began."""

    hour: int
    minute: int
    zone: str
    days: int = 0

    def told(self) -> str:
        later = f" {self.days} day{'s' if self.days > 1 else ''} later" if self.days else ""
        return f"{self.hour:02}:{self.minute:02} {self.zone}{later}"


@dataclass(frozen=True)
class RowBounds:
    minimum: int | None = None
    maximum: int | None = None

    def holds(self, rows: int) -> bool:
        return (self.minimum is None or rows >= self.minimum) and (
            self.maximum is None or rows <= self.maximum
        )

    def told(self) -> str:
        low = "" if self.minimum is None else f"at least {self.minimum:,}"
        high = "" if self.maximum is None else f"at most {self.maximum:,}"
        return f"{' and '.join(part for part in (low, high) if part)} rows"


@dataclass(frozen=True)
class Journey:
    """A journey as its file says it."""

    name: str
    description: str
    targets: tuple[ProductName, ...]
    place: Place
    #: Five fields, with their zone; "" for a journey that a publication triggers.
    cron: str = ""
    zone: str = "UTC"
    #: A period begins when this product is published; None for a scheduled journey.
    trigger: ProductName | None = None
    steps: tuple[JourneyStep, ...] = ()
    ready_by: ReadyBy | None = None
    at_most_old: timedelta | None = None
    rows: Mapping[ProductName, RowBounds] = field(default_factory=dict)
    #: Every rule of every step, warnings included; without it only a refused draft fails the journey's tests.
    all_checks: bool = False
    in_order: bool = False
    owners: tuple[str, ...] = ()
    #: Names of alert receivers.
    told: tuple[str, ...] = ()
    #: Nothing is owed before; None: before the first build of its products.
    since: datetime | None = None

    @property
    def externals(self) -> tuple[JourneyStep, ...]:
        return tuple(step for step in self.steps if step.external)

    def when(self) -> str:
        """Its schedule or trigger in words."""
        return f"{self.cron} {self.zone}" if self.cron else f"when {self.trigger} is published"


class JourneyState(StrEnum):
    RUNNING = "running"
    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"
    OUT_OF_SEQUENCE = "out_of_sequence"
    FAILED_TESTS = "failed_tests"
    INCOMPLETE = "incomplete"

    @property
    def good(self) -> bool:
        return self in (JourneyState.RUNNING, JourneyState.ON_TIME)


@dataclass(frozen=True)
class Period:
    """The time that one instance of a journey belongs to."""

    begin: datetime
    #: When the next one begins; None if nobody knows yet.
    end: datetime | None
    #: When what the journey gives has to be there; None without such an expectation.
    deadline: datetime | None = None
    #: A deadline that had passed before anything was owed; the end of the period takes its place.
    waived: datetime | None = None

    @property
    def key(self) -> str:
        return self.begin.isoformat(timespec="minutes")


@dataclass(frozen=True)
class StepResult:
    """How a step stands in a period: when it was done, or what stands in its way."""

    step: str
    done: datetime | None
    told: str = ""
    #: When it was first done in the period, in whatever order.
    first: datetime | None = None


@dataclass(frozen=True)
class Expectation:
    """One promise of the journey in one period; None: it cannot be said yet."""

    name: str
    kept: bool | None
    told: str


@dataclass(frozen=True)
class Instance:
    """One run of a journey: its period, how it went, and why."""

    journey: str
    period: Period
    state: JourneyState
    told: str
    #: When all of it was there.
    ready: datetime | None = None
    steps: tuple[StepResult, ...] = ()
    expectations: tuple[Expectation, ...] = ()
