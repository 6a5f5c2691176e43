"""`mesh build` with timers (stages.py): `MESH_BENCH_STAGES=FOLDER python -m benchmarks.staged_build`."""

from __future__ import annotations

import sys
import time

from benchmarks import stages


def main() -> None:
    from mesh_assets.capabilities.orchestration import launch_here
    from mesh_assets.capabilities.publishing import dbt_warm
    from mesh_assets.cli.app import main as mesh

    original = launch_here.RunsHere.start

    def start(*arguments: object, **named: object) -> object:
        real, launch_here.child_process = launch_here.child_process, stages.child
        try:
            return original(*arguments, **named)  # type: ignore[arg-type]
        finally:
            launch_here.child_process = real

    launch_here.RunsHere.start = start  # type: ignore[assignment, method-assign]
    dbt_warm.serve = stages.serve_dbt
    launch_here.PRELOAD = (*launch_here.PRELOAD, "benchmarks.stages")
    stages.install()
    stages.clock.spent["coordinator: start and imports"][0] += time.process_time()
    sys.argv = ["mesh", "build", "--json", *sys.argv[1:]]
    try:
        with stages.clock.stage("coordinator: the rest (reading the mesh, progress)"):
            mesh()
    finally:
        stages.leave("coordinator")


if __name__ == "__main__":
    main()
