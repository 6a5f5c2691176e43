"""Reading alert rules, strictly: a word that is not known is an error with its line, and never passed over.

Here: from the file to rules and receivers. Not here: how things stand (alert_facts), telling (alerts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh_assets.capabilities.contracts.document import (
    Document,
    Steps,
    allowed_words,
    check_keys,
    kind_of,
    parse,
    read_text,
)
from mesh_assets.capabilities.observability.health_facts import State
from mesh_assets.words.alerts import (
    AlertRule,
    Alerts,
    Condition,
    Failures,
    NoAlerts,
    QuietHours,
    Receiver,
    ReceiverKind,
)
from mesh_assets.words.journeys import JourneyState
from mesh_assets.words.rules import Severity

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

T = TypeVar("T")

#: What may be said of a product, a journey or a domain. `recovered` is a message, not a state.
STATES = tuple(dict.fromkeys([*(str(each).replace(" ", "_") for each in State), *map(str, JourneyState)]))
SPAN = re.compile(r"^(\d{1,4})\s*([smhdw])$")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]{2,}$")
NAME = re.compile(r"^[a-z][a-z0-9_]{0,60}$")
#: Product, domain or journey with `*` for any letters.
PATTERN = re.compile(r"^[a-z0-9_*.]+$")
TESTS = ("state", "product", "domain", "journey", "severity", "duration", "failures")
#: Keys of each kind of receiver, beside `name`, `kind` and `quiet_hours`.
RECEIVERS: Mapping[ReceiverKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ReceiverKind.WEBHOOK: (("url_from",), ("token_from",)),
    ReceiverKind.SLACK: (("url_from",), ()),
    ReceiverKind.FILE: ((), ("path",)),
    ReceiverKind.MAIL: (("host", "from", "to"), ("port", "user", "password_from", "starttls")),
}


def read_alerts(settings: Settings) -> Alerts:
    """The file that MESH_ALERTS names; raises NoAlerts, or DocumentMalformed with file, line and value."""
    if not settings.alerts.is_file():
        raise NoAlerts(file=settings.alerts)
    return parse_alerts(str(settings.alerts), read_text(settings.alerts))


def parse_alerts(file: str, text: str) -> Alerts:
    document = parse(file, text)
    check_keys(document, (), required=("receivers", "rules"), optional=())
    receivers = {each.name: each for each in _each(document, ("receivers",), _receiver)}
    rules = tuple(_each(document, ("rules",), _rule))
    _refuse_twins(document)
    for number, rule in enumerate(rules):
        for position, name in enumerate(rule.to):
            if name not in receivers:
                raise document.malformed(
                    ("rules", number, "to", position),
                    f"there is no receiver {name!r}",
                    allowed_words(name, receivers),
                )
    return Alerts(file, receivers, rules)


def _each(document: Document, path: Steps, read: Callable[[Document, Steps], T]) -> list[T]:
    value = document.at(path)
    if not isinstance(value, list):
        raise document.malformed(path, f"here is {kind_of(value)}; it must be a list")
    return [read(document, (*path, number)) for number in range(len(value))]


def _refuse_twins(document: Document) -> None:
    for part in ("receivers", "rules"):
        seen: set[str] = set()
        for number, each in enumerate(document.value[part]):
            if each["name"] in seen:
                raise document.malformed(
                    (part, number, "name"), f"the name {each['name']!r} is there twice", "Give each its own"
                )
            seen.add(each["name"])


def _receiver(document: Document, path: Steps) -> Receiver:
    value = document.at(path)
    word = value.get("kind") if isinstance(value, dict) else None
    if word not in set(ReceiverKind):
        told = f"{word!r} is no kind of receiver" if word else "`kind` is missing here"
        raise document.malformed((*path, "kind"), told, allowed_words(word, list(ReceiverKind)))
    kind = ReceiverKind(word)
    required, optional = RECEIVERS[kind]
    check_keys(document, path, required=("name", "kind", *required), optional=(*optional, "quiet_hours"))
    quiet = _quiet(document, (*path, "quiet_hours")) if "quiet_hours" in value else None
    return Receiver(
        name=_name(document, (*path, "name")),
        kind=kind,
        quiet=quiet,
        url_from=_variable(document, (*path, "url_from")),
        token_from=_variable(document, (*path, "token_from")),
        password_from=_variable(document, (*path, "password_from")),
        path=_text(document, (*path, "path"), "alerts.ndjson"),
        host=_text(document, (*path, "host"), ""),
        port=_number(document, (*path, "port"), (1, 65_535), 25),
        sender=_text(document, (*path, "from"), ""),
        to=_texts(document, (*path, "to")),
        user=_text(document, (*path, "user"), ""),
        starttls=_flag(document, (*path, "starttls"), default=False),
    )


def _quiet(document: Document, path: Steps) -> QuietHours:
    check_keys(document, path, required=("from", "until", "timezone"), optional=("days",))
    start, until = _clock(document, (*path, "from")), _clock(document, (*path, "until"))
    if start == until:
        raise document.malformed((*path, "until"), "quiet hours begin and end at the same time")
    zone = _text(document, (*path, "timezone"), "")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise document.malformed(
            (*path, "timezone"), f"there is no time zone {zone!r}", "E.g. Europe/Berlin"
        ) from None
    days = _words(document, (*path, "days"), DAYS) or DAYS
    return QuietHours(start, until, zone, frozenset(DAYS.index(day) for day in days))


def _clock(document: Document, path: Steps) -> time:
    text = document.at(path)
    if not isinstance(text, str) or not CLOCK.match(text):
        raise document.malformed(path, f"here is {kind_of(text)}", "Write a time of day in quotes: '22:00'")
    return time.fromisoformat(text)


def _rule(document: Document, path: Steps) -> AlertRule:
    value = document.at(path)
    check_keys(
        document,
        path,
        required=("name", "to"),
        optional=("any", "all", "group", "repeat", "recovery", "urgent"),
    )
    if ("any" in value) == ("all" in value):
        raise document.malformed(path, "a rule has one of `any` and `all`", "Write one of them")
    to = _texts(document, (*path, "to"))
    if not to:
        raise document.malformed((*path, "to"), "nobody is told", "Name receivers")
    group = _span(document, (*path, "group")) if "group" in value else timedelta(minutes=5)
    return AlertRule(
        name=_name(document, (*path, "name")),
        when=_nested(document, path),
        to=to,
        group=group,
        repeat=_span(document, (*path, "repeat")) if "repeat" in value else None,
        recovery=_flag(document, (*path, "recovery"), default=True),
        urgent=_flag(document, (*path, "urgent"), default=False),
    )


def _nested(document: Document, path: Steps) -> Condition:
    """The condition of `any` or `all` below here."""
    word = "any" if "any" in document.at(path) else "all"
    inside = tuple(_each(document, (*path, word), _condition))
    if not inside:
        raise document.malformed((*path, word), "no condition is here", f"Allowed: {', '.join(TESTS)}")
    return Condition(any_of=inside) if word == "any" else Condition(all_of=inside)


def _condition(document: Document, path: Steps) -> Condition:
    value = document.at(path)
    check_keys(document, path, required=(), optional=(*TESTS, "any", "all"))
    if not value:
        raise document.malformed(path, "no condition is here", f"Allowed: {', '.join(TESTS)}, any, all")
    if "any" in value or "all" in value:
        if len(value) > 1:
            raise document.malformed(path, "`any` and `all` stand alone in their place")
        return _nested(document, path)
    return Condition(
        states=frozenset(_words(document, (*path, "state"), STATES)),
        products=_patterns(document, (*path, "product")),
        domains=_patterns(document, (*path, "domain")),
        journeys=_patterns(document, (*path, "journey")),
        severities=frozenset(_words(document, (*path, "severity"), [str(each) for each in Severity])),
        longer_than=_longer(document, (*path, "duration")) if "duration" in value else None,
        failures=_failures(document, (*path, "failures")) if "failures" in value else None,
    )


def _longer(document: Document, path: Steps) -> timedelta:
    check_keys(document, path, required=("above",), optional=())
    return _span(document, (*path, "above"))


def _failures(document: Document, path: Steps) -> Failures:
    value = document.at(path)
    if isinstance(value, dict) and "in_a_row" in value:
        check_keys(document, path, required=("in_a_row",), optional=())
        return Failures(_number(document, (*path, "in_a_row"), (1, 50), 1))
    check_keys(document, path, required=("count", "within"), optional=())
    return Failures(_number(document, (*path, "count"), (1, 50), 1), _span(document, (*path, "within")))


def _span(document: Document, path: Steps) -> timedelta:
    text = document.at(path)
    found = SPAN.match(text) if isinstance(text, str) else None
    if found is None:
        raise document.malformed(path, f"here is {kind_of(text)}", "Write a span of time: 90s, 10m, 4h, 2d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _texts(document: Document, path: Steps) -> tuple[str, ...]:
    """A text, or a list of them; nothing where nothing is."""
    value = document.at(path)
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    for number, each in enumerate(listed):
        if not isinstance(each, str) or not each.strip():
            where = (*path, number) if isinstance(value, list) else path
            raise document.malformed(where, f"here is {kind_of(each)}; write a text")
    return tuple(listed)


def _words(document: Document, path: Steps, allowed: Sequence[str]) -> tuple[str, ...]:
    found = _texts(document, path)
    for number, word in enumerate(found):
        if word not in allowed:
            where = (*path, number) if isinstance(document.at(path), list) else path
            raise document.malformed(where, f"{word!r} is not known here", allowed_words(word, allowed))
    return found


def _patterns(document: Document, path: Steps) -> tuple[str, ...]:
    found = _texts(document, path)
    for word in found:
        if not PATTERN.match(word):
            raise document.malformed(path, f"{word!r} is no name", "Write names, with * for any letters")
    return found


def _text(document: Document, path: Steps, default: str) -> str:
    found = _texts(document, path)
    if len(found) > 1:
        raise document.malformed(path, "here is a list; write one text")
    return found[0] if found else default


def _name(document: Document, path: Steps) -> str:
    name = _text(document, path, "")
    if not NAME.match(name):
        raise document.malformed(
            path, f"{name!r} is no name", "Write lower-case letters, digits, underscores"
        )
    return name


def _variable(document: Document, path: Steps) -> str:
    """The name of a variable. An address or a password itself is refused, and not repeated."""
    name = _text(document, path, "")
    if name and not VARIABLE.match(name):
        raise document.malformed(
            path,
            "here is no name of a variable",
            "Put the value in the environment and write its name: MESH_…",
        )
    return name


def _number(document: Document, path: Steps, bounds: tuple[int, int], default: int) -> int:
    value: Any = document.at(path)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
        raise document.malformed(
            path, f"here is {kind_of(value)}", f"Write a whole number from {bounds[0]} to {bounds[1]}"
        )
    return int(value)


def _flag(document: Document, path: Steps, *, default: bool) -> bool:
    value = document.at(path)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise document.malformed(path, f"here is {kind_of(value)}", "Write true or false")
    return value
