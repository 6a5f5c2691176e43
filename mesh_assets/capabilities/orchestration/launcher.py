"""How Dagster's daemon starts runs: forked from a warm process if that comes to the same, else by the code
server.

A run that the code server starts imports Dagster and the mesh anew, which takes seconds; one that is forked
starts at once. The warm process stands in for a code location only if it has the same surroundings
(surroundings.py): the same machine, files, variables, interpreter and mesh code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._serdes import ConfigurableClassData, serialize_value

from mesh_assets.capabilities.orchestration.alive import is_alive, process_of
from mesh_assets.capabilities.orchestration.surroundings import SURROUNDINGS, surroundings
from mesh_assets.words.settings import read_settings

#: Tag of a run that was forked here.
WARM_TAG = "mesh/warm"
#: Seconds between two interrupts of a run that is to stop, and until it is killed: readers see nothing of it.
INSIST_EVERY, PATIENCE = 2, 30


class WarmRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, with a shorter way where there is one."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._warm: dict[str, Warm] = {}
        self._choosing = threading.Lock()

    def warm_up(self) -> None:
        """Start the process that runs are forked from before the first one asks for it."""
        with self._choosing:
            self._warm = self._warm or {surroundings(): Warm(self._ended)}

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        warm = self._warm_for(context)
        if warm is None:
            super().launch_run(context)
            return
        self._instance.add_run_tags(run.run_id, {WARM_TAG: "true"})
        if not warm.start(run.run_id, serialize_value(self._instance.get_ref())):
            super().launch_run(context)
            return
        self._run_ids.add(run.run_id)

    def terminate(self, run_id: str) -> bool:
        """The process gets the interrupt that Dagster's own server would send it."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or WARM_TAG not in run.tags:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]  # Dagster's has no types
        self._instance.report_run_canceling(run)
        pid = process_of(read_settings(), run_id)
        if pid is None:  # not begun: it looks at its status first; or gone, and the monitor finds it so
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        threading.Thread(target=self._insist, args=(run_id, pid), name="stops-a-run", daemon=True).start()
        return True

    def _insist(self, run_id: str, pid: int) -> None:
        """An interrupt is lost where an engine turns it into an error of its own, which is caught there."""
        until = time.monotonic() + PATIENCE
        while process_of(read_settings(), run_id) == pid:
            time.sleep(INSIST_EVERY)
            last = time.monotonic() > until
            with suppress(ProcessLookupError):
                if process_of(read_settings(), run_id) == pid:
                    os.kill(pid, signal.SIGKILL if last else signal.SIGINT)
            run = self._instance.get_run_by_id(run_id) if last and self.has_instance else None
            if run is not None and not run.is_finished:
                self._instance.report_run_canceled(run, "It did not end when it was told to, and was killed.")

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Only of runs that were forked here is anything known; their lock says it."""
        if WARM_TAG not in run.tags or is_alive(read_settings(), run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")

    def dispose(self) -> None:
        for warm in self._warm.values():
            warm.close()
        super().dispose()

    def _warm_for(self, context: LaunchRunContext) -> Warm | None:
        """The process that may stand in for the run's location; None if there is none."""
        wanted = _said_by(context)
        if not wanted or context.job_code_origin is None:
            return None
        with self._choosing:
            found = self._warm.get(wanted)
            if found is not None and found.answers:
                return found
            if surroundings() != wanted:
                return None
            for each in self._warm.values():
                each.close()  # of code that has changed since; its runs go on
            self._warm = {wanted: Warm(self._ended)}
            return self._warm[wanted]

    def _ended(self, run_id: str, code: int) -> None:
        """A run's process ended badly; if it was killed, it could not say so."""
        run = self._instance.get_run_by_id(run_id) if self.has_instance else None
        if run is None or run.is_finished:
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        told = f"The run's process ended with {how}, and said nothing."
        if run.status is DagsterRunStatus.CANCELING:  # somebody stops it, maybe from another process
            self._instance.report_run_canceled(run, told)
        else:
            self._instance.report_run_failed(run, told)


class Warm:
    """This end of a warm process."""

    def __init__(self, ended: Callable[[str, int], None]) -> None:
        self._channel, theirs = socket.socketpair()
        self._sending = threading.Lock()
        self._ended = ended
        command = [sys.executable, "-m", "mesh_assets.capabilities.orchestration.warm", str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.answers = True
        threading.Thread(target=self._listen, name="warm-runs", daemon=True).start()

    def start(self, run_id: str, instance_ref: str) -> bool:
        """False if the process is gone."""
        line = json.dumps({"run": run_id, "instance": instance_ref}).encode() + b"\n"
        try:
            with self._sending:
                self._channel.sendall(line)
        except OSError:
            self.answers = False
        return self.answers

    def close(self) -> None:
        self.answers = False
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with self._channel.makefile("rb") as lines:
            for line in lines:
                fact = json.loads(line)
                if fact["exit"] != 0:
                    self._ended(str(fact["run"]), int(fact["exit"]))
        self.answers = False
        self._process.wait()


def _said_by(context: LaunchRunContext) -> str:
    """The surroundings that the run's code location was loaded in, "" if it does not say."""
    origin = context.dagster_run.remote_job_origin
    if context.workspace is None or origin is None:
        return ""
    repository = origin.repository_origin
    location = context.workspace.get_code_location(repository.code_location_origin.location_name)
    found = location.get_repository(repository.repository_name).repository_snap.metadata or {}
    return str(getattr(found.get(SURROUNDINGS), "value", ""))
