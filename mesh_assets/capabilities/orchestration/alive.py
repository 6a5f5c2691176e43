"""Which runs are alive, and telling Dagster of those that are not.

A run that is killed cannot say so, and Dagster would show it as started for ever, in a place of its queue.
Each run of `mesh build`, and each step of any other run, holds a lock on a file of the run, which the kernel
lets go when the process dies, however it dies; the next build, `mesh dev` and automation look at the files
that are left. Looking costs nothing when there are none: Dagster is imported only for a dead run.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh_assets.words.settings import Settings

#: Beside the runs' folder: one file per order that goes on.
ORDERS = "orders"

GONE = "Its process ended without a word: it was killed, or the machine went down. Readers saw nothing of it."


@contextmanager
def alive(settings: Settings, run_id: str) -> Iterator[None]:
    """As long as this lasts, or as this process lives, the run is alive."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    fresh, path = folder / f".{run_id}", folder / run_id
    with fresh.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(str(os.getpid()))
        file.flush()
        fresh.rename(path)  # locked before it can be seen
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def working(settings: Settings, run_id: str) -> Iterator[None]:
    """As long as a step lasts, its run is alive; a run that says so as a whole needs no more."""
    if is_alive(settings, run_id):
        yield
    else:
        with alive(settings, run_id):
            yield


def tell_of_dead_runs(settings: Settings) -> list[str]:
    """Have Dagster show runs whose process is gone as failed; their ids."""
    dead = dead_runs(settings)
    if dead:
        from mesh_assets.capabilities.orchestration.instance import fail_runs

        fail_runs(settings, dead, GONE)
    for run_id in dead:
        (_folder(settings) / run_id).unlink(missing_ok=True)
    return dead


def is_alive(settings: Settings, run_id: str) -> bool:
    """True while a process holds the run."""
    path = _folder(settings) / run_id
    return path.is_file() and not _is_dead(path)


def process_of(settings: Settings, run_id: str) -> int | None:
    """The process that holds the run; None if none does."""
    path = _folder(settings) / run_id
    try:
        pid = int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if _is_dead(path) else pid


@contextmanager
def order_alive(settings: Settings, order_id: str) -> Iterator[None]:
    """As long as this lasts, or as this process lives, the order goes on.

    Its file stays if the process dies, and says to `mesh run --resume` that there is something to take up.
    """
    folder = settings.dagster_home / ORDERS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / order_id
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def order_died(settings: Settings, order_id: str) -> bool:
    """True if a process of this home had the order and is gone."""
    path = settings.dagster_home / ORDERS / order_id
    return path.is_file() and _is_dead(path)


def dead_runs(settings: Settings) -> list[str]:
    """Runs whose process is gone and of which Dagster has not been told; only looked at."""
    return [path.name for path in sorted(_folder(settings).glob("[!.]*")) if _is_dead(path)]


def _is_dead(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def _folder(settings: Settings) -> Path:
    return settings.dagster_home / "alive"
