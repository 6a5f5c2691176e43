"""A webserver, a daemon and four code locations over a small mesh, for all scenarios of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.alive import Alive, serve
from tests.network import make_network


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alive]:
    """The network of tests/network.py, built once and quiet, with everything running."""
    shop = make_network(tmp_path_factory.mktemp("alive"))
    for product in (
        "shop.orders",
        "shop.prices",
        "books.revenue",
        "depot.parcels",
        "depot.lost",
        "board.report",
    ):
        shop.build(product, run_id="before")
    with serve(shop) as alive:
        alive.wait_until_quiet()
        yield alive
