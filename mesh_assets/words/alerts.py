"""Alerts: rules over how things stand, who is told, and when nobody is to be woken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from mesh_assets.words.errors import YourCode, YourData


class UnknownReceiver(YourCode):
    template = "There is no receiver {name!r} in {file}. It has {known}"


class NoAlerts(YourCode):
    template = "There is no file of alert rules at {file}. Write one (docs/alerts.md), or set MESH_ALERTS"


class NotDelivered(YourData):
    """`problem` holds no address and no secret."""

    template = "{receiver} was not reached: {problem}"


class ReceiverKind(StrEnum):
    MAIL = "mail"
    WEBHOOK = "webhook"
    SLACK = "slack"
    FILE = "file"


@dataclass(frozen=True)
class QuietHours:
    """From one time of day to another, in a zone; over midnight if `until` is the earlier one."""

    start: time
    until: time
    zone: str
    #: Weekdays on which it begins, Monday is 0.
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True)
class Receiver:
    """Who is told, and how. Names of variables stand for addresses and passwords."""

    name: str
    kind: ReceiverKind
    #: Variable with the URL of a webhook.
    url_from: str = ""
    #: Variable with a token that is sent as `Authorization: Bearer`.
    token_from: str = ""
    #: A file of lines, relative to the home.
    path: str = ""
    host: str = ""
    port: int = 25
    sender: str = ""
    to: tuple[str, ...] = ()
    user: str = ""
    password_from: str = ""
    starttls: bool = False
    quiet: QuietHours | None = None


@dataclass(frozen=True)
class Failures:
    """So many bad builds one after the other, or so many within a time."""

    count: int
    #: None: in a row.
    within: timedelta | None = None


@dataclass(frozen=True)
class Condition:
    """All that is written in one mapping has to hold; `any_of` and `all_of` hold others."""

    states: frozenset[str] = frozenset()
    products: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    journeys: tuple[str, ...] = ()
    severities: frozenset[str] = frozenset()
    longer_than: timedelta | None = None
    failures: Failures | None = None
    any_of: tuple[Condition, ...] = ()
    all_of: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class AlertRule:
    name: str
    when: Condition
    to: tuple[str, ...]
    #: At most one message of the rule in this time.
    group: timedelta = timedelta(minutes=5)
    #: What still stands is told again after this time; None: never.
    repeat: timedelta | None = None
    recovery: bool = True
    #: Told in quiet hours as well.
    urgent: bool = False


@dataclass(frozen=True)
class Alerts:
    """The whole file."""

    file: str
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    rules: tuple[AlertRule, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A product, a journey or a domain, and how it stands now."""

    name: str
    states: frozenset[str]
    told: str = ""
    domain: str = ""
    product: str = ""
    journey: str = ""
    #: Severities of rules that do not pass.
    severities: frozenset[str] = frozenset()
    #: How long the last build took.
    seconds: float | None = None
    #: When bad builds ended, newest first, up to the last good one.
    in_a_row: int = 0
    bad: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Item:
    """One line of a message."""

    subject: str
    states: tuple[str, ...]
    told: str
    since: datetime
    recovered: bool = False

    def plain(self) -> dict[str, Any]:
        return {**vars(self), "states": list(self.states), "since": self.since.isoformat(timespec="seconds")}
