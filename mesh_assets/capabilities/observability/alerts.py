"""Telling people: what began to stand, what stands still, what is over; each fact once.

Here: comparing how things stand with what was told, and putting messages into the outbox, in one
transaction. Not here: reading rules (alert_rules), facts (alert_facts), sending (alert_messages).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mesh_assets.capabilities.observability.alert_facts import (
    asks_for_history,
    journey_rules,
    matched,
    subjects,
)
from mesh_assets.capabilities.observability.delivery import Delivered, deliver
from mesh_assets.capabilities.registry import alerts as record
from mesh_assets.capabilities.registry import events, outbox
from mesh_assets.capabilities.registry.alerts import Standing
from mesh_assets.capabilities.registry.outbox import Message
from mesh_assets.words.alerts import AlertRule, Alerts, Item, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

CHANNEL = "alert"


@dataclass(frozen=True)
class Looked:
    """What one look found, and what came of it."""

    standing: int
    queued: int
    delivered: Delivered


def look_and_tell(
    settings: Settings, registry: Registry, alerts: Alerts, *, now: datetime | None = None
) -> Looked:
    """Look how everything stands, put what is new into the outbox, deliver what is due."""
    from mesh_assets.capabilities.observability.alert_messages import channel

    moment = now or datetime.now(UTC)
    history = any(asks_for_history(rule.when) for rule in alerts.rules)
    found, journeys = subjects(settings, registry, moment, history=history)
    rules = [*alerts.rules, *journey_rules(journeys, tuple(alerts.receivers))]
    standing, queued = tell(registry, rules, found, moment)
    return Looked(standing, queued, deliver(registry, channel(settings, alerts), now=now))


def tell(
    registry: Registry, rules: Sequence[AlertRule], found: Sequence[Subject], now: datetime
) -> tuple[int, int]:
    """(what stands, messages that are new). What was told and the messages change in one transaction, so
    that two who look at once tell it once.
    """
    queued = 0
    with registry.writing() as connection:
        before = record.standing(connection)
        after: list[Standing] = []
        for rule in rules:
            known = {each.subject: each for each in before if each.rule == rule.name}
            stands, items = _compare(rule, known, matched(rule, found, now), now)
            if items and _window_is_over(connection, rule, now):
                queued += outbox.put(connection, _messages(rule, items, now))
                events.advance(connection, _cursor(rule), int(now.timestamp()))
                stands = [_told(each, items, now) for each in stands]
                stands = [each for each in stands if each.states]
            after += stands
        # Rules that are gone take what they found with them.
        record.keep(connection, before, after)
    return sum(bool(each.states) for each in after), queued


def _compare(
    rule: AlertRule, known: Mapping[str, Standing], holding: Mapping[str, Subject], now: datetime
) -> tuple[list[Standing], list[Item]]:
    """What stands for a rule now, and what of it is to be told."""
    stands, items = [], []
    for name, subject in holding.items():
        states, old = ",".join(sorted(subject.states)), known.get(name)
        since = old.since if old and old.states else now
        new = Standing(rule.name, name, states, subject.told, since, *_told_of(old))
        stands.append(new)
        if _is_news(rule, new, now):
            items.append(Item(name, tuple(sorted(subject.states)), subject.told, since))
    for name, old in known.items():
        if name in holding or old.told is None:
            continue  # nobody was told, so nobody need be told that it is over
        if rule.recovery:
            items.append(Item(name, tuple(old.told_states.split(",")), "", old.since, recovered=True))
            stands.append(replace(old, states=""))
    return stands, items


def _told_of(old: Standing | None) -> tuple[datetime | None, str]:
    return (None, "") if old is None else (old.told, old.told_states)


def _is_news(rule: AlertRule, stands: Standing, now: datetime) -> bool:
    if stands.told is None or stands.told_states != stands.states:
        return True
    return rule.repeat is not None and now - stands.told >= rule.repeat


def _told(stands: Standing, items: Iterable[Item], now: datetime) -> Standing:
    if stands.subject in {item.subject for item in items}:
        return replace(stands, told=now, told_states=stands.states)
    return stands


def _cursor(rule: AlertRule) -> str:
    return f"alert {rule.name}"


def _window_is_over(connection: Connection, rule: AlertRule, now: datetime) -> bool:
    return now.timestamp() - events.position(connection, _cursor(rule)) >= rule.group.total_seconds()


def _messages(rule: AlertRule, items: Sequence[Item], now: datetime) -> list[Message]:
    body = {
        "rule": rule.name,
        "urgent": rule.urgent,
        "at": now.isoformat(timespec="seconds"),
        "items": [each.plain() for each in items],
    }
    key = f"{rule.name}:{now.isoformat()}"
    return [Message(CHANNEL, name, f"{key}:{name}", body, created=now, due=now) for name in rule.to]
