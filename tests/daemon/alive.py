"""A mesh that runs by itself: webserver, daemon and code locations as real processes, and what a test does
to them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from mesh_assets.capabilities.orchestration.alive import process_of
from mesh_assets.capabilities.orchestration.instance import open_instance, prepare_dagster_home
from mesh_assets.capabilities.orchestration.launch_server import LAUNCH, STATUS
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.versions import BuildRecord
from tests.daemon.processes import end_session, start
from tests.network import price
from tests.shop import ORDERS, Shop

Found = TypeVar("Found")

#: On a busy machine; none of it is spent when all goes well.
PATIENCE = 120.0
RUNS = """{ runsOrError(limit: 500) { ... on Runs { results {
  runId status assetSelection { path } tags { key value } creationTime startTime } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename } } } } }"""

LOOKS = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
  ... on RepositoryLocation { repositories { sensors { name sensorState {
  typeSpecificData { ... on SensorData { lastCursor } } } } } } } } } } }"""
UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")


@dataclass(frozen=True)
class Run:
    """A Dagster run as the webserver tells it."""

    id: str
    status: str
    products: tuple[str, ...]
    tags: Mapping[str, str]
    created: float
    started: float | None


@dataclass
class Alive:
    """The running mesh."""

    shop: Shop
    url: str
    environment: dict[str, str]
    logs: Path
    #: Domain to the port of its code location.
    ports: dict[str, int]
    processes: dict[str, ForkServerProcess] = field(default_factory=dict)
    _builds: int = 0
    #: Sessions of processes that were killed alone: runs that they started go on.
    _left: list[int] = field(default_factory=list)

    # what a test does

    def deliver_orders(self, most: int, *more: str) -> int:
        """The till's next file, with amounts up to this, published as shop.orders; its version."""
        self.shop.deliver(ORDERS + f"3,{most}\n" + "".join(f"{line}\n" for line in more))
        return self.publish("shop.orders")

    def deliver_prices(self, *prices: int) -> int:
        price(self.shop, "order_id,price\n" + "".join(f"{n},{each}\n" for n, each in enumerate(prices, 1)))
        return self.publish("shop.prices")

    def publish(self, product: str, *, force: bool = False) -> int:
        """Build a product as somebody outside of Dagster does; its version."""
        self._builds += 1
        built = self.shop.build(product, run_id=f"by-hand-{self._builds}", force=force)
        assert built.version is not None
        return built.version.number

    def pause(self, scope: str) -> None:
        with open_registry(self.shop.settings) as registry:
            registry.pause(scope, "a test", "tester")

    def resume(self, scope: str) -> None:
        with open_registry(self.shop.settings) as registry:
            registry.resume(scope, "tester")

    def break_location(self, domain: str) -> None:
        """Its definitions raise, and it is started again."""
        self._definitions(domain).write_text("raise RuntimeError('a broken import')\n", encoding="utf-8")
        self.start_location(domain)
        self.wait_for(f"{domain} is broken", lambda: self.location(domain) == "PythonError")

    def mend_location(self, domain: str) -> None:
        text = "from mesh_assets import mesh\n\ndefs = mesh.definitions(__file__)\n"
        self._definitions(domain).write_text(text, encoding="utf-8")
        self.start_location(domain)
        self.wait_for(f"{domain} is mended", lambda: self.location(domain) == "RepositoryLocation")

    def _definitions(self, domain: str) -> Path:
        return definition_files(self.shop)[domain]

    # what a test waits for

    def wait_for(self, what: str, ask: Callable[[], Found | None], seconds: float = PATIENCE) -> Found:
        """Ask until there is an answer, and leave most of the time to the mesh."""
        until = time.monotonic() + seconds
        while (asked := time.monotonic()) < until:
            if found := ask():
                return found
            time.sleep(max(0.2, 4 * (time.monotonic() - asked)))
        raise AssertionError(f"{what}: not within {seconds:.0f} seconds; logs are in {self.logs}")

    def wait_for_version(self, product: str, number: int) -> None:
        self.wait_for(f"{product} {number}", lambda: (self.shop.head(product) or 0) >= number)

    def wait_for_build(self, product: str, since: int) -> BuildRecord:
        """The build of a product that ended after so many."""
        builds = self.wait_for(f"a build of {product}", lambda: self.builds(product)[since:])
        return builds[0]

    def wait_until_quiet(self) -> None:
        """Every domain that loads has looked at all that there is, nothing runs, nobody wants anything."""
        self.wait_for("peace", self._is_quiet)

    def _is_quiet(self) -> bool:
        pulse, asked = self._pulse()
        if asked or any(seen != pulse for seen in self._seen()):
            return False
        return not any(run.status in UNFINISHED for run in self.runs()) and self._pulse() == (pulse, False)

    # what there is

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return [
            Run(
                each["runId"],
                each["status"],
                tuple(sorted(".".join(key["path"]) for key in each["assetSelection"] or ())),
                {tag["key"]: tag["value"] for tag in each["tags"]},
                each["creationTime"],
                each["startTime"],
            )
            for each in self.ask(RUNS)["runsOrError"]["results"]
        ]

    def asked(self, product: str) -> int:
        """Runs that automation asked for and that make the product."""
        return sum(
            product in run.products and run.tags.get("mesh/started-by") == "automation" for run in self.runs()
        )

    def builds(self, product: str) -> list[BuildRecord]:
        """Oldest first."""
        with open_registry(self.shop.settings) as registry:
            return registry.builds(product_name(product), limit=200)[::-1]

    def launch(self, product: str) -> str:
        """Start a run as somebody does who clicks in the UI; its id."""
        selector = {
            "jobName": "__ASSET_JOB",
            "repositoryName": "__repository__",
            "repositoryLocationName": product.partition(".")[0],
            "assetSelection": [{"path": product.split(".")}],
        }
        found = self.ask(LAUNCH, params={"selector": selector, "mode": "default"})["launchRun"]
        return str(found["run"]["runId"])

    def status(self, run_id: str) -> str:
        return str(self.ask(STATUS, run=run_id)["runOrError"]["status"])

    def process_of(self, run_id: str) -> int | None:
        """The process that works on a run, while there is one."""
        return process_of(self.shop.settings, run_id)

    def location(self, name: str) -> str:
        """`RepositoryLocation` if it is loaded, else what is wrong with it."""
        for entry in self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]:
            if entry["name"] == name:
                found = entry["locationOrLoadError"]
                return found["__typename"] if entry["loadStatus"] == "LOADED" and found else "LOADING"
        return "MISSING"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the webserver's GraphQL answers."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return dict(found["data"])

    def _pulse(self) -> tuple[str, bool]:
        """What the registry has seen, and whether a request is not over."""
        with open_registry(self.shop.settings) as registry:
            return registry.pulse(), any(row.token for row in registry.watched())

    def _seen(self) -> list[str]:
        """The registry as each sensor of automation that is loaded saw it at the end of its last tick."""
        return [
            json.loads((sensor["sensorState"]["typeSpecificData"] or {}).get("lastCursor") or "{}").get(
                "pulse"
            )
            for entry in self.ask(LOOKS)["workspaceOrError"]["locationEntries"]
            for repository in (entry["locationOrLoadError"] or {}).get("repositories", ())
            for sensor in repository["sensors"]
            if sensor["name"].endswith("_automation")
        ]

    # processes

    def start(self, name: str, *command: str) -> None:
        log = self.logs / f"{name}.log"
        self.processes[name] = start(*command, environment=self.environment, folder=self.shop.root, log=log)

    def kill(self, name: str) -> None:
        """The process alone; runs that it started go on."""
        process = self.processes.pop(name)
        process.kill()
        process.join()
        self._left.append(process.pid or 0)

    def kill_all(self) -> None:
        """As a power cut does: every process, and all that it started in its session."""
        processes, self.processes = list(self.processes.values()), {}
        for session in [*self._left, *(process.pid for process in processes)]:
            if session:
                end_session(session)
        for process in processes:
            process.join()

    def start_all(self) -> None:
        for domain in self.ports:
            self.start_location(domain)
        self.start_daemon()
        self.start_webserver()

    def start_location(self, domain: str) -> None:
        """(Again) with what its definitions say now; a broken one is served as an error."""
        if domain in self.processes:
            self.kill(domain)
        port = str(self.ports[domain])
        where = ["-h", "127.0.0.1", "-p", port, "-f", str(self._definitions(domain))]
        self.start(domain, "dagster", "api", "grpc", "--lazy-load-user-code", *where)

    def start_webserver(self) -> None:
        where = ["-h", "127.0.0.1", "-p", self.url.rpartition(":")[2]]
        self.start("webserver", "dagster_webserver", "-w", str(self.shop.root / "workspace.yaml"), *where)
        self.wait_for("the webserver", lambda: _answers(self))

    def start_daemon(self) -> None:
        self.start("daemon", "dagster._daemon", "run", "-w", str(self.shop.root / "workspace.yaml"))


