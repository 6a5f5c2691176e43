"""A build that is interrupted or killed at any moment leaves a mesh that opens, reads and builds on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.words.versions import BuildOutcome
from tests.killed import BUILDER, started
from tests.shop import ORDERS, Shop

OLD = [(1, 10), (2, 20)]
NEW = [*OLD, (3, 30)]

SLOW_RECIPE = '''"""Waits until it is let go."""
import time
from pathlib import Path

from mesh_assets import mesh


@mesh.recipe(sources=["order_log"])
def orders(run: mesh.Run) -> str:
    root = Path({root!r})
    (root / "recipe-runs").touch()
    for _ in range(1200):
        if (root / "let-go").exists():
            break
        time.sleep(0.1)
    return "select order_id::bigint as order_id, amount::bigint as amount from source.order_log"
'''


def until(path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)


@pytest.fixture
def delivered(shop: Shop) -> Shop:
    """Version 1 of shop.orders is there, and a row more was delivered."""
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,30\n")
    return shop


def test_the_builder_publishes_when_nobody_kills_it(delivered: Shop) -> None:
    with started(delivered, ["-c", BUILDER, str(delivered.root), "lives", ""]) as process:
        assert process.wait() == 0, process.stdout.read() if process.stdout else ""

    assert delivered.rows("shop.orders") == NEW


@pytest.mark.parametrize("moment", ["stage", "sift", "commit", "write_manifest", "release"])
def test_a_build_killed_before_its_release_changes_nothing_for_readers(delivered: Shop, moment: str) -> None:
    with started(delivered, ["-c", BUILDER, str(delivered.root), "dies", moment]) as process:
        assert process.wait() == -signal.SIGKILL

    assert delivered.rows("shop.orders") == OLD

    built = delivered.build("shop.orders", run_id="run-2")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert delivered.rows("shop.orders") == NEW
    assert delivered.rows("shop.orders", version=1) == OLD


def test_a_build_killed_after_its_release_is_released(delivered: Shop) -> None:
    with started(delivered, ["-c", BUILDER, str(delivered.root), "dies", "record_build"]) as process:
        assert process.wait() == -signal.SIGKILL

    assert delivered.rows("shop.orders") == NEW
    assert delivered.build("shop.orders", run_id="run-2").record.outcome is BuildOutcome.UNCHANGED


def test_builds_killed_at_any_time_leave_readers_one_whole_version(delivered: Shop) -> None:
    """Each build of the row is killed somewhere on its way, a tenth of a second later than the one before."""
    for number in range(8):
        with started(delivered, ["-c", BUILDER, str(delivered.root), f"dies-{number}", ""]) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(number / 10)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

        assert delivered.rows("shop.orders") in (OLD, NEW)

    delivered.build("shop.orders", run_id="run-2")

    assert delivered.rows("shop.orders") == NEW
    assert delivered.head("shop.orders") == 2
    assert delivered.build("books.revenue").record.outcome is BuildOutcome.PUBLISHED


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_command_can_be_stopped_and_started_again(
    delivered: Shop, sent: signal.Signals, code: int
) -> None:
    """Ctrl-C and kill -9 reach every process of `mesh build`, as a terminal and a scheduler send them."""
    folder = delivered.folder("shop.orders")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(SLOW_RECIPE.format(root=str(delivered.root)))
    build = ["-m", "mesh_assets.cli", "build"]

    with started(delivered, build) as process:
        until(delivered.root / "recipe-runs")
        os.killpg(process.pid, sent)
        said, _ = process.communicate(timeout=300)

    assert process.returncode == code, said
    assert "Traceback" not in said
    assert (sent is signal.SIGINT) == ("what was published stays" in said)
    assert delivered.rows("shop.orders") == OLD
    (delivered.root / "let-go").touch()

    with started(delivered, build) as process:
        said, _ = process.communicate(timeout=300)

    assert process.returncode == 0, said
    assert delivered.rows("shop.orders") == NEW
    assert delivered.rows("books.revenue") == [(3, 60)]


def test_a_run_that_was_killed_is_shown_as_failed_by_the_next_build(delivered: Shop) -> None:
    """Nobody is left to tell Dagster of it, and a run that is started for ever would mislead."""
    folder = delivered.folder("shop.orders")
    (folder / "recipe.sql").unlink()
    (folder / "recipe.py").write_text(SLOW_RECIPE.format(root=str(delivered.root)))
    build = ["-m", "mesh_assets.cli", "build", "shop.orders"]

    with started(delivered, build) as process:
        until(delivered.root / "recipe-runs")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=300)

    assert statuses(delivered) == ["STARTED"]
    (delivered.root / "let-go").touch()

    with started(delivered, build) as process:
        said, _ = process.communicate(timeout=300)

    assert process.returncode == 0, said
    assert statuses(delivered) == ["FAILURE", "SUCCESS"]


def statuses(shop: Shop) -> list[str]:
    """How Dagster shows the runs of `mesh build`, the oldest first."""
    with open_instance(shop.settings) as instance:
        return [run.status.value for run in reversed(instance.get_runs())]
