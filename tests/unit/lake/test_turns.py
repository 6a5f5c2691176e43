"""The lake's lock: first come, first served, who holds it can be seen, and the dead hold nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake import turns
from mesh_assets.words.errors import LakeBusy
from mesh_assets.words.settings import Settings

ROOT = Path(__file__).parents[3]

#: Waits for the lock as often as it is told, and says when it has it.
WAITER = """
import sys
from mesh_assets.capabilities import lake
from mesh_assets.words.settings import read_settings
settings = read_settings()
for _ in range(int(sys.argv[2])):
    with lake.commit_lock(settings, lake.lake_of(settings, "shop"), what=sys.argv[1]):
        print(sys.argv[1], flush=True)
"""


def waiters(settings: Settings) -> list[lake.Turn]:
    return lake.waiting(settings, lake.lake_of(settings, "shop"))


def waiter(settings: Settings, name: str, times: int = 1) -> subprocess.Popen[str]:
    environ = {**os.environ, "MESH_HOME": str(settings.home), "MESH_CATALOG": settings.catalog}
    command = [sys.executable, "-c", WAITER, name, str(times)]
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE)


def until(met: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def test_who_came_first_is_served_first_and_all_can_be_seen(settings: Settings) -> None:
    place, served, threads = lake.lake_of(settings, "shop"), [], []

    def ask(name: str) -> None:
        with lake.commit_lock(settings, place, what=name, run_id="r1"):
            served.append(name)

    with lake.commit_lock(settings, place, what="commit of shop.orders", run_id="r0"):
        for number in range(5):
            threads.append(threading.Thread(target=ask, args=(f"waiter {number}",)))
            threads[-1].start()
            until(lambda: len(waiters(settings)) == len(threads) + 1)
        seen = waiters(settings)
    for thread in threads:
        thread.join()

    assert served == [f"waiter {number}" for number in range(5)]
    assert [turn.what for turn in seen] == ["commit of shop.orders", *served]
    assert [turn.holds for turn in seen] == [True] + [False] * 5
    assert {(turn.domain, turn.pid) for turn in seen} == {("shop", os.getpid())}
    assert waiters(settings) == []


def test_who_waits_long_is_told_behind_whom(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (turns, lake.lock):
        monkeypatch.setattr(module, "TOLD_AFTER", 0.05)
    place = lake.lake_of(settings, "shop")
    with (
        lake.commit_lock(settings, place, what="commit of shop.orders", run_id="r0"),
        pytest.raises(LakeBusy, match=r"for commit of shop\.orders, run r0 has it.*mesh lake waiting"),
        lake.commit_lock(settings, place, patience=1.5),
    ):
        pass

    assert f"waiting to commit to the lake of shop behind process {os.getpid()}" in caplog.text


def test_a_waiter_that_is_killed_holds_nobody_up(embedded: Settings) -> None:
    place, served = lake.lake_of(embedded, "shop"), threading.Event()

    def ask() -> None:
        with lake.commit_lock(embedded, place, what="after the dead"):
            served.set()

    with lake.commit_lock(embedded, place):
        doomed = waiter(embedded, "doomed")
        until(lambda: len(waiters(embedded)) == 2)
        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: len(waiters(embedded)) == 3)
        doomed.kill()
        doomed.communicate()
        until(lambda: [turn.what for turn in waiters(embedded)] == ["upkeep", "after the dead"])
    thread.join(30)

    assert served.is_set()
    assert list(place.turns.glob("*.json")) == []


def test_processes_take_turns(embedded: Settings) -> None:
    """Each asks again at once after its turn: without a queue one of them would go many times in a row."""
    place = lake.lake_of(embedded, "shop")
    with lake.commit_lock(embedded, place):
        processes = [waiter(embedded, str(number), times=20) for number in range(3)]
        until(lambda: len(waiters(embedded)) == 4)
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert output.count("\n") == 20
