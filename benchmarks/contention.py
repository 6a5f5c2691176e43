"""Writers and readers in processes of their own, all at once, for some minutes.

`python -m benchmarks.contention --minutes 10 [--postgres] [--writers 8] [--readers 8]`. Two writers release
two products of two domains together, two publish one product, two publish weeks of one product, two have
products of their own, and the last of these expires old versions; readers hold what they see against what a
release promises, pin, and read in transactions. The exit code is 1 if anything was mixed, torn or lost.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from benchmarks.contention_mesh import DESK, OWN, SHARED, TILL, WEEKLY, Maker, write_mesh
from benchmarks.contention_work import read, write
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.publishing.together import publish_together
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.settings import read_settings

#: What must not happen, however long it runs.
WRONG = ("mixed states", "torn versions", "lost updates")

#: Seconds that writers do nothing after a publication, on average.
PAUSE = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between two publications")
    parser.add_argument("--postgres", action="store_true", help="registry and catalogs on PostgreSQL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="contention-") as folder, _databases(asked.postgres) as more:
        counts = run(
            Path(folder),
            more,
            seconds=asked.minutes * 60,
            writers=asked.writers,
            readers=asked.readers,
            pause=asked.pause,
        )
    print(json.dumps(dict(sorted(counts.items())), indent=1))
    sys.exit(any(counts[word] for word in WRONG))


def run(
    root: Path, more: dict[str, str], *, seconds: float, writers: int, readers: int, pause: float = PAUSE
) -> Counter[str]:
    """Make a mesh in a folder, let everybody at it, and add up what they counted."""
    environment = {"MESH_HOME": str(root / ".mesh"), "MESH_DOMAINS": str(root / "domains"), **more}
    write_mesh(root)
    _first_versions(environment)
    with ProcessPoolExecutor(writers + readers, mp_context=get_context("spawn")) as pool:
        work: list[Future[Counter[str]]] = [
            pool.submit(write, environment, number, seconds, pause) for number in range(writers)
        ]
        work += [pool.submit(read, environment, number, seconds) for number in range(readers)]
        counts = sum((each.result() for each in work), Counter[str]())
    counts.update(_ended(environment))
    return counts


def _first_versions(environment: dict[str, str]) -> None:
    maker = Maker(read_settings(environment))
    with open_registry(maker.settings) as registry:
        publish_together(
            maker.mesh, [TILL, DESK], registry, lambda domain, _, view: maker.workshop(domain, view, "first")
        )
        for name in (SHARED, WEEKLY, *OWN):
            build(maker.workshop(name.domain, registry, "first"), name)


def _ended(environment: dict[str, str]) -> dict[str, int]:
    """What the registry has of it: each number given once, each release of the pair whole."""
    with open_registry(read_settings(environment)) as registry:
        releases = registry.releases(limit=1_000_000)
        halves = sum(len({TILL, DESK} & set(each.moved)) == 1 for each in releases)
        gaps = 0
        for name in (TILL, DESK, SHARED, WEEKLY):
            numbers = [each.moved[name] for each in reversed(releases) if name in each.moved]
            gaps += sum(after != (before or 0) + 1 for before, after in numbers)
    return {"releases": len(releases), "mixed states": halves, "lost updates": gaps}


@contextmanager
def _databases(postgres: bool) -> Iterator[dict[str, str]]:
    if not postgres:
        yield {}
        return
    from tests.postgres import serving

    with serving() as server:
        libpq = server.database()
        yield {"MESH_CATALOG": f"postgres:{libpq}", "MESH_REGISTRY": server.url(libpq)}


if __name__ == "__main__":
    main()
