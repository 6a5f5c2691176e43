"""What came from outside: files, and the batches of rows and events that become files. Plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mesh_assets.words.errors import YourCode, YourData


class ArrivalState(StrEnum):
    #: Seen; it may still grow.
    SETTLING = "settling"
    #: Whole and readable: builds read it.
    ACCEPTED = "accepted"
    #: Whole and not readable as its source is declared: builds go on without it.
    SET_ASIDE = "set_aside"
    #: Another file came under its name.
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Arrival:
    """One content of one file. The same bytes under the same name are the same arrival."""

    domain: str
    source: str
    #: Relative to where the source's files are.
    file: str
    size: int
    #: Modification time in nanoseconds: with the size, how a look knows that nothing changed.
    modified: int
    first_seen: datetime
    #: When size and time were last seen to change.
    changed: datetime
    state: ArrivalState = ArrivalState.SETTLING
    #: None while it settles.
    sha256: str | None = None
    settled: datetime | None = None
    #: Why it waits, or why it is set aside.
    reason: str = ""
    #: Weeks that the file is named for; empty for a source that is not weekly.
    partitions: tuple[str, ...] = ()
    #: Number of the group in which it was handed to orchestration; None: not yet.
    batch: int | None = None
    #: The registry's number of it; None before it is there.
    id: int | None = None

    @property
    def decided(self) -> bool:
        return self.state is not ArrivalState.SETTLING


@dataclass(frozen=True)
class Landing:
    """A batch of rows or events that was written as one file."""

    domain: str
    source: str
    number: int
    #: The file, relative to where the source's files are.
    file: str
    rows: int
    #: From the first to the last watermark (rows), or moment of reception (events).
    low: str
    high: str
    sha256: str = ""
    #: Keys of rows whose watermark is `high`: more of them may come.
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Received:
    """What became of pushed events."""

    domain: str
    source: str
    accepted: int
    #: Known already, and not taken twice.
    duplicates: int

    @property
    def facts(self) -> Mapping[str, object]:
        return dict(vars(self))


class UnknownSource(YourCode):
    def __init__(self, *, domain: str, source: str, known: tuple[str, ...]) -> None:
        super().__init__(domain=domain, source=source, known=known)

    def describe(self) -> str:
        known = ", ".join(self.facts["known"]) or "none"
        return (
            "{domain} has no source {source!r} that takes events; it has {known}. A source takes events with "
            "`kind: events` in its domain.yaml"
        ).format(**{**self.facts, "known": known})


class EventsRefused(YourData):
    template = "The events for {domain}.{source} were not taken, none of them: {problem}"


class RowsUnreachable(YourData):
    template = (
        "The new rows of {domain}.{source} could not be read: {problem}. Its connection is in the variable "
        "{variable}, as sqlite:PATH, duckdb:PATH or postgres:CONNECTION"
    )
