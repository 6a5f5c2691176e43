"""Python that a domain wrote and that does not end: an error of its rule after its limit, in any thread."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mesh_assets.capabilities.checks.clock import python_limit
from mesh_assets.capabilities.checks.judge import run_expectations
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, one_column, rule

ENDLESS = """
import re
import time

import pandera.polars as pa


def never_ends(frame):
    while True:
        pass


def catches_everything(frame):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


def sleeps(frame):
    time.sleep(10**6)


def backtracks(frame):
    return re.match("(a+)+$", "a" * 60 + "b")


def check_that_never_ends():
    return pa.Check(never_ends)


def check_that_holds():
    return pa.Check(lambda data: data.lazyframe.select(data.key))


def holds(frame):
    return frame["x"] > 0
"""


def judged(con, path, *names: str, seconds: float = 0.3):
    rules = [
        rule("pandera", "x", id=name, form="check" if name.startswith("check") else "rows") for name in names
    ]
    subject = look_at(Subject(con, one_column("BIGINT", "1"), contract_of(*rules)))
    return run_expectations(subject, rules, path=path, seconds=seconds)


@pytest.fixture
def endless(con, tmp_path):
    path = tmp_path / "expectations.py"
    path.write_text(ENDLESS)
    # What is imported once is not what is timed: an import that is cut off stays half done.
    judged(con, path, "holds", "check_that_holds", seconds=60)
    return path


@pytest.mark.parametrize(
    "name", ["never_ends", "catches_everything", "sleeps", "backtracks", "check_that_never_ends"]
)
def test_python_without_an_end_is_an_error_of_its_rule_and_the_next_one_runs(con, endless, name):
    stuck, holds = judged(con, endless, name, "holds")

    assert stuck.outcome is Outcome.ERROR
    assert "longer than 0.3 seconds" in stuck.summary
    assert holds.outcome is Outcome.PASSED


@pytest.mark.parametrize("name", ["never_ends", "catches_everything"])
def test_beside_the_main_thread_loops_end_as_well(con, endless, name):
    with ThreadPoolExecutor(1) as pool:
        stuck, holds = pool.submit(judged, con, endless, name, "holds").result()

    assert (stuck.outcome, holds.outcome) == (Outcome.ERROR, Outcome.PASSED)


@pytest.mark.parametrize("main", [True, False])
def test_a_limit_that_was_not_reached_leaves_nothing_behind(main):
    def quick() -> tuple[str, int]:
        with python_limit(60):
            return "done", threading.active_count()

    before = signal.getsignal(signal.SIGALRM), threading.active_count()
    if main:
        assert quick()[0] == "done"
    else:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(quick).result()[0] == "done"

    assert (signal.getsignal(signal.SIGALRM), threading.active_count()) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_limit_within_a_limit_leaves_the_outer_one_as_it_is():
    with pytest.raises(CannotRun, match=r"longer than 0\.2"), python_limit(0.2):
        with python_limit(60):
            pass
        while time.monotonic():
            pass
