"""Where a build's CPU seconds go: timers around what each room does, set from here, not in the product.

Every stage is exclusive: what a stage calls that is a stage itself is taken off it. CPU is of all threads of
the process, and of children that were waited for meanwhile (dbt, the foreign program).
"""

from __future__ import annotations

import functools
import json
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: The folder where each process leaves its account.
FOLDER = "MESH_BENCH_STAGES"

#: Module -> function (or Class.method) -> stage.
TIMED = {
    "mesh_assets.capabilities.publishing.build": {
        "make": "recipe",
        "stage": "stage: write the draft",
        "find_sources": "keys: look at sources",
        "source_versions": "keys: look at sources",
        "keys_now": "keys: digests",
        "read_heads": "registry: read",
        "known_keys": "registry: read",
        "keep_artifacts": "certificate and artifacts",
        "certify": "certificate and artifacts",
        "artifact_digests": "certificate and artifacts",
        "commit": "commit to the lake",
        "write_manifest": "commit to the lake",
    },
    "mesh_assets.capabilities.publishing.auditor": {
        "Auditor.audit": "audit",
        "Auditor.split": "audit",
        "input_sql": "inputs and sources as views",
    },
    "mesh_assets.capabilities.publishing.bench": {
        "_source_views": "inputs and sources as views",
        "input_sql": "inputs and sources as views",
        "connect": "inputs and sources as views",
        "find_sources": "keys: look at sources",
    },
    "mesh_assets.capabilities.publishing.dbt": {
        "input_sql": "inputs and sources as views",
        "_wanted_models": "keys: look at sources",
        "_wanted_weeks": "keys: look at sources",
    },
    "mesh_assets.capabilities.orchestration.tools": {
        "_run_dbt": "recipe: wait for dbt",
        "_run_program": "recipe: program, through Pipes",
    },
    "mesh_assets.capabilities.orchestration.batch": {
        "domain_definitions": "Dagster: definitions",
    },
    "mesh_assets.capabilities.orchestration.steps": {
        "_workshop": "registry and sweep, per step",
    },
    "mesh_assets.capabilities.orchestration.coordinate": {
        "choose": "coordinator: what is stale",
        "Coordinator._start": "coordinator: start runs",
        "Coordinator._collect": "coordinator: follow runs",
        "Coordinator._skip_orphans": "coordinator: follow runs",
        "next_batch": "coordinator: follow runs",
        "in_order": "coordinator: follow runs",
    },
    "mesh_assets.capabilities.orchestration.log_book": {
        "LogBook.write": "registry: write",
    },
    "mesh_assets.capabilities.orchestration.event_log": {
        "PooledSqliteEventLog.store_event": "Dagster: store events",
        "PooledSqliteEventLog.store_event_batch": "Dagster: store events",
    },
    "mesh_assets.capabilities.registry.open": {
        "Registry.release": "release",
        "Registry.record_build": "registry: write",
        "Registry.pin": "registry: write",
        "Registry.unpin": "registry: write",
    },
    "dagster._core.instance": {
        "DagsterInstance.get": "Dagster: open the instance",
    },
}


class Clock:
    """Exclusive CPU seconds by stage: own process, and children."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0])
        self._stack: list[str] = []
        self._last = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time(), children.ru_utime + children.ru_stime, time.monotonic()

    def _settle(self) -> None:
        now = self._now()
        if self._stack:
            account = self.spent[self._stack[-1]]
            for place in range(3):
                account[place] += now[place] - self._last[place]
        self._last = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._settle()
        self._stack.append(name)
        self.spent[name][3] += 1
        try:
            yield
        finally:
            self._settle()
            self._stack.pop()


clock = Clock()


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        with clock.stage(name):
            return function(*arguments, **named)

    return wrapper


def install() -> None:
    """Put the timers in."""
    import importlib

    for module_name, functions in TIMED.items():
        module = importlib.import_module(module_name)
        for path, stage in functions.items():
            owner_name, _, name = path.rpartition(".")
            owner = getattr(module, owner_name) if owner_name else module
            found = owner.__dict__.get(name) or getattr(owner, name)
            if isinstance(found, staticmethod):
                setattr(owner, name, staticmethod(timed(stage, found.__func__)))
            elif isinstance(found, classmethod):
                setattr(owner, name, classmethod(timed(stage, found.__func__)))
            else:
                setattr(owner, name, timed(stage, found))


def leave(who: str) -> None:
    """Write this process's account."""
    path = Path(os.environ[FOLDER]) / f"{who}-{os.getpid()}.json"
    path.write_text(json.dumps(clock.spent), encoding="utf-8")


def serve_dbt(*arguments: Any) -> None:
    """In the place of the warm dbt's own loop: the same, with an account at its end."""
    from mesh_assets.capabilities.publishing import dbt_warm

    try:
        with clock.stage("dbt: import, parse, runs"):
            dbt_warm.serve(*arguments)
    finally:
        leave("dbt")


def child(facts: dict[str, Any]) -> None:
    """In the place of the coordinator's own child: the same run, with an account at its end."""
    from mesh_assets.capabilities.orchestration import launch_here

    install()
    clock.spent["a run's process: start"][0] += time.process_time()
    try:
        with clock.stage("Dagster: run"):
            launch_here.child_process(facts)
    finally:
        leave(str(facts["domain"]))
