"""Requests that were made: lost, running or over, and what that says of their products.

Here: from what is on record to what is to be asked again, and what is settled. Not here: what is wanted
(conditions).

A request is written down before Dagster hears of it, so a machine may go down at any moment: one that no run
has is made again under the same name, which Dagster takes once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from mesh_assets.capabilities.contracts.automation import CRON
from mesh_assets.capabilities.orchestration.conditions import MOST_LOST, Decision, content_of
from mesh_assets.words.automation import Picture, Told, Watched
from mesh_assets.words.names import ProductName


class RunState(StrEnum):
    #: Dagster knows no run of this request.
    UNKNOWN = "unknown"
    GOING = "going"
    #: A person stopped it, and knows why.
    CANCELED = "canceled"
    OVER = "over"


@dataclass(frozen=True)
class Request:
    """One run over products of one domain. The token is its name, for us and for Dagster."""

    token: str
    products: tuple[ProductName, ...]
    partitions: tuple[str, ...]


@dataclass
class Settled:
    """What became of the requests of a domain."""

    changed: list[Watched] = field(default_factory=list)
    #: To be made again: Dagster never heard of it.
    unheard: Request | None = None
    going: bool = False


def settle(picture: Picture, domain: str, state_of: Callable[[str], RunState]) -> Settled:
    """Look after the requests that are not over."""
    found = Settled()
    open_rows: dict[str, list[Watched]] = {}
    for row in picture.watched.values():
        if row.token and row.product.domain == domain:
            open_rows.setdefault(row.token, []).append(row)
    for token, rows in open_rows.items():
        told = {row.product: picture.told[row.product] for row in rows if row.product in picture.told}
        found.changed += [_ended(picture, row, told[row.product]) for row in rows if row.product in told]
        silent = [row for row in rows if row.product not in told]
        if silent:
            _settle_silent(picture, found, token, silent, told, state_of(token))
    return found


def _settle_silent(
    picture: Picture,
    found: Settled,
    token: str,
    silent: Sequence[Watched],
    told: Mapping[ProductName, Told],
    state: RunState,
) -> None:
    if state is RunState.GOING:
        found.going = True
    elif state is RunState.UNKNOWN and not told:
        found.unheard = Request(token, tuple(row.product for row in silent), silent[0].partitions)
    elif state is RunState.CANCELED:
        found.changed += [replace(row, token="", partitions=()) for row in silent]
    else:
        refused = any(not each.good for each in told.values())
        found.changed += [_lost(picture, row, skipped=refused) for row in silent]


def _ended(picture: Picture, row: Watched, told: Told) -> Watched:
    """A build said how it ended: what it had read by then is seen, however it ended."""
    content = content_of(picture, row)
    read = {name: text for name, text in content.items() if picture.heads[name].published <= told.started}
    return replace(row, token="", partitions=(), lost=0, seen={**(row.seen or {}), **read})


def _lost(picture: Picture, row: Watched, *, skipped: bool) -> Watched:
    """Its run is over and said nothing of it: skipped behind a refused one, or killed."""
    after = replace(row, token="", partitions=(), lost=0 if skipped else row.lost + 1)
    if row.joined:
        return after  # what it joined was not published: its own inputs are as they were
    if after.lost >= MOST_LOST:
        return replace(after, lost=0, seen=content_of(picture, row))
    return replace(after, seen=None)


def request_of(
    picture: Picture, decision: Decision, partitions: Sequence[str], now: datetime
) -> tuple[Request, list[Watched]]:
    """The request for what a tick decided, and the rows that remember it."""
    rows = [picture.watched[name] for name in decision.ask]
    token = _token(picture, rows, decision, now)
    kept = [
        replace(
            row,
            # A joined product's own inputs are looked at again when it has been made.
            seen=row.seen if row.product in decision.joined else content_of(picture, row),
            asked=now,
            token=token,
            partitions=tuple(partitions),
            after=picture.build,
            joined=row.product in decision.joined,
        )
        for row in rows
    ]
    return Request(token, tuple(decision.ask), tuple(partitions)), kept


def _token(picture: Picture, rows: Iterable[Watched], decision: Decision, now: datetime) -> str:
    """The same for two who decide the same thing at once; numbers of versions never come again."""
    facts = [
        [
            str(row.product),
            row.lost,
            sorted((str(name), picture.heads[name].number) for name in row.inputs if name in picture.heads),
            # The clock asks with the same versions as well.
            f"{now:%Y-%m-%dT%H:%M}" if row.rule == CRON else "",
            row.asked.isoformat() if row.asked else "",
        ]
        for row in sorted(rows, key=lambda each: each.product)
    ]
    return hashlib.sha256(json.dumps([facts, len(decision.joined)]).encode()).hexdigest()[:20]
