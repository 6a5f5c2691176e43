"""Delivering what is in the outbox: each message at least once, later if the receiver is down.

Here: one pass over what is due, waiting times, HTTP. Not here: what the messages say.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mesh_assets.capabilities.registry import outbox
from mesh_assets.capabilities.registry.outbox import Message

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
#: A receiver that is down for longer gets its messages when somebody asks for it (`--retry`).
GIVEN_UP = timedelta(days=7)
#: What a receiver says is wrong with a message does not become right by itself.
REFUSALS = 5
#: Messages of one claim, and seconds of one pass: a sensor must be back in time.
CLAIMED = 50
PASS_SECONDS = 20.0
HTTP_SECONDS = 10.0


class Unreachable(Exception):
    """The receiver is down, or says: later. No address and no secret is in the text."""


class Refused(Exception):
    """The receiver says that the message, or its sender, is wrong."""


@dataclass
class Delivered:
    sent: int = 0
    failed: int = 0
    dead: int = 0
    held: int = 0


#: Sends some messages of one receiver together; raises Unreachable or Refused, then none is taken as sent.
Send = Callable[[str, Sequence[Message]], None]


@dataclass(frozen=True)
class Channel:
    name: str
    send: Send
    #: Until when a receiver is not to be told; None: tell it.
    quiet: Callable[[Message, datetime], datetime | None] = lambda message, now: None
    #: Whether what a receiver is due is one message.
    together: Callable[[Sequence[Message]], bool] = lambda messages: False


def deliver(registry: Registry, channel: Channel, *, now: datetime | None = None) -> Delivered:
    """Try everything that is due; a receiver that is down is left alone for the rest of the pass."""
    done, down = Delivered(), set[str]()
    until = time.monotonic() + PASS_SECONDS
    while time.monotonic() < until:
        moment = now or datetime.now(UTC)
        with registry.writing() as connection:
            due = outbox.claim(connection, channel.name, moment, CLAIMED)
        if not due:
            break
        for receiver in dict.fromkeys(each.receiver for each in due):
            mine = [each for each in due if each.receiver == receiver]
            _to_one(registry, channel, mine, _Pass(moment, done, down, until))
    return done


@dataclass(frozen=True)
class _Pass:
    now: datetime
    done: Delivered
    down: set[str]
    until: float


def _to_one(registry: Registry, channel: Channel, messages: list[Message], this: _Pass) -> None:
    loud = []
    for message in messages:
        end = channel.quiet(message, this.now)
        if end is None:
            loud.append(message)
            continue
        this.done.held += 1
        with registry.writing() as connection:
            outbox.postpone(connection, [message.id], end, "held until the quiet hours are over")
    groups = [loud] if loud and channel.together(loud) else [[message] for message in loud]
    for group in groups:
        _try(registry, channel, group, this)


def _try(registry: Registry, channel: Channel, group: Sequence[Message], this: _Pass) -> None:
    receiver = group[0].receiver
    if receiver in this.down or time.monotonic() > this.until:
        with registry.writing() as connection:
            outbox.postpone(connection, [each.id for each in group], this.now + FIRST_WAIT, group[0].problem)
        return
    try:
        channel.send(receiver, group)
    except (Unreachable, Refused) as error:
        this.down.add(receiver)
        with registry.writing() as connection:
            outbox.put_off(connection, channel.name, receiver, this.now + FIRST_WAIT)
            for each in group:
                due = _next(each, error, this.now)
                outbox.failed(connection, each, problem=str(error), due=due, now=this.now)
                this.done.failed += 1
                this.done.dead += int(due is None)
        return
    with registry.writing() as connection:
        outbox.arrived(connection, [each.id for each in group], this.now)
    this.done.sent += len(group)


def _next(message: Message, error: Exception, now: datetime) -> datetime | None:
    """Twice as long each time, up to an hour, and never all at once."""
    refused = isinstance(error, Refused) and message.attempts + 1 >= REFUSALS
    if refused or now - message.created > GIVEN_UP:
        return None
    wait = min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(message.attempts, 12)))
    return now + wait * (0.5 + secrets.randbelow(1_000) / 2_000)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(url: str, document: Mapping[str, Any], *, token: str = "", key: str = "") -> None:
    """POST JSON; raises Unreachable or Refused with nothing of the address in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("the address is no http(s) URL")
    headers = {"Content-Type": "application/json", "User-Agent": "mesh_assets"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Idempotency-Key": key} if key else {}
    try:
        body = json.dumps(document, default=str).encode()
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - checked above
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=HTTP_SECONDS) as answer:
            answer.read(1_000)
    except urllib.error.HTTPError as error:
        error.close()
        later = error.code >= 500 or error.code in (401, 403, 408, 425, 429)
        raise (Unreachable if later else Refused)(f"it answered {error.code}") from None
    except (OSError, ValueError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"no answer ({type(reason).__name__})") from None
