"""A registry that is moved by a process that dies: one is in force, and the move is made again or done."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert

from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.copies import UNDER_WAY, move_to
from mesh_assets.capabilities.registry.tables import LOG_CURSOR
from mesh_assets.words.moves import RegistryMoved, RegistryTaken
from mesh_assets.words.settings import PROJECT, read_settings
from tests.postgres import Postgres
from tests.unit.registry.conftest import FIELDS, ORDERS, release

pytestmark = pytest.mark.postgres

#: Moves a registry, and dies at the third transaction or before the function that is named.
MOVER = """
import os, signal, sys
from mesh_assets.capabilities.registry import copies, open_registry
from mesh_assets.words.settings import read_settings

home, url, dies_at = sys.argv[1:]
old = open_registry(read_settings({"MESH_HOME": home}))
new = open_registry(read_settings({"MESH_HOME": home, "MESH_REGISTRY": url}))
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if dies_at == "end":
    first, calls = new.writing, iter(range(2))
    new.writing = lambda: first() if next(calls) == 0 else die()
else:
    setattr(copies, dies_at, die)
copies.move_to(old, new, url)
"""


@pytest.mark.parametrize("dies_at", ["_go_on_counting", "_close", "end"])
def test_a_killed_move_leaves_one_registry_and_is_made_again(
    postgres: Postgres, tmp_path: Path, dies_at: str
) -> None:
    url, home = postgres.url(postgres.database()), str(tmp_path / "home")
    here = read_settings({"MESH_HOME": home})
    there = read_settings({"MESH_HOME": home, "MESH_REGISTRY": url})
    with open_registry(here) as registry:
        release(registry, "run1", ORDERS, FIELDS)

    died = subprocess.run([sys.executable, "-c", MOVER, home, url, dies_at], cwd=PROJECT, check=False)
    assert died.returncode == -signal.SIGKILL

    if dies_at == "end":  # the copy is whole, and the old one is closed
        with pytest.raises(RegistryMoved, match="MESH_REGISTRY"):
            open_registry(here)
    else:
        with open_registry(here) as old, open_registry(there) as new:
            assert release(old, "run2", ORDERS) == [2]
            move_to(old, new, url)
    with open_registry(there) as new:
        assert new.heads() == {ORDERS: 1 if dies_at == "end" else 2, FIELDS: 1}
        assert release(new, "run3", ORDERS)


def test_a_copy_that_did_not_end_is_not_written_over_once_somebody_released_into_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.url(postgres.database())
    there = read_settings({"MESH_HOME": str(tmp_path), "MESH_REGISTRY": url})
    here = read_settings({"MESH_HOME": str(tmp_path / "other")})
    with open_registry(here) as old, open_registry(there) as new:
        release(old, "run1", ORDERS)
        release(new, "run1", ORDERS)
        release(new, "run2", ORDERS)
        with new.writing() as connection:
            connection.execute(insert(LOG_CURSOR).values(name=UNDER_WAY, position=0))
        with pytest.raises(RegistryTaken):
            move_to(old, new, url)
