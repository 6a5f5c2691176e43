"""A mesh with many versions and products, and what is measured on it.

`python -m benchmarks.lake.pile FOLDER SETTINGS` measures one that is there; `many` makes it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from mesh_assets.capabilities.lake import CATALOG_THREADS, attach, commit, connect, stage
from mesh_assets.capabilities.lake.arrivals import bring_near, move
from mesh_assets.capabilities.lake.commit import Note, record
from mesh_assets.capabilities.lake.ledger import open_ledger
from mesh_assets.capabilities.lake.places import lake_of
from mesh_assets.capabilities.lake.read import Handle, version_facts
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import WHOLE, Certificate, Draft

DOMAIN = "many"
TIMES = 5
ROWS = "SELECT range AS id, 'x' || range AS name, range / 4 AS amount FROM range(100)"


class Pile:
    """The mesh, and how it grows."""

    def __init__(self, root: Path, more: dict[str, str]) -> None:
        self.settings = settings_of(root, more)

    def grow(self, *, products: int, versions: int) -> None:
        """Let so many products have so many versions each, at least."""
        settings = self.settings
        with open_registry(settings) as registry, closing(connect(settings, threads=CATALOG_THREADS)) as con:
            ledger = open_ledger(con, settings, DOMAIN, read_only=False)
            heads = registry.heads()
            for name in (named(number) for number in range(products)):
                for number in range(heads.get(name, 0), versions):
                    draft = self._draft(con, name)
                    place = lake_of(settings, DOMAIN)
                    arrived = [(draft, move(place, bring_near(place, draft)))]
                    snapshot = record(ledger, arrived, Note("bench", {}, {}))
                    show(registry, draft, snapshot, number or None)

    def _draft(self, con: DuckDBPyConnection, name: ProductName) -> Draft:
        return stage(con, ROWS, product=name, run_id=f"r{time.time_ns()}", settings=self.settings)


def settings_of(root: Path, more: dict[str, str]) -> Settings:
    return read_settings({"MESH_HOME": str(root / ".mesh"), "MESH_DOMAINS": str(root / "domains"), **more})


def named(number: int) -> ProductName:
    return ProductName(DOMAIN, f"product_{number:04}")


def show(registry: Registry, draft: Draft, snapshot: int, head: int | None) -> None:
    """Release a draft that is in the lake."""
    now = datetime.now(UTC)
    certificate = Certificate(
        product=draft.product,
        number=None,
        rows=draft.rows,
        fingerprint="d1:0",
        partitions={WHOLE: {"fingerprint": "d1:0", "rows": draft.rows}},
        contract_version="1.0.0",
        contract_text="x" * 2000,
        rule_results=(),
        snapshot=snapshot,
        files=(),
        started=now,
        finished=now,
        inputs=(),
        sources=(),
        packages={},
        recipe="",
        recipe_hash="",
        git_commit=None,
        git_dirty=False,
        run_id=draft.run_id,
        who="bench",
    )
    heads = {draft.product: head}
    registry.release([certificate], expected=heads, reads={}, who="bench", run_id=draft.run_id)


def measured(settings: Settings) -> dict[str, list[float]]:
    """What everybody does, in CPU and wall milliseconds."""
    name = named(0)
    with open_registry(settings) as registry:
        head = registry.head(name)
        assert head is not None
        found = {
            "attach a lake": _timed(lambda _: _attached(settings)),
            "learn of a version's files": _timed(lambda _: _learned(settings, name, head.snapshot)),
            "read it": _timed(lambda _: _read(settings, name, head.number, head.snapshot)),
            "heads of all products": _timed(lambda _: registry.heads()),
            "a product's head": _timed(lambda _: registry.head(name)),
            "a product's last twenty versions": _timed(lambda _: registry.versions(name, limit=20)),
            "all versions of a product": _timed(lambda _: registry.versions(name)),
        }
        drafts = [_made(settings, name, turn) for turn in range(TIMES + 1)]
        snapshots = {}

        def committed(turn: int) -> None:
            snapshots[turn] = commit(settings, drafts[turn], who="bench", extra={"turn": turn}).snapshot

        def released(turn: int) -> None:
            show(registry, drafts[turn], snapshots[turn], head.number + turn)

        found["commit"] = _timed(committed)
        found["release"] = _timed(released)
    return found


def _made(settings: Settings, name: ProductName, turn: int) -> Draft:
    with closing(connect(settings)) as con:
        run_id = f"probe-{time.time_ns()}-{turn}"
        return stage(con, ROWS, product=name, run_id=run_id, settings=settings)


def _attached(settings: Settings) -> None:
    with closing(connect(settings, threads=CATALOG_THREADS)) as con:
        attach(con, settings, DOMAIN)


def _learned(settings: Settings, name: ProductName, snapshot: int) -> None:
    """As a process that knows nothing yet, connecting and attaching included."""
    with closing(connect(settings, threads=CATALOG_THREADS)) as con:
        assert version_facts(con, settings, name, snapshot)


def _read(settings: Settings, name: ProductName, number: int, snapshot: int) -> None:
    with closing(Handle(settings, name, number=number, snapshot=snapshot)) as handle:
        assert handle.relation.aggregate("count(id)").fetchall() == [(100,)]


def _timed(work: Callable[[int], object]) -> list[float]:
    """The median of five, after one that is not counted."""
    costs = []
    for turn in range(TIMES + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        work(turn)
        costs.append((time.process_time() - cpu, time.perf_counter() - wall))
    return [1000 * sorted(part)[TIMES // 2] for part in zip(*costs[1:], strict=True)]


if __name__ == "__main__":
    folder, more = sys.argv[1:]
    print(json.dumps(measured(settings_of(Path(folder), json.loads(more)))))
