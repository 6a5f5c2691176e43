"""Processes of a running mesh, each what `python -m MODULE` would be.

They are forked from a server that has imported Dagster once: seven that import it take 20 CPU seconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

#: Nothing of it starts a thread.
PRELOAD = (
    "pytest",  # a child imports the main module of whoever asked for it
    "dagster._cli.api",
    "dagster._daemon.cli",
    "dagster._daemon.controller",
    "dagster._grpc.server",
    "dagster_webserver.cli",
    "dagster_webserver.app",
    "dagster_webserver.webserver",
    "mesh_assets.capabilities.orchestration.preload",
    "mesh_assets.capabilities.orchestration.definitions",
    "mesh_assets.mesh",
)


def start(*command: str, environment: Mapping[str, str], folder: Path, log: Path) -> ForkServerProcess:
    """`python -m COMMAND...` in a session of its own, with this environment and no other."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOAD])
    process = context.Process(target=_become, args=(command, dict(environment), str(folder), str(log)))
    process.start()
    return process


def _become(command: tuple[str, ...], environment: dict[str, str], folder: str, log: str) -> None:
    os.setsid()
    threading.Thread(target=_outlive_nobody, name="outlives-nobody", daemon=True).start()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # As what a shell starts in its background: runs have to be stopped all the same.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = [*command]
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _outlive_nobody() -> None:
    """A test run that is killed cannot end what it started."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.killpg(0, signal.SIGKILL)


def end_session(number: int) -> None:
    """A process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)
