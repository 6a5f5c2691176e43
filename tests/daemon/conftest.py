"""A webserver, a daemon and five code locations over a small mesh, for all scenarios of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.daemon.alive import Alive, serve
from tests.daemon.door import put_behind_door
from tests.network import automate, make_network
from tests.receivers import Receiver, listening
from tests.shop import Shop, write_product

BEFORE = ("shop.orders", "shop.prices", "books.revenue", "depot.parcels", "depot.lost", "board.report")
JOURNEY = """name: reporting
description: What the year comes to.
targets: [board.report]
schedule: {cron: "0 0 1 1 *"}
steps:
  - {name: till, products: [shop.orders]}
  - {name: report, products: [board.report]}
"""
ALERTS = """receivers:
  - {name: on_call, kind: webhook, url_from: MESH_ON_CALL_URL}
rules:
  - {name: refused, all: [{state: refused}], to: on_call, group: 1s}
"""


@pytest.fixture(scope="module")
def told() -> Iterator[Receiver]:
    """What alerts and OpenLineage send."""
    with listening() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory, told: Receiver) -> Iterator[Alive]:
    """The network of tests/network.py, built once and quiet, with everything running."""
    root = tmp_path_factory.mktemp("alive")
    shop = make_network(root)
    for product in BEFORE:
        shop.build(product, run_id="before")
    add_night(shop)
    with serve(replace(shop, more=add_journey(shop, told))) as alive:
        alive.wait_until_quiet()
        yield alive


def add_night(shop: Shop) -> None:
    """depot.night, which somebody starts by hand, and which waits at a door."""
    write_product(shop, "depot.night", columns=(("parcels", "BIGINT"),), recipe="")
    domain = shop.root / "domains" / "depot" / "domain.yaml"
    text = domain.read_text(encoding="utf-8")
    port = "    contractId: depot.lost\n"
    more = port + "  - name: night\n    version: 1.0.0\n    contractId: depot.night\n"
    domain.write_text(text.replace(port, more), encoding="utf-8")
    put_behind_door(shop, "depot.night", "select count(*) as parcels from shop.orders")
    automate(shop, "depot.night", "manual")


def add_journey(shop: Shop, told: Receiver) -> dict[str, str]:
    """A journey and a rule, and where they tell; the environment for it."""
    folder = shop.root / "journeys"
    folder.mkdir()
    (folder / "reporting.yaml").write_text(JOURNEY, encoding="utf-8")
    text = "from mesh_assets import mesh\n\ndefs = mesh.journey_definitions(__file__)\n"
    (folder / "definitions.py").write_text(text, encoding="utf-8")
    alerts = Path(shop.root / "alerts.yaml")
    alerts.write_text(ALERTS, encoding="utf-8")
    return {
        "MESH_JOURNEYS": str(folder),
        "MESH_ALERTS": str(alerts),
        "MESH_ON_CALL_URL": told.url,
        "OPENLINEAGE_URL": told.url,
        "MESH_LOOK_SECONDS": "1",
    }