@contextlib.contextmanager
def serve(shop: Shop) -> Iterator[Alive]:
    """Everything that runs a mesh, until the block ends; nothing that it started outlives it."""
    settings = shop.settings
    before = {name: value for name, value in os.environ.items() if name.startswith("DAGSTER_")}
    with open_instance(settings):  # processes that create its tables together fall over each other
        home = prepare_dagster_home(settings)
    for name in [name for name in os.environ if name.startswith("DAGSTER_") and name not in before]:
        del os.environ[name]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DAGSTER_"))}
    environment = {**kept, **shop.environment, "DAGSTER_HOME": str(home), "PYTHONPATH": _path()}
    port, logs = _free_port(), shop.root / "logs"
    logs.mkdir(exist_ok=True)
    ports = {name: _free_port() for name in definition_files(shop)}
    _write_workspace(shop.root / "workspace.yaml", ports)
    alive = Alive(shop, f"http://127.0.0.1:{port}", environment, logs, ports)
    try:
        alive.start_all()
        yield alive
    finally:
        alive.kill_all()


def definition_files(shop: Shop) -> dict[str, Path]:
    """Code location to its file: the domains, and the journeys if there are any."""
    found = {path.parent.name: path for path in sorted(shop.settings.domains.glob("*/definitions.py"))}
    journeys = shop.root / "journeys" / "definitions.py"
    return {**found, "journeys": journeys} if journeys.is_file() else found


def _write_workspace(path: Path, ports: Mapping[str, int]) -> None:
    """One server per code location, which webserver and daemon share."""
    servers = [
        {"grpc_server": {"host": "127.0.0.1", "port": port, "location_name": domain}}
        for domain, port in ports.items()
    ]
    path.write_text(json.dumps({"load_from": servers}), encoding="utf-8")


def _answers(alive: Alive) -> bool:
    for name, process in alive.processes.items():
        assert process.is_alive(), f"{name} ended; see {alive.logs}"
    try:
        return all(alive.location(domain) == "RepositoryLocation" for domain in alive.ports)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _path() -> str:
    return str(Path(__file__).parent.parent.parent)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
