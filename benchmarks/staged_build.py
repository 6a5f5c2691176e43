"""`mesh build` with timers (stages.py): `MESH_BENCH_STAGES=FOLDER python -m benchmarks.staged_build`."""

from __future__ import annotations

import sys
import time

from benchmarks import stages


def main() -> None:
    from mesh_assets.capabilities.orchestration import coordinate
    from mesh_assets.capabilities.publishing import dbt_warm
    from mesh_assets.cli.app import main as mesh

    original = coordinate._start

    def start(*arguments: object, **named: object) -> object:
        real, coordinate._child = coordinate._child, stages.child
        try:
            return original(*arguments, **named)  # type: ignore[arg-type]
        finally:
            coordinate._child = real

    coordinate._start = start  # type: ignore[assignment]
    dbt_warm.serve = stages.serve_dbt
    coordinate.PRELOAD = (*coordinate.PRELOAD, "benchmarks.stages")
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
