"""A webserver, a daemon and four code locations over a small mesh, for all scenarios of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.alive import Alive, serve
from tests.network import make_network


@pytest.fixture(scope="module")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alive]:
    """The network of tests/network.py, built once by automation, with everything running."""
    with serve(make_network(tmp_path_factory.mktemp("alive"))) as alive:
        alive.deliver_orders(1)
        alive.wait_for_version("board.report", 1)
        alive.wait_until_quiet()
        yield alive
