"""The portal and Dagster's UI as two processes of one command: started together, ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

from mesh_assets.words.portal import PortTaken

#: Seconds until who was asked to end is made to.
PATIENCE = 20
STEP = 0.2


def run_beside(*, port: int, dagster_port: int, one_process: bool, told: Callable[[str], None]) -> int:
    """Run both until one ends or somebody says stop; the exit code is that of whoever ended first."""
    refuse_taken("127.0.0.1", port, "mesh up")
    refuse_taken("127.0.0.1", dagster_port, "mesh up --dagster-port")
    environment = {
        **os.environ,
        "MESH_PORTAL_URL": os.environ.get("MESH_PORTAL_URL") or f"http://127.0.0.1:{port}",
        "MESH_DAGSTER_URL": os.environ.get("MESH_DAGSTER_URL") or f"http://127.0.0.1:{dagster_port}",
    }
    mesh = [sys.executable, "-m", "mesh_assets.cli"]
    commands = [
        [*mesh, "portal", "--port", str(port)],
        [*mesh, "dev", "--port", str(dagster_port), *(["--one-process"] if one_process else [])],
    ]
    told(f"the portal   {environment['MESH_PORTAL_URL']}")
    told(f"Dagster      {environment['MESH_DAGSTER_URL']}")
    stopping = _Stop()
    running = [_start(command, environment) for command in commands]
    try:
        while not stopping.asked:
            for name, process in zip(("portal", "dev"), running, strict=True):
                if (code := process.poll()) is not None:
                    told(f"mesh {name} ended with exit code {code}; the other one ends too")
                    return code or 1
            time.sleep(STEP)
        return 0
    finally:
        _end(running)


class _Stop:
    """Remembers that somebody said stop: Ctrl-C, or a supervisor."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C reaches this process, which asks both to end and waits for them.
    return subprocess.Popen(list(command), env=environment, start_new_session=True)


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask each group to end, and make those that do not."""
    for process in running:
        _tell(process, signal.SIGINT)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and any(process.poll() is None for process in running):
        time.sleep(STEP)
    for process in running:
        _tell(process, signal.SIGKILL)
        process.wait()


def _tell(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def refuse_taken(host: str, port: int, command: str) -> None:
    """Raise PortTaken if somebody listens there: both servers would only say so at the end of a long text."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            raise PortTaken(port=port, command=command, other=port + 1) from None
