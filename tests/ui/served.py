"""The UI as a person starts it: `mesh dev` with eight code locations over a mesh of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.conftest import PROJECT, BuiltMesh

Found = TypeVar("Found")

#: Eight interpreters start on what may be two busy cores.
START_SECONDS = 400
RUN_SECONDS = 240

LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
ASSETS = """{ assetNodes {
  assetKey { path } groupName kinds dependencyKeys { path } repository { location { name } } } }"""
PRODUCT = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetMaterializations(limit: 1) { runId tags { key value }
    metadataEntries { label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } }
  assetChecksOrError { ... on AssetChecks { checks { name blocking
    executionForLatestMaterialization { runId status evaluation { severity description } } } } } } } }"""
RUNS = "{ runsOrError(limit: 50) { ... on Runs { results { runId status tags { key value } } } } }"
SENSORS = """query($after: Float!) { workspaceOrError { ... on Workspace { locationEntries {
  locationOrLoadError { ... on RepositoryLocation { repositories { sensors { name sensorState { status
    ticks(afterTimestamp: $after, limit: 5, statuses: [SKIPPED, SUCCESS]) { status } } } } } } } } } }"""


@dataclass(frozen=True)
class Ui:
    """A running `mesh dev` and the mesh under it."""

    url: str
    mesh: BuiltMesh
    started: float

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the UI's own GraphQL answers."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return dict(found["data"])

    def locations(self) -> dict[str, str]:
        """Name -> `RepositoryLocation` once loaded, else what is wrong or what it is doing."""
        entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        return {each["name"]: _state(each) for each in entries}

    def assets(self) -> dict[str, dict[str, Any]]:
        return {"/".join(each["assetKey"]["path"]): each for each in self.ask(ASSETS)["assetNodes"]}

    def latest(self, product: str) -> dict[str, Any]:
        """The latest materialization: its run, its data version, its metadata."""
        (event,) = self._product(product)["assetMaterializations"]
        facts = {each["label"]: each.get("intValue") or each.get("text") for each in event["metadataEntries"]}
        tags = {each["key"]: each["value"] for each in event["tags"]}
        return {"run": event["runId"], "data version": tags["dagster/data_version"], **facts}

    def checks(self, product: str) -> dict[str, dict[str, Any]]:
        """Check -> its latest execution."""
        found = self._product(product)["assetChecksOrError"]["checks"]
        return {each["name"]: each["executionForLatestMaterialization"] for each in found}

    def runs(self) -> dict[str, dict[str, Any]]:
        """Run id -> status and tags."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        return {
            each["runId"]: {
                "status": each["status"],
                **{tag["key"]: tag["value"] for tag in each["tags"]},
            }
            for each in found
        }

    def sensors(self) -> dict[str, dict[str, Any]]:
        """Sensor -> its status and its finished looks since the start."""
        entries = self.ask(SENSORS, after=self.started)["workspaceOrError"]["locationEntries"]
        repositories = [each for entry in entries for each in entry["locationOrLoadError"]["repositories"]]
        return {each["name"]: each["sensorState"] for every in repositories for each in every["sensors"]}

    def _product(self, product: str) -> dict[str, Any]:
        answer = self.ask(PRODUCT, key={"path": product.split(".")})
        return dict(answer["assetNodeOrError"])


def wait_for(what: str, ask: Callable[[], Found | None], seconds: float = RUN_SECONDS) -> Found:
    """Ask until there is an answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = ask()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds:.0f} seconds")


@contextlib.contextmanager
def serve(mesh: BuiltMesh, log: Path) -> Iterator[Ui]:
    """`mesh dev` until the block ends; nothing that it started outlives it."""
    port = _free_port()
    ui = Ui(f"http://127.0.0.1:{port}", mesh, time.time())
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mesh_assets.cli", "dev", "--port", str(port)],
            env=mesh.environment,
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_hear_signals,
        )
    try:
        wait_for(f"all locations are loaded (see {log})", lambda: _loaded(ui, process), START_SECONDS)
        ui.ask("mutation { setNuxSeen }")  # or the first page has a dialog over it that asks for an address
        yield ui
    finally:
        _end(process)


def _loaded(ui: Ui, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"mesh dev ended with exit code {process.returncode}"
    try:
        locations = ui.locations()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return len(locations) >= 8 and "LOADING" not in locations.values()


def _state(entry: dict[str, Any]) -> str:
    found = entry["locationOrLoadError"]
    if entry["loadStatus"] != "LOADED" or found is None:
        return str(entry["loadStatus"])
    return str(found.get("message") or found["__typename"])


def _hear_signals() -> None:
    """A test run in the background ignores Ctrl-C, and its children would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
