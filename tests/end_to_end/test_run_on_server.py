"""`mesh run` and a journey on a real webserver and daemon, with a code location that does not load."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mesh_assets.capabilities.orchestration.launch_server import LAUNCH, STATUS
from mesh_assets.capabilities.orchestration.server import Server, running_server
from mesh_assets.words.settings import PROJECT
from tests.shop import ORDERS, Shop, make_shop

RELOAD = (
    """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""
)
CHILDREN = """query($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { ... on Runs {
  results { status tags { key value } } } } }"""
ASSET = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetMaterializations(limit: 1) { metadataEntries { label ... on TextMetadataEntry { text } } } } } }"""
JOURNEY = """name: takings
description: What was taken.
targets: [books.revenue]
schedule: {cron: "0 6 * * *"}
steps:
  - {name: till, products: [shop.orders]}
  - {name: count, products: [books.revenue]}
"""
LOCATION = "from mesh_assets import mesh\n\ndefs = mesh.{}(__file__)\n"
#: An interpreter per location starts on what may be busy cores.
PATIENCE = 300


def wait_for(what: str, ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {PATIENCE} seconds")


def _port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Server]]:
    """`mesh dev` over the shop; books does not load, because somebody broke its definitions."""
    root = tmp_path_factory.mktemp("served")
    shop = make_shop(root, MESH_WORKSPACE=str(root / "workspace.yaml"))
    folders = {"shop": "domains/shop", "books": "domains/books", "journeys": "journeys"}
    (root / "journeys").mkdir()
    (root / "journeys" / "takings.yaml").write_text(JOURNEY, encoding="utf-8")
    (root / "journeys" / "definitions.py").write_text(
        LOCATION.format("journey_definitions"), encoding="utf-8"
    )
    (root / "domains" / "books" / "definitions.py").write_text("import ledger_of_nobody\n", encoding="utf-8")
    entries = [
        f"  - python_file: {{relative_path: {folder}/definitions.py, location_name: {name}}}\n"
        for name, folder in folders.items()
    ]
    (root / "workspace.yaml").write_text("load_from:\n" + "".join(entries), encoding="utf-8")
    with (root / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mesh_assets.cli", "dev", "--port", str(_port())],
            env={**os.environ, **shop.environment},
            cwd=PROJECT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        yield shop, wait_for("the server", lambda: _up(shop, process))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _up(shop: Shop, process: subprocess.Popen[bytes]) -> Server | None:
    assert process.poll() is None, (shop.root / "dev.log").read_text(encoding="utf-8")
    return running_server(shop.settings)


def mesh_run(shop: Shop, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "mesh_assets.cli", "run", *arguments, "--json"],
        env={**os.environ, **shop.environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def reload_books(server: Server) -> None:
    server.ask(RELOAD, name="books")


def test_runs_are_started_by_the_server_and_a_broken_location_stops_only_its_own(
    served: tuple[Shop, Server],
) -> None:
    shop, server = served

    code, told = mesh_run(shop, "*")

    assert (code, told[0]["where"]) == (1, server.url)
    ended = {each["product"]: each for each in told[-1]["products"]}
    # The automation of the same server may have been quicker.
    assert ended["shop.orders"]["outcome"] in ("published", "unchanged")
    assert ended["books.revenue"]["outcome"] == "failed"
    assert "No module named 'ledger_of_nobody'" in ended["books.revenue"]["message"]
    assert shop.head("shop.orders") == 1


def test_one_button_runs_a_journey_across_locations(served: tuple[Shop, Server]) -> None:
    shop, server = served
    (shop.root / "domains" / "books" / "definitions.py").write_text(LOCATION.format("definitions"))
    reload_books(server)
    shop.deliver(ORDERS + "3,30\n")
    selector = {
        "jobName": "takings",
        "repositoryName": "__repository__",
        "repositoryLocationName": "journeys",
    }

    forced = {"config": {"mode": "force"}}  # or automation may leave it nothing to do
    config = {"ops": {"takings__till": forced, "takings__count": forced}}
    params = {"selector": selector, "mode": "default", "runConfigData": config}
    launched = server.ask(LAUNCH, params=params)["launchRun"]
    run = launched["run"]["runId"]

    def status() -> str | None:
        found = str(server.ask(STATUS, run=run)["runOrError"]["status"])
        return found if found in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert wait_for("the journey", status) == "SUCCESS"
    assert shop.rows("books.revenue") == [(3, 60)]
    tags = [{"key": "dagster/parent_run_id", "value": run}, {"key": "mesh/journey", "value": "takings"}]
    children = server.ask(CHILDREN, tags=tags)["runsOrError"]["results"]
    locations = [tag["value"] for each in children for tag in each["tags"] if tag["key"] == "mesh/domain"]
    assert sorted(locations) == ["books", "shop"]

    def shown() -> list[Any]:
        answer = server.ask(ASSET, key={"path": ["journeys", "takings"]})["assetNodeOrError"]
        return list(answer["assetMaterializations"])

    (event,) = wait_for("the journey's state on its asset", shown)
    assert {each["label"] for each in event["metadataEntries"]} >= {"state", "told", "period"}
