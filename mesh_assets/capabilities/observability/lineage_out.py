"""Sending OpenLineage to where the standard client's variables say: a server, or a file of lines.

OPENLINEAGE_URL, OPENLINEAGE_ENDPOINT, OPENLINEAGE_API_KEY, OPENLINEAGE_NAMESPACE, OPENLINEAGE_DISABLED;
OPENLINEAGE__TRANSPORT__TYPE=file with OPENLINEAGE__TRANSPORT__LOG_FILE_PATH.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.observability.delivery import (
    Channel,
    Delivered,
    Unreachable,
    deliver,
    post,
)
from mesh_assets.capabilities.observability.openlineage import Names, run_events
from mesh_assets.capabilities.registry import events as record
from mesh_assets.capabilities.registry import outbox
from mesh_assets.capabilities.registry.events import Logged
from mesh_assets.capabilities.registry.outbox import Message
from mesh_assets.words.errors import SettingMalformed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mesh_assets.capabilities.lineage.model import Mesh
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.versions import Version

CHANNEL = "openlineage"
#: How far builds have been told.
CURSOR = "openlineage of builds"
STEP = 100
NAMESPACE = "mesh"


@dataclass(frozen=True)
class Target:
    """Where lineage goes. The key is in the environment, and asked for at the moment of sending."""

    url: str = ""
    file: str = ""
    namespace: str = NAMESPACE


def target(environ: Mapping[str, str] | None = None) -> Target | None:
    """Where lineage goes, None for nowhere. Raises SettingMalformed for what is not sent here."""
    env = os.environ if environ is None else environ
    if env.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true" or env.get("MESH_KITCHEN"):
        return None  # what is tried in a kitchen is nobody's lineage
    namespace = env.get("OPENLINEAGE_NAMESPACE") or NAMESPACE
    kind = env.get("OPENLINEAGE__TRANSPORT__TYPE", "").strip().lower()
    url = env.get("OPENLINEAGE__TRANSPORT__URL") or env.get("OPENLINEAGE_URL") or ""
    if kind == "file":
        path = env.get("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", "")
        if not path or "://" in path:
            raise SettingMalformed(
                setting="OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", value=path, problem="write a path"
            )
        return Target(file=path, namespace=namespace)
    if kind not in ("", "http"):
        raise SettingMalformed(
            setting="OPENLINEAGE__TRANSPORT__TYPE", value=kind, problem="write http or file"
        )
    if not url:
        return None
    endpoint = env.get("OPENLINEAGE__TRANSPORT__ENDPOINT") or env.get("OPENLINEAGE_ENDPOINT")
    return Target(url=f"{url.rstrip('/')}/{(endpoint or 'api/v1/lineage').lstrip('/')}", namespace=namespace)


def api_key(environ: Mapping[str, str] | None = None) -> str:
    """The key that goes with each event; "" for none."""
    env = os.environ if environ is None else environ
    if env.get("OPENLINEAGE_API_KEY"):
        return env["OPENLINEAGE_API_KEY"]
    try:
        found = json.loads(env.get("OPENLINEAGE__TRANSPORT__AUTH") or "{}")
    except ValueError:
        return ""
    return str(found.get("apiKey") or found.get("api_key") or "") if isinstance(found, dict) else ""


def emit(registry: Registry, mesh: Mesh, where: Target, *, now: datetime | None = None) -> Delivered:
    """Put the events of new builds into the outbox, and deliver what is due."""
    follow(registry, names_of(mesh, where.namespace))
    return deliver(registry, channel(where), now=now)


def names_of(mesh: Mesh, namespace: str) -> Names:
    columns, inputs = {}, {}
    for asset in mesh.products:
        if asset.contract is not None:
            told = [(each.name, each.physical_type, each.description) for each in asset.contract.columns]
            columns[str(asset.name)] = told
        inputs[str(asset.name)] = [str(name) for name in asset.inputs]
    return Names(namespace, columns, inputs)


def follow(registry: Registry, names: Names) -> int:
    """Builds since the last call become messages; they and the reader's place are one transaction."""
    new = 0
    while True:
        with registry.reading() as connection:
            if not record.is_behind(connection, CURSOR):
                return new
        with registry.writing() as connection:
            builds = record.builds_after(connection, record.position(connection, CURSOR), STEP)
            if not builds:
                return new
            messages = [each for logged in builds for each in _messages(connection, logged, names)]
            new += outbox.put(connection, messages)
            record.advance(connection, CURSOR, builds[-1].id)


def _messages(connection: Connection, logged: Logged, names: Names) -> list[Message]:
    now = datetime.now(UTC)
    found = run_events(logged, _version(connection, logged), names)
    return [
        Message(CHANNEL, CHANNEL, f"{logged.id}:{body['eventType']}", body, created=now, due=now)
        for body in found
    ]


def _version(connection: Connection, logged: Logged) -> Version | None:
    from mesh_assets.capabilities.registry import versions
    from mesh_assets.words.errors import NoVersion
    from mesh_assets.words.versions import BuildOutcome

    build = logged.build
    if build.version is None or build.outcome not in (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED):
        return None
    try:
        return versions.version(connection, build.product, build.version)
    except NoVersion:
        return None


def channel(where: Target) -> Channel:
    def send(_: str, messages: Sequence[Message]) -> None:
        for message in messages:
            if where.file:
                _append(Path(where.file), message.body)
            else:
                post(where.url, message.body, token=api_key(), key=message.key)

    return Channel(CHANNEL, send)


def _append(path: Path, document: Mapping[str, object]) -> None:
    """A line, whole: other processes write to the file as well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(document) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unreachable(f"the file cannot be written ({error.strerror})") from None
