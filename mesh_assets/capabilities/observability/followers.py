"""Telling followers: a new version, a failed audit, a breaking change or a deprecation that is announced.

Here: what happened since the last look, whom it concerns, putting it into the outbox, sending it.
Not here: alerts, which are rules of the mesh's own (alerts); trying again (delivery).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.observability.alert_messages import SENDERS
from mesh_assets.capabilities.observability.delivery import Channel, Delivered, Refused, deliver, post
from mesh_assets.capabilities.publishing.vault import record as put_aside
from mesh_assets.capabilities.registry import controls, events, following, outbox
from mesh_assets.capabilities.registry.outbox import Message
from mesh_assets.words.alerts import Alerts, Receiver, ReceiverKind
from mesh_assets.words.controls import AnnouncementKind
from mesh_assets.words.following import By, Follow, Heard
from mesh_assets.words.versions import PROD, BuildOutcome

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

CHANNEL = "follow"
BUILDS, RELEASES, ANNOUNCED = "follow builds", "follow releases", "follow announcements"
STEP = 500
_BAD = {BuildOutcome.REFUSED, BuildOutcome.FAILED}
_KINDS = {AnnouncementKind.BREAKING: Heard.BREAKING, AnnouncementKind.DEPRECATED: Heard.DEPRECATED}


@dataclass(frozen=True)
class News:
    """One thing that happened to a product."""

    product: str
    event: Heard
    moment: datetime
    told: str
    key: str
    run_id: str = ""


def tell_followers(
    settings: Settings, registry: Registry, alerts: Alerts | None, *, now: datetime | None = None
) -> Delivered:
    """Put what is new into the outbox, once for each follower, and send what is due."""
    while _queue(registry):
        pass
    return deliver(registry, channel(settings, registry, alerts), now=now)


def _queue(registry: Registry) -> bool:
    """One step of what happened; whether there was any. Messages and the reader's place change together."""
    with registry.reading() as connection:
        if not _is_behind(connection):
            return False
    with registry.writing() as connection:
        listening = following.followers(connection)
        found = list(_news(connection))
        outbox.put(connection, [each for news in found for each in _messages(news, listening)])
    return True


def _is_behind(connection: Connection) -> bool:
    last = controls.last_announcement(connection)
    return events.is_behind(connection, BUILDS, RELEASES) or last > events.position(connection, ANNOUNCED)


def _news(connection: Connection) -> Iterator[News]:
    """What happened since the last look; moves the reader's place on."""
    moves = events.moves_after(connection, events.position(connection, RELEASES), STEP)
    for each in moves:
        if each.environment == PROD:
            told = f"version {each.number} is what readers see now"
            key = f"release:{each.release}:{each.product}"
            yield News(each.product, Heard.RELEASED, each.released, told, key, each.run_id)
    if moves:
        events.advance(connection, RELEASES, moves[-1].release)
    builds = events.builds_after(connection, events.position(connection, BUILDS), STEP)
    for logged in builds:
        build = logged.build
        if build.outcome in _BAD and not build.recheck:
            told = build.message or f"its build was {build.outcome}"
            key = f"build:{logged.id}"
            yield News(str(build.product), Heard.FAILED, build.started, told, key, build.run_id)
    if builds:
        events.advance(connection, BUILDS, builds[-1].id)
    announced = controls.announcements_after(connection, events.position(connection, ANNOUNCED))
    for one in announced:
        yield News(str(one.product), _KINDS[one.kind], one.announced, one.told(), f"announced:{one.number}")
    if announced:
        events.advance(connection, ANNOUNCED, announced[-1].number)


def _messages(news: News, listening: Sequence[Follow]) -> Iterator[Message]:
    body = {
        "product": news.product,
        "event": str(news.event),
        "at": news.moment.isoformat(timespec="seconds"),
        "told": news.told,
        "run_id": news.run_id,
    }
    now = datetime.now(UTC)
    for each in listening:
        if each.about(news.product) and news.event in each.events and news.moment >= each.since:
            yield Message(CHANNEL, str(each.id), f"{news.key}:{each.id}", body, created=now, due=now)


def channel(settings: Settings, registry: Registry, alerts: Alerts | None) -> Channel:
    """How followers are told: each message by itself."""
    known = {str(each.id): each for each in registry.followers()}

    def send(number: str, messages: Sequence[Message]) -> None:
        follow = known.get(number)
        if follow is None:
            raise Refused("nobody follows under this number any more")
        for message in messages:
            _send(settings, alerts, follow, message)

    return Channel(CHANNEL, send)


def _send(settings: Settings, alerts: Alerts | None, follow: Follow, message: Message) -> None:
    body = dict(message.body)
    if settings.kitchen:  # people and systems outside are not told of what is tried
        put_aside(settings.home / "outside.jsonl", f"news to {follow.by} {follow.id}", [repr(body)], {})
        return
    if follow.by is By.WEBHOOK:
        post(follow.address, body, key=message.key)
        return
    server = mail_server(alerts)
    if server is None:
        raise Refused("no receiver of kind mail is in the alerts' file, so no mail server is known")
    SENDERS[ReceiverKind.MAIL](settings, replace(server, to=(follow.address,)), _letter(body), message.key)


def mail_server(alerts: Alerts | None) -> Receiver | None:
    """The first receiver of kind mail: its server and sender carry what followers get as well."""
    receivers = alerts.receivers.values() if alerts else ()
    return next((each for each in receivers if each.kind is ReceiverKind.MAIL), None)


def _letter(body: dict[str, Any]) -> dict[str, Any]:
    """In the form of the alerts' mails."""
    item = {
        "subject": body["product"],
        "states": [body["event"]],
        "told": body["told"],
        "since": body["at"],
        "recovered": False,
    }
    return {"rules": ["followed"], "at": body["at"], "items": [item], "digest": False}
