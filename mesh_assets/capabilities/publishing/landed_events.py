"""Pushed events become files: each is on disk and on record when its sender hears so, and in one file once.

A request is one file in the spool, synced; then the keys that are new are put on record, each with its spool
file: that transaction is the acceptance. Of a request that died in between nothing is on record, its sender
heard nothing and sends again. Events are given the number of a file in one transaction, and the file is
written from the spool, again if need be.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Source
from mesh_assets.capabilities.publishing.landed_rows import hidden_name, one_at_a_time, plain, sync
from mesh_assets.capabilities.publishing.sources import folder_of
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.arrivals import EventsRefused, Landing, Received, UnknownSource
from mesh_assets.words.names import WORD
from mesh_assets.words.settings import Settings

#: Bytes of one request.
MOST_BYTES = 16 * 1024 * 1024
MOST_KEY = 200
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
JSON = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")
#: A spool file that nobody has on record belongs to a request that died, or that is being taken in.
DEAD = timedelta(days=1)


def take_in(
    settings: Settings, registry: Registry, domain: str, name: str, body: bytes, content_type: str
) -> Received:
    """See arrivals.receive."""
    source = _source(settings, domain, name)
    events = _by_key(domain, source, _parse(domain, source, body, content_type))
    spool = f"{uuid.uuid4().hex}.ndjson"
    folder = _spool(settings, domain, source)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / spool
    path.write_text("".join(f"{json.dumps(event, sort_keys=True)}\n" for event in events.values()))
    sync(path)
    sync(folder)
    fresh = registry.take_events(domain, source.name, spool, events)
    if not fresh:
        path.unlink()
    return Received(domain, source.name, accepted=len(fresh), duplicates=len(events) - len(fresh))


def land_events(
    settings: Settings, registry: Registry, domain: str, source: Source, now: datetime
) -> list[Landing]:
    """Write events that have waited long enough, or are many enough, to files; finish what was begun."""
    folder, spool = folder_of(settings, source), _spool(settings, domain, source)
    if not spool.is_dir():
        return []
    landed = []
    with one_at_a_time(folder, domain, source):
        last = registry.last_landing(domain, source.name)
        if last is not None:
            _write(registry, folder, spool, source, last)
        while _is_due(registry, domain, source, now):
            landing = registry.bundle_events(
                domain,
                source.name,
                most=source.delivery.bundle,
                named=lambda number, count: Landing(
                    domain=domain,
                    source=source.name,
                    number=number,
                    file=source.path.format(batch=f"{number:06d}_{plain(now.isoformat(timespec='seconds'))}"),
                    rows=count,
                    low="",
                    high=now.isoformat(),
                ),
            )
            if landing is None:
                break
            _write(registry, folder, spool, source, landing)
            landed.append(landing)
            _sweep(registry, spool, source, landing)
    return landed


def _is_due(registry: Registry, domain: str, source: Source, now: datetime) -> bool:
    count, first = registry.waiting_events(domain, source.name)
    if not count or first is None:
        return False
    return count >= source.delivery.bundle or now - first >= source.delivery.settle


def _write(registry: Registry, folder: Path, spool: Path, source: Source, landing: Landing) -> None:
    """The file of a landing, from the spool, unless it is there."""
    path = folder / landing.file
    if path.exists():
        return
    keys = registry.events_of(landing.domain, source.name, landing.number)
    lines = []
    for name in sorted(set(keys.values())):
        if not (spool / name).is_file():
            return  # written before, and taken away by somebody since
        for line in (spool / name).read_text().splitlines():
            if keys.get(str(json.loads(line)[source.delivery.key])) == name:
                lines.append(line)
    hidden = hidden_name(path)
    hidden.parent.mkdir(parents=True, exist_ok=True)
    hidden.write_text("".join(f"{line}\n" for line in lines))
    sync(hidden)
    hidden.rename(path)
    sync(path.parent)


def _sweep(registry: Registry, spool: Path, source: Source, landing: Landing) -> None:
    """Take away spool files whose events are all in files, and what requests left that died long ago."""
    written = set(registry.events_of(landing.domain, source.name, landing.number).values())
    in_use = registry.spools_in_use(landing.domain, source.name)
    for name in written - in_use:
        (spool / name).unlink(missing_ok=True)
    for path in spool.glob("*.ndjson"):
        with suppress(FileNotFoundError):
            if path.name not in in_use and time.time() - path.stat().st_mtime > DEAD.total_seconds():
                path.unlink()


def _spool(settings: Settings, domain: str, source: Source) -> Path:
    return settings.home / "spool" / domain / source.name


def _source(settings: Settings, domain: str, name: str) -> Source:
    folder = settings.domains / domain
    if not WORD.match(domain) or not (folder / "domain.yaml").is_file():
        raise UnknownSource(domain=domain, source=name, known=())
    described = read_domain(folder)
    source = described.source(name)
    if source is None or source.delivery.kind != "events":
        known = tuple(each.name for each in described.sources if each.delivery.kind == "events")
        raise UnknownSource(domain=domain, source=name, known=known)
    return source


def _parse(domain: str, source: Source, body: bytes, content_type: str) -> list[Any]:
    """The events of a body: one JSON object, a list of them, or one per line."""
    kind = content_type.partition(";")[0].strip().lower()
    refuse = _Refuse(domain, source)
    if len(body) > MOST_BYTES:
        raise refuse(f"the body has {len(body):,} bytes, and {MOST_BYTES:,} are the most")
    if kind not in (*NDJSON, *JSON):
        raise refuse(f"the content type is {kind or 'missing'}; send {JSON[0]} or {NDJSON[0]}")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse(f"byte {error.start} is not utf-8") from None
    if kind in JSON:
        found = _json(refuse, text, "the body")
        return found if isinstance(found, list) else [found]
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return [_json(refuse, line, f"line {number}") for number, line in lines]


def _by_key(domain: str, source: Source, events: Iterable[Any]) -> dict[str, Any]:
    """Each event under its key; the last one of a key within one request counts."""
    refuse, key = _Refuse(domain, source), source.delivery.key
    found: dict[str, Any] = {}
    for number, event in enumerate(events, start=1):
        if not isinstance(event, dict):
            raise refuse(f"event {number} is no object")
        value = event.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise refuse(f"event {number} has no `{key}`, the key by which an event is known again")
        if len(str(value)) > MOST_KEY or "\0" in str(value):
            raise refuse(f"the `{key}` of event {number} is longer than {MOST_KEY} signs, or has a NUL")
        lacking = [name for name in source.columns if name not in event]
        if lacking:
            raise refuse(f"event {number} ({value}) lacks {', '.join(lacking)}")
        found[str(value)] = event
    if not found:
        raise refuse("there are none")
    return found


def _json(refuse: _Refuse, text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refuse(f"{what} is no JSON ({str(error).splitlines()[0]})") from None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


class _Refuse:
    """Words for a refusal of this source's events."""

    def __init__(self, domain: str, source: Source) -> None:
        self.domain, self.source = domain, source.name

    def __call__(self, problem: str) -> EventsRefused:
        return EventsRefused(domain=self.domain, source=self.source, problem=problem)
