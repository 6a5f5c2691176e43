"""Faults at seeded calls of publications, rollbacks, expiries and pins, over the three kinds of store.

`python -m benchmarks.faults --points 1000 --seed 1 [--catalog sqlite|postgres|postgres+s3] [--jobs 2]`.
Meshes live for 40 points each; `--mesh 7` lives the life of the seventh again. A failure keeps the mesh's
folder and says which. The exit code is 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.calls import compiled, missing
from tests.faults.client import faulty
from tests.faults.points import LIFE, Counts, Points

#: Settings of a new mesh.
MakeSettings = Callable[[], dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalog", choices=["sqlite", "postgres", "postgres+s3"], default="sqlite")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--mesh", type=int, help="only this one of the meshes")
    asked = parser.parse_args()
    if missing():
        print(f"{missing()}: only kills, at lines of Python", file=sys.stderr)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, _stores(asked.catalog) as settings:
        run = Run(asked.seed, asked.points, settings, compiled(Path(folder)))
        if asked.mesh is not None:
            run.live(asked.mesh)
        else:
            with ThreadPoolExecutor(asked.jobs) as pool:
                for each in [pool.submit(run.work) for _ in range(asked.jobs)]:
                    each.result()
    print(json.dumps(run.told(time.monotonic() - began), indent=1))
    sys.exit(bool(run.broken))


class Run:
    """All meshes of a run, and what came of them."""

    def __init__(self, seed: int, points: int, settings: MakeSettings, library: Path | None) -> None:
        self.seed, self.points, self.settings, self.library = seed, points, settings, library
        self.counts: list[Counts] = []
        self.broken: list[str] = []
        self._lock, self._next = threading.Lock(), 0

    def work(self) -> None:
        """One mesh after the other until there are points enough."""
        while sum(each.total for each in self.counts) < self.points and len(self.broken) < 20:
            with self._lock:
                self._next += 1
                number = self._next
            self.live(number)

    def live(self, number: int) -> None:
        root = Path(tempfile.mkdtemp(prefix=f"faults-{self.seed}-{number}-"))
        with self._lock:
            more = self.settings()
        with faulty(root, self.library, more) as mesh:
            points = Points(mesh, f"{self.seed} {number}")
            try:
                points.live(LIFE)
            except Exception as error:  # the others live on
                told = f"mesh {number} in {root}, {points.last}: {type(error).__name__}: {error}"
                self.broken.append(told)
                print(told, file=sys.stderr, flush=True)
            else:
                shutil.rmtree(root)
            self.counts.append(points.counts)
        done = sum(each.total for each in self.counts)
        print(f"{done} points, {len(self.broken)} broken", file=sys.stderr, flush=True)

    def told(self, seconds: float) -> dict[str, object]:
        def summed(name: str) -> dict[str, int]:
            return dict(sum((getattr(each, name) for each in self.counts), Counter[str]()).most_common())

        return {
            "points": sum(each.total for each in self.counts),
            "meshes": len(self.counts),
            "broken": self.broken,
            "done although it had failed": sum(each.done for each in self.counts),
            "told in somebody else's words": sum(sum(each.raised.values()) for each in self.counts),
            "too late": sum(each.too_late for each in self.counts),
            **{name: summed(name) for name in ("points", "acts", "ends", "calls", "raised")},
            "total": sum(each.total for each in self.counts),
            "seconds": round(seconds),
        }


@contextmanager
def _stores(catalog: str) -> Iterator[MakeSettings]:
    """The servers that a kind of store needs, and settings for one mesh after the other."""
    from tests import objects, postgres

    with ExitStack() as opened:
        if catalog == "sqlite":
            yield dict
            return
        server = opened.enter_context(postgres.serving())
        bucket = opened.enter_context(objects.serving()) if catalog == "postgres+s3" else None
        if bucket:
            os.environ.update(bucket.environment())

        def settings() -> dict[str, str]:
            libpq = server.database()
            more = {"MESH_REGISTRY": server.url(libpq), "MESH_CATALOG": f"postgres:{libpq}"}
            return {**more, "MESH_DATA": bucket.prefix()} if bucket else more

        yield settings


if __name__ == "__main__":
    main()
