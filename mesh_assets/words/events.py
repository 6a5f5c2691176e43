"""Events: what happened in the mesh and in tools beside it, one fact a row, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mesh_assets.words.errors import YourCode, YourData


class EventRefused(YourData):
    """An event that is not taken; `where` is the place in its JSON, as keys and positions."""

    template = "The event is not taken: {where}: {problem}"


class NoToken(YourCode):
    template = (
        "`mesh events serve` takes events from nobody without a token. Set MESH_EVENTS_TOKEN, or "
        "MESH_EVENTS_TOKEN_FILE with a line for each sender: name, scopes, token"
    )


class TokensMalformed(YourCode):
    """The file with tokens; no token is ever in the text."""

    template = "{file}:{line}: {problem}. Write `name scopes token`, e.g. airflow lineage,events TOKEN"


class EventKind(StrEnum):
    #: Something that ran as a whole: an order of this mesh, a run of another tool.
    RUN = "run"
    #: A part of a run: one build of one product, a task of another tool.
    TASK = "task"
    #: A dataset has a new state, or is described.
    DATASET = "dataset"
    #: A rule or a test said something.
    TEST = "test"
    METRIC = "metric"
    #: What a log adds up to, in a few words; never the log itself.
    LOG = "log"


#: Who sends what the mesh knows of itself.
OWN = "mesh"


@dataclass(frozen=True)
class Event:
    """One thing that happened. `key` names it for ever: the same key twice is one event."""

    key: str
    kind: EventKind
    occurred: datetime
    sender: str = OWN
    #: `domain.product`, or what another tool calls its dataset; "" for none.
    product: str = ""
    run_id: str = ""
    job: str = ""
    #: `published`, `failed`, `COMPLETE`, `passed` …; "" for a metric or a log.
    outcome: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    #: When the mesh had it on record; None before.
    received: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "kind": str(self.kind), "body": dict(self.body)}
