"""A whole year: the mesh is written, driven through its script, and held against it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import dagster as dg

from benchmarks.year.clock import Clock, told_by
from benchmarks.year.drive import Done, Year
from benchmarks.year.held import Report, hold
from benchmarks.year.mesh import FIRST, make_mesh
from benchmarks.year.script import WARM, Week, write_script
from mesh_assets.capabilities.registry import open_registry
from tests.receivers import listening

#: Dagster tells of each refused draft at length.
QUIET = {"python_logs": {"python_log_level": "CRITICAL"}}


@dataclass(frozen=True)
class Simulated:
    script: list[Week]
    done: Done
    report: Report
    seconds: float


def simulate(root: Path, *, weeks: int, seed: int) -> Simulated:
    """Deterministic but for the pauses between two tries of a receiver that is down."""
    began, script, mesh = time.monotonic(), write_script(weeks, seed), make_mesh(root)
    # The Monday on which the last week of the warm-up is over.
    start = datetime.combine(FIRST + timedelta(weeks=WARM), clock_time(6), UTC)
    clock = Clock(start)
    with (
        _environment(mesh.environment),
        told_by(clock),
        listening() as receiver,
        dg.DagsterInstance.ephemeral(settings=QUIET) as instance,
        open_registry(mesh.settings) as registry,
    ):
        year = Year(mesh, registry, clock, instance, receiver)
        year.begin(seed)
        year.go(script)
        return Simulated(script, year.done, hold(mesh, script, receiver.bodies), time.monotonic() - began)


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
