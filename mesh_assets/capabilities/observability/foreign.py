"""What other tools say, checked and turned into events: OpenLineage, and plain events of our own form.

Here: reading a body, what is asked of it, which job ended how. Not here: who may send (tokens), HTTP
(intake).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from mesh_assets.words.events import Event, EventKind, EventRefused
from mesh_assets.words.orders import JobReport

SCHEMA = Path(__file__).parent / "schemas" / "OpenLineage-2-0-2.json"
DEEPEST = 40
#: Plain events in one body, and tests or metrics that one OpenLineage event is taken apart into.
MOST = 1_000
LONGEST = 2_000
LARGEST_BODY = 64_000
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")
ENDED = {"COMPLETE": True, "FAIL": False, "ABORT": False}
GOOD = {"succeeded": True, "passed": True, "failed": False}
PLAIN = {"id", "kind", "occurred", "product", "run", "job", "outcome", "body"}
#: What may be written of each kind in `body`, if anything is prescribed.
NEEDED = {EventKind.METRIC: ("name", "value"), EventKind.LOG: ("summary",), EventKind.TEST: ("name",)}


@dataclass(frozen=True)
class Heard:
    """What a body amounts to."""

    events: tuple[Event, ...]
    reports: tuple[JobReport, ...] = ()


def parsed(body: bytes) -> Any:
    """JSON values that any store can hold; raises EventRefused."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        told = "nested too deep" if isinstance(error, RecursionError) else f"not JSON ({error})"
        raise EventRefused(where="the body", problem=told[:200]) from None
    _storable(value, "the body", 0)
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _storable(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise EventRefused(where=where[:LONGEST], problem=f"nested more than {DEEPEST} deep")
    if isinstance(value, str) and UNSTORABLE.search(value):
        raise EventRefused(where=where[:200], problem="a character in it cannot be stored")
    if isinstance(value, float) and not math.isfinite(value):
        raise EventRefused(where=where[:200], problem="the number is beyond every one that is stored")
    if isinstance(value, dict):
        for key, each in value.items():
            _storable(key, where, depth + 1)
            _storable(each, f"{where}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _storable(each, f"{where}[{number}]", depth + 1)


def from_lineage(document: Any, sender: str) -> Heard:
    """A RunEvent, JobEvent or DatasetEvent; raises EventRefused with the place that is wrong."""
    if not isinstance(document, dict):
        raise EventRefused(where="the body", problem="it must be one event, a JSON object")
    form = "RunEvent" if "run" in document else "JobEvent" if "job" in document else "DatasetEvent"
    _check(document, form)
    basis = _basis(document, form, sender)
    events = (basis, *_parts(document, basis))
    good = ENDED.get(document.get("eventType", "")) if form == "RunEvent" else None
    if good is None:
        return Heard(events)
    error = _dict(_dict(document["run"].get("facets")).get("errorMessage")).get("message", "")
    job, run = document["job"], document["run"]["runId"]
    names = (job["name"], f"{job['namespace']}/{job['name']}")
    told = str(error)[:LONGEST]
    return Heard(events, tuple(JobReport(name, run, basis.occurred, good, told) for name in names))


def _basis(document: Mapping[str, Any], form: str, sender: str) -> Event:
    job, run = _dict(document.get("job")), _dict(document.get("run"))
    canonical = json.dumps(document, sort_keys=True).encode()
    kind = EventKind.DATASET
    if form == "RunEvent":
        kind = EventKind.TASK if "parent" in _dict(run.get("facets")) else EventKind.RUN
    outputs = document.get("outputs") or [{}]
    return Event(
        key=f"lineage:{sender}:{hashlib.sha256(canonical).hexdigest()}",
        kind=kind,
        occurred=moment(document["eventTime"], "eventTime"),
        sender=sender,
        product=str(_dict(document.get("dataset")).get("name") or outputs[0].get("name") or ""),
        run_id=str(run.get("runId", "")),
        job=str(job.get("name", "")),
        outcome=str(document.get("eventType", form)),
        body=document,
    )


def _parts(document: Mapping[str, Any], basis: Event) -> Iterator[Event]:
    """Tests and row counts in the facets of datasets, as events of their own."""
    found = 0
    for dataset in (*document.get("inputs", ()), *document.get("outputs", ())):
        facets = {
            **_dict(dataset.get("facets")),
            **_dict(dataset.get("inputFacets")),
            **_dict(dataset.get("outputFacets")),
        }
        for kind, outcome, body in _said(facets):
            found += 1
            if found > MOST:
                return
            yield Event(
                key=f"{basis.key}:{found}",
                kind=kind,
                occurred=basis.occurred,
                sender=basis.sender,
                product=str(dataset["name"]),
                run_id=basis.run_id,
                job=basis.job,
                outcome=outcome,
                body=body,
            )


def _said(facets: Mapping[str, Any]) -> Iterator[tuple[EventKind, str, Mapping[str, Any]]]:
    assertions = _dict(facets.get("dataQualityAssertions")).get("assertions")
    for each in assertions if isinstance(assertions, list) else ():
        if isinstance(each, dict):
            yield EventKind.TEST, "passed" if each.get("success") is True else "failed", each
    rows = _dict(facets.get("outputStatistics")).get("rowCount")
    if isinstance(rows, int):
        yield EventKind.METRIC, "", {"name": "rows", "value": rows}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def from_plain(document: Any, sender: str) -> Heard:
    """One event of our own form, or `{"events": [...]}`; all of them are right, or none is taken."""
    many = document.get("events") if isinstance(document, dict) and set(document) == {"events"} else None
    listed = many if isinstance(many, list) else [document]
    if not 1 <= len(listed) <= MOST:
        raise EventRefused(where="events", problem=f"{len(listed)} of them; send 1 to {MOST}")
    events = tuple(_plain(each, sender, number) for number, each in enumerate(listed))
    reports = [
        JobReport(event.job, event.run_id, event.occurred, GOOD[event.outcome])
        for event in events
        if event.kind is EventKind.RUN and event.job and event.run_id and event.outcome in GOOD
    ]
    return Heard(events, tuple(reports))


def _plain(value: Any, sender: str, number: int) -> Event:
    where = f"events[{number}]"
    if not isinstance(value, dict):
        raise EventRefused(where=where, problem="an event is a JSON object")
    strange = sorted(set(value) - PLAIN)
    if strange:
        told = f"the key {strange[0]!r} is not known here. Allowed: {', '.join(sorted(PLAIN))}"
        raise EventRefused(where=where, problem=told[:LONGEST])
    texts = {name: _text(value, name, where) for name in PLAIN - {"body"}}
    for name in ("id", "kind", "occurred"):
        if not texts[name]:
            raise EventRefused(where=where, problem=f"{name!r} is missing")
    if texts["kind"] not in set(EventKind):
        told = f"there is no kind {texts['kind']!r}. Allowed: {', '.join(EventKind)}"
        raise EventRefused(where=f"{where}.kind", problem=told)
    kind = EventKind(texts["kind"])
    name = hashlib.sha256(texts["id"].encode()).hexdigest()
    return Event(
        key=f"event:{sender}:{name}",
        kind=kind,
        occurred=moment(texts["occurred"], f"{where}.occurred"),
        sender=sender,
        product=texts["product"],
        run_id=texts["run"],
        job=texts["job"],
        outcome=texts["outcome"],
        body=_body(value.get("body", {}), kind, where),
    )


def _text(value: Mapping[str, Any], name: str, where: str) -> str:
    found = value.get(name, "")
    if not isinstance(found, str) or len(found) > LONGEST:
        raise EventRefused(where=f"{where}.{name}", problem=f"write a text of up to {LONGEST:,} letters")
    return found


def _body(value: Any, kind: EventKind, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(json.dumps(value)) > LARGEST_BODY:
        told = f"write a JSON object of up to {LARGEST_BODY:,} bytes"
        raise EventRefused(where=f"{where}.body", problem=told)
    for name in NEEDED.get(kind, ()):
        if name not in value:
            raise EventRefused(where=f"{where}.body", problem=f"a {kind} needs {name!r}")
    number = value.get("value")
    if kind is EventKind.METRIC and (isinstance(number, bool) or not isinstance(number, int | float)):
        raise EventRefused(where=f"{where}.body.value", problem="the value of a metric is a number")
    return value


def moment(text: str, where: str) -> datetime:
    """A moment with its zone, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise EventRefused(where=where, problem="write a moment such as 2030-01-31T09:00:00Z") from None
    if found.tzinfo is None or not 1970 <= found.year <= 2200:
        raise EventRefused(where=where, problem="write a moment with its zone, from 1970 to 2200")
    return found.astimezone(UTC)


def _check(document: Mapping[str, Any], form: str) -> None:
    error = next(iter(_validator(form).iter_errors(document)), None)
    if error is not None:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        told = error.message if len(error.message) <= 300 else f"{error.message[:300]}…"
        raise EventRefused(where=(where.lstrip(".") or form)[:LONGEST], problem=told)


@lru_cache(maxsize=4)
def _validator(form: str) -> Any:
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("date-time")(_is_moment)
    formats.checks("uuid", raises=ValueError)(_is_uuid)
    formats.checks("uri")(lambda text: not isinstance(text, str) or bool(SCHEME.match(text)))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wanted = {"$defs": schema["$defs"], "$ref": f"#/$defs/{form}"}
    return Draft202012Validator(wanted, format_checker=formats)


def _is_moment(text: object) -> bool:
    if not isinstance(text, str):
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_uuid(text: object) -> bool:
    return not isinstance(text, str) or bool(uuid.UUID(text))
