"""Dagster's webserver of this mesh: where it is, whether it answers, and asking it.

`mesh dev` leaves its address in `<home>/dagster/server.json`. An address is trusted only if what answers
there serves this home's instance and its queue is being worked off.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.orders import NoServer, ServerRefused
from mesh_assets.words.settings import Settings

#: Seconds for an answer; the first look at a server may be a wrong address.
ANSWER = 60
FIRST_ANSWER = 5

INSTANCE = """{ instance { info runQueuingSupported
  daemonHealth { daemonStatus(daemonType: "QUEUED_RUN_COORDINATOR") { healthy } } } }"""


@dataclass(frozen=True)
class Server:
    """An address of Dagster's GraphQL."""

    url: str

    def ask(self, query: str, *, seconds: float = ANSWER, **variables: Any) -> dict[str, Any]:
        """What it answers; raises OSError if it does not, ServerRefused if it does not understand."""
        request = urllib.request.Request(  # noqa: S310 - check_url lets http and https through
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310 - as above
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            told = error.read(300).decode("utf-8", "replace")
            raise ServerRefused(url=self.url, why=f"HTTP {error.code} {error.reason} {told}") from None
        except ValueError:
            raise ServerRefused(url=self.url, why="its answer is no JSON; is it Dagster?") from None
        if not isinstance(found, dict) or found.get("errors") or "data" not in found:
            said = found.get("errors", [{}])[0].get("message") if isinstance(found, dict) else found
            raise ServerRefused(url=self.url, why=str(said)[:300])
        return dict(found["data"])


def become_dagster_dev(settings: Settings, port: int, *what: str) -> NoReturn:
    """Turn this process into `dagster dev` over `what`, on this machine only, and leave its address."""
    url = f"http://127.0.0.1:{port}"
    remember_server(settings, url)
    program = [sys.executable, "-m", "mesh_assets.capabilities.orchestration.dagster_dev"]
    # No shell: Ctrl-C goes to Dagster itself.
    os.execv(sys.executable, [*program, "dev", *what, "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606


def remember_server(settings: Settings, url: str) -> None:
    """This process is about to serve the mesh there."""
    facts = {"url": url, "pid": os.getpid()}
    _file(settings).write_text(json.dumps(facts), encoding="utf-8")


def running_server(settings: Settings) -> Server | None:
    """The server that `mesh dev` started for this home, if it can start runs now."""
    try:
        facts: Mapping[str, Any] = json.loads(_file(settings).read_text(encoding="utf-8"))
        url = check_url(str(facts["url"]))
    except (OSError, ValueError, KeyError, SettingMalformed):
        return None
    server = Server(url)
    return None if why_not(server, settings) else server


def server_at(settings: Settings, url: str) -> Server:
    """The server at an address that somebody gave; raises NoServer with the reason if it will not do."""
    server = Server(check_url(url))
    problem = why_not(server, settings)
    if problem:
        raise NoServer(url=server.url, why=problem)
    return server


def check_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise SettingMalformed(setting="--server", value=url, problem="write http://host:port")
    return url.rstrip("/")


def why_not(server: Server, settings: Settings) -> str | None:
    """Why the server cannot start runs of this mesh, None if it can."""
    try:
        instance = server.ask(INSTANCE, seconds=FIRST_ANSWER)["instance"]
    except OSError as error:
        return f"it does not answer ({getattr(error, 'reason', error)})"
    except ServerRefused as error:
        return str(error.facts["why"])
    if str(settings.dagster_home) not in (instance["info"] or ""):
        return f"it serves another instance than {settings.dagster_home}"
    if instance["runQueuingSupported"] and not instance["daemonHealth"]["daemonStatus"]["healthy"]:
        return "its runs queue, and no daemon works the queue off"
    return None


def _file(settings: Settings) -> Path:
    return settings.dagster_home / "server.json"
