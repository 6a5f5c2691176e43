"""Runs in processes of this command: forked from a server that has imported Dagster once."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from mesh_assets.capabilities.orchestration.alive import is_alive
from mesh_assets.capabilities.orchestration.instance import cancel_runs
from mesh_assets.capabilities.orchestration.launch import Child, Launch
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt_warm import warm_dbt
from mesh_assets.words.settings import Settings

#: What a child process has imported before it is forked, so that a run starts in milliseconds.
PRELOAD = ("mesh_assets.capabilities.orchestration.preload",)
#: Seconds that a run has to end by itself when the command is stopped.
PATIENCE = 5


class RunsHere:
    """A launcher: one process per run, and a warm dbt from the first run that needs one."""

    where = "in process"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*PRELOAD])
        self._open_things = ExitStack()
        self._dbt = ""

    def why_not(self, domain: str) -> str | None:
        return None  # a location that does not load is one of the server's

    def new_run(self, launch: Launch) -> str:
        return str(uuid.uuid4())

    def start(self, launch: Launch, run_id: str) -> Child:
        log = self._settings.home / "logs" / f"{launch.domain}-{run_id[:8]}.log"
        facts = {
            "domain": launch.domain,
            "assets": launch.assets,
            "run_id": run_id,
            "weeks": launch.partitions,
            "tags": {**launch.tags, "user": who()},
            "log": str(log),
            "environment": {name: value for name, value in os.environ.items() if name.startswith("MESH_")},
            "dbt": self._dbt_address() if launch.needs_dbt else "",
        }
        process = self._context.Process(target=child_process, args=(facts,), daemon=False)
        process.start()
        return Child(run_id, launch.domain, list(launch.names), str(log), process)

    def find(self, order_id: str, run_id: str, domain: str) -> Child | None:
        """A run outlives a coordinator that was killed: it is waited for, not started twice."""
        if not run_id or not is_alive(self._settings, run_id):
            return None
        return Child(run_id, domain, [], str(self._settings.home / "logs"))

    def ended(self, child: Child) -> str | None:
        process = child.handle
        if not isinstance(process, ForkServerProcess):
            return None if is_alive(self._settings, child.run_id) else "its run has ended"
        if process.is_alive():
            return None
        process.join()
        return f"its run ended with exit code {process.exitcode}"

    def stop(self, children: Sequence[Child]) -> None:
        """Dagster holds signals back until a recipe has ended; a killed build changes nothing for readers."""
        mine = [each for each in children if isinstance(each.handle, ForkServerProcess)]
        processes = [each.handle for each in mine if isinstance(each.handle, ForkServerProcess)]
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(PATIENCE)
            process.kill()
            process.join()
        if mine:
            cancel_runs(self._settings, [each.run_id for each in mine])

    def close(self) -> None:
        self._open_things.close()

    def _dbt_address(self) -> str:
        if not self._dbt:
            log = self._settings.home / "logs" / "dbt.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            project = Path(self._settings.dbt_project)
            self._dbt = self._open_things.enter_context(warm_dbt(self._context, project, log))
        return self._dbt


def child_process(facts: Mapping[str, object]) -> None:
    from mesh_assets.capabilities.orchestration.batch import Batch, run_batch

    run_batch(Batch(**facts))  # type: ignore[arg-type]  # plain data, as RunsHere.start made it
