"""Reading journeys: one YAML file each, strictly, against the products that there are.

Here: from a file to a Journey; which products belong to it. Not here: how its runs went (observability).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
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
from mesh_assets.capabilities.contracts.periods import PeriodRefused, period
from mesh_assets.capabilities.lineage.model import Mesh
from mesh_assets.words.cron import CronRefused, last_tick, read_cron
from mesh_assets.words.errors import NameMalformed
from mesh_assets.words.journeys import Journey, JourneyStep, ReadyBy, RowBounds, UnknownJourney
from mesh_assets.words.names import WORD, ProductName, product_name
from mesh_assets.words.settings import Settings

REQUIRED = ("name", "description", "targets")
OPTIONAL = ("schedule", "trigger", "since", "steps", "expectations", "owners", "told")
EXPECTATIONS = ("ready_by", "at_most_old", "rows", "all_checks_passed", "steps_in_order")
#: The code location of journeys, which no journey and no domain may be called.
LOCATION = "journeys"


def read_journeys(settings: Settings, mesh: Mesh) -> list[Journey]:
    """Every journey of the mesh, by name. Raises DocumentMalformed with file, line and column."""
    return [read_journey(path, mesh) for path in journey_files(settings)]


def journey_files(settings: Settings) -> list[Path]:
    return sorted(settings.journeys.glob("*.yaml"))


def find_journey(settings: Settings, mesh: Mesh, name: str) -> Journey:
    """The journey of that name; raises UnknownJourney with the nearest ones."""
    found = {each.name: each for each in read_journeys(settings, mesh)}
    if name not in found:
        near = difflib.get_close_matches(name, found, n=2)
        raise UnknownJourney(name=name, hint=f" Did you mean {' or '.join(near)}?" if near else "")
    return found[name]


def members(mesh: Mesh, journey: Journey) -> set[ProductName]:
    """Everything that a run of the journey makes: targets and steps, and all that they need."""
    named = {*journey.targets, *(name for step in journey.steps for name in step.products)}
    return mesh.upstream(named)


def read_journey(path: Path, mesh: Mesh) -> Journey:
    document = parse(str(path), read_text(path))
    check_keys(document, (), required=REQUIRED, optional=OPTIONAL)
    value = document.value
    if ("schedule" in value) == ("trigger" in value):
        told = "`schedule` and `trigger` are both here" if "trigger" in value else "nothing says when it runs"
        raise document.malformed((), told, "Write one of schedule and trigger")
    journey = Journey(
        name=_name(document, path.stem, mesh),
        description=_text(document, ("description",)),
        targets=_products(document, ("targets",), mesh),
        place=document.place(),
        steps=_steps(document, mesh),
        owners=_texts(document, ("owners",)),
        told=_texts(document, ("told",)),
    )
    if "schedule" in value:
        cron, zone = _schedule(document)
        journey = replace(journey, cron=cron, zone=zone)
    else:
        check_keys(document, ("trigger",), required=("published",), optional=())
        journey = replace(journey, trigger=_product(document, ("trigger", "published"), mesh))
    if "since" in value:
        journey = replace(journey, since=_since(document, journey.zone))
    return _with_expectations(document, journey, mesh)


def _since(document: Document, zone: str) -> datetime:
    """The day from which on something is owed, in the schedule's time zone."""
    found = document.at(("since",))
    try:
        day = found if type(found) is date else date.fromisoformat(str(found))
    except ValueError:
        raise document.malformed(("since",), f"{found!r} is no day", "E.g. 2026-12-01") from None
    return datetime.combine(day, time(0), ZoneInfo(zone))


def _name(document: Document, stem: str, mesh: Mesh) -> str:
    name = _text(document, ("name",))
    if name != stem:
        raise document.malformed(
            ("name",), f"`name` is {name!r}, and the file is {stem}.yaml", "Make them one"
        )
    if not WORD.match(name) or name.startswith("_") or name in (*mesh.domains, LOCATION, "all"):
        raise document.malformed(
            ("name",),
            f"{name!r} is no name of a journey",
            "Write lower-case letters, digits and underscores, and no domain's name",
        )
    return name


def _schedule(document: Document) -> tuple[str, str]:
    check_keys(document, ("schedule",), required=("cron",), optional=("timezone",))
    cron, zone = _text(document, ("schedule", "cron")), "UTC"
    try:
        if last_tick(read_cron(cron), ZoneInfo("UTC"), datetime.now(UTC)) is None:
            raise CronRefused("it names no day of any year")
    except CronRefused as error:
        raise document.malformed(("schedule", "cron"), f"{cron!r}: {error}", "E.g. 0 6 * * 1") from None
    if "timezone" in document.value["schedule"]:
        zone = _zone(document, ("schedule", "timezone"))
    return cron, zone


def _zone(document: Document, path: Steps) -> str:
    text = _text(document, path)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise document.malformed(path, f"{text!r} is no time zone", "E.g. America/New_York, or UTC") from None
    return text


def _steps(document: Document, mesh: Mesh) -> tuple[JourneyStep, ...]:
    steps: list[JourneyStep] = []
    for number, _ in enumerate(_list(document, ("steps",))):
        step = _step(document, ("steps", number), mesh)
        if step.name in [each.name for each in steps]:
            raise document.malformed(("steps", number, "name"), f"two steps are called {step.name!r}")
        steps.append(step)
    return tuple(steps)


