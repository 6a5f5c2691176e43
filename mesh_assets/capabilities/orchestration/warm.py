"""A process that has imported Dagster once, and forks a process for each run that it is told of.

Here: the server (`python -m` this file, one thread, started by launcher.py), its run, and its end of the
channel. Not here: which runs come here, and stopping them (launcher).

It speaks in lines of JSON over an inherited socket: `{"run", "instance"}` in, `{"run", "exit"}` out. When the
other end is gone it ends; runs go on, each holds its own lock (alive.py).
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from typing import NoReturn

from mesh_assets.capabilities.orchestration import preload
from mesh_assets.capabilities.orchestration.alive import alive
from mesh_assets.words.settings import read_settings

__all__ = ["main", "preload"]


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runs; this ends with its launcher
    gc.freeze()  # what is loaded stays shared with the runs
    serve(channel, woken)


def serve(channel: socket.socket, woken: int) -> None:
    """Fork for each line, tell of each end, until the channel closes."""
    running: dict[int, str] = {}
    buffer = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(channel, selectors.EVENT_READ)
        waiting.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in waiting.select()}
            if woken in ready:
                os.read(woken, 4096)
                for pid, code in _ended():
                    _tell(channel, {"run": running.pop(pid, ""), "exit": code})
            if channel in ready:
                read = channel.recv(65536)
                if not read:
                    return
                *lines, buffer = (buffer + read).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    running[_fork(order, channel)] = order["run"]


def _tell(channel: socket.socket, fact: dict[str, str | int]) -> None:
    try:
        channel.sendall(json.dumps(fact).encode() + b"\n")
    except OSError:
        return  # the launcher is gone: the next read says so


def _ended() -> Iterator[tuple[int, int]]:
    """(process, exit code) of each child that is over."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _fork(order: dict[str, str], channel: socket.socket) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        channel.close()
        code = _run(order["run"], order["instance"])
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(run_id: str, instance_ref: str) -> int:
    """The run, as `dagster api execute_run` does it; how it ended is in Dagster's log."""
    from dagster import DagsterInstance
    from dagster._core.definitions.reconstruct import ReconstructableJob
    from dagster._core.events import EngineEventData
    from dagster._core.instance.ref import InstanceRef
    from dagster._core.origin import JobPythonOrigin
    from dagster._core.storage.dagster_run import DagsterRun
    from dagster._grpc.impl import core_execute_run
    from dagster._serdes import deserialize_value
    from dagster._utils.hosted_user_process import recon_job_from_origin
    from dagster._utils.interrupts import capture_interrupts

    reference = deserialize_value(instance_ref, InstanceRef)
    with (
        capture_interrupts(),
        alive(read_settings(), run_id),
        DagsterInstance.from_ref(reference) as instance,
    ):
        run = instance.get_run_by_id(run_id)
        assert isinstance(run, DagsterRun) and isinstance(run.job_code_origin, JobPythonOrigin)
        job: ReconstructableJob = recon_job_from_origin(run.job_code_origin)
        told = EngineEventData.in_process(os.getpid())
        instance.report_engine_event(f"Started process for run (pid: {os.getpid()}).", run, told)
        try:
            for _ in core_execute_run(job, run, instance, inject_env_vars=False):
                pass
        except BaseException:  # it is in Dagster's log by now, an interrupt too
            return 1
    return 0


if __name__ == "__main__":
    main()