def _step(document: Document, at: Steps, mesh: Mesh) -> JourneyStep:
    check_keys(document, at, required=("name",), optional=("products", "external", "within"))
    name, written = _text(document, (*at, "name")), document.at(at)
    if not WORD.match(name):
        raise document.malformed(
            (*at, "name"),
            f"{name!r} is no name of a step",
            "Write lower-case letters, digits and underscores",
        )
    if ("products" in written) == ("external" in written):
        raise document.malformed(at, "a step has products, or is an external job", "Write one of the two")
    if "products" in written:
        if "within" in written:
            raise document.malformed((*at, "within"), "`within` is for external jobs", "Take it away")
        return JourneyStep(name, products=_products(document, (*at, "products"), mesh))
    within = _span(document, (*at, "within")) if "within" in written else timedelta(0)
    return JourneyStep(name, external=_text(document, (*at, "external")), within=within)


def _with_expectations(document: Document, journey: Journey, mesh: Mesh) -> Journey:
    at: Steps = ("expectations",)
    if "expectations" not in document.value:
        return journey
    check_keys(document, at, required=(), optional=EXPECTATIONS)
    written = document.value["expectations"]
    readers: dict[str, tuple[str, Callable[[Steps], Any]]] = {
        "ready_by": ("ready_by", lambda path: _ready_by(document, path)),
        "at_most_old": ("at_most_old", lambda path: _span(document, path)),
        "rows": ("rows", lambda path: _rows(document, path, journey, mesh)),
        "all_checks_passed": ("all_checks", lambda path: _flag(document, path)),
        "steps_in_order": ("in_order", lambda path: _flag(document, path)),
    }
    facts = {readers[key][0]: readers[key][1]((*at, key)) for key in written}
    if facts.get("in_order") and len(journey.steps) < 2:
        raise document.malformed(
            (*at, "steps_in_order"), "there are no steps to be in order", "Write `steps`"
        )
    return replace(journey, **facts)


def _ready_by(document: Document, at: Steps) -> ReadyBy:
    check_keys(document, at, required=("time",), optional=("timezone", "days"))
    text = _text(document, (*at, "time"))
    try:
        moment = time.fromisoformat(text)
    except ValueError:
        raise document.malformed((*at, "time"), f"{text!r} is no time of day", 'E.g. "08:00"') from None
    days = document.at((*at, "days")) or 0
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise document.malformed((*at, "days"), f"`days` is {kind_of(days)}; it must be 0, 1, 2, …")
    default = document.at(("schedule", "timezone")) or "UTC"
    zone = _zone(document, (*at, "timezone")) if document.at((*at, "timezone")) else str(default)
    return ReadyBy(moment.hour, moment.minute, zone, days)


def _rows(document: Document, at: Steps, journey: Journey, mesh: Mesh) -> dict[ProductName, RowBounds]:
    found: dict[ProductName, RowBounds] = {}
    written = document.at(at)
    if not isinstance(written, dict) or not written:
        raise document.malformed(
            at, f"here is {kind_of(written)}", "Write product: {minimum: 1, maximum: 100}"
        )
    for key in written:
        name = _known(document, (*at, key), key, mesh, at_key=True)
        if name not in journey.targets:
            told = allowed_words(key, map(str, journey.targets))
            raise document.malformed((*at, key), f"{name} is no target of the journey", told, key=True)
        check_keys(document, (*at, key), required=(), optional=("minimum", "maximum"))
        bounds = written[key]
        for word, number in bounds.items():
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise document.malformed((*at, key, word), f"`{word}` is {kind_of(number)}; write a number")
        if not bounds or bounds.get("minimum", 0) > bounds.get("maximum", bounds.get("minimum", 0)):
            raise document.malformed((*at, key), "no number of rows is within these bounds")
        found[name] = RowBounds(bounds.get("minimum"), bounds.get("maximum"))
    return found


def _products(document: Document, at: Steps, mesh: Mesh) -> tuple[ProductName, ...]:
    found = [_product(document, (*at, number), mesh) for number, _ in enumerate(_list(document, at))]
    if not found:
        raise document.malformed(at, f"`{at[-1]}` is empty", "Name at least one product")
    return tuple(dict.fromkeys(found))


def _product(document: Document, at: Steps, mesh: Mesh) -> ProductName:
    return _known(document, at, _text(document, at), mesh)


def _known(document: Document, at: Steps, text: str, mesh: Mesh, *, at_key: bool = False) -> ProductName:
    try:
        name = product_name(text)
    except NameMalformed as error:
        raise document.malformed(at, str(error), key=at_key) from None
    if name not in mesh.assets or name.private:
        near = difflib.get_close_matches(text, [str(each.name) for each in mesh.products], n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See `mesh products`"
        raise document.malformed(at, f"there is no product {text!r}", hint, key=at_key)
    return name


def _span(document: Document, at: Steps) -> timedelta:
    try:
        found = period(document.at(at))
    except PeriodRefused as error:
        raise document.malformed(at, str(error), error.remedy or "E.g. 8d, 36h, P1D") from None
    if found <= timedelta(0):
        raise document.malformed(at, "no time at all", "Write e.g. 2h")
    return found


def _flag(document: Document, at: Steps) -> bool:
    found = document.at(at)
    if not isinstance(found, bool):
        raise document.malformed(at, f"`{at[-1]}` is {kind_of(found)}; write true or false")
    return found


def _text(document: Document, at: Steps) -> str:
    found = document.at(at)
    if not isinstance(found, str) or not found.strip():
        raise document.malformed(at, f"`{at[-1]}` is {kind_of(found)}; it must be a text")
    return found.strip()


def _list(document: Document, at: Steps) -> list[Any]:
    found = document.at(at)
    if found is None:
        return []
    if not isinstance(found, list):
        raise document.malformed(at, f"`{at[-1]}` is {kind_of(found)}; it must be a list")
    return found


def _texts(document: Document, at: Steps) -> tuple[str, ...]:
    return tuple(_text(document, (*at, number)) for number, _ in enumerate(_list(document, at)))
