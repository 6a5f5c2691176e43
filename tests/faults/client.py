"""A mesh under faults: the server that forks, the model beside it, and one step after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mesh_assets.words.settings import PROJECT
from tests.faults.acts import Act, Do
from tests.faults.calls import Fault, Told, What
from tests.faults.look import Seen
from tests.faults.truth import Broken, Truth
from tests.faults.world import (
    PRODUCTS,
    SALE,
    VISIT,
    WEEK,
    WEEKS,
    deliver_sale,
    deliver_visit,
    deliver_week,
    make_world,
)
from tests.shop import Shop

NO_FAULT = Fault()


@dataclass(frozen=True)
class Ended:
    """How a process that did something ended: 0, 3 (in words of ours), 4 (in others), or by a signal."""

    status: int
    hung: bool
    counted: Told
    error: str
    traceback: str

    @property
    def finished(self) -> bool:
        return self.status == 0


class Mesh:
    """A mesh that faults happen to."""

    def __init__(self, world: Shop, server: subprocess.Popen[str], *, kills_only: bool = False) -> None:
        self.world, self.truth, self._server = world, Truth(), server
        self.kills_only = kills_only
        self._modules: list[str] = []
        self._batch = self._run = 0

    def batch(self) -> int:
        """Content that no version has."""
        self._batch += 1
        return self._batch

    def run(self) -> str:
        self._run += 1
        return f"run-{self._run}"

    def deliver(self, act: Act) -> None:
        """What the act's sources have before it begins; a second time it is the same."""
        if act.do is Do.WEEK:
            deliver_week(self.world, act.week, act.batch)
        elif act.do is Do.TOGETHER or (act.do is Do.BUILD and act.product == str(SALE)):
            deliver_sale(self.world, act.batch)
        elif act.do is Do.BUILD:
            deliver_visit(self.world, act.batch)

    def do(self, act: Act, fault: Fault = NO_FAULT) -> Ended:
        """Have a process do it, and a fault happen to it."""
        self.deliver(act)
        told = self._ask({"act": act.told(), "fault": asdict(fault), "modules": self._modules})
        self._modules = [name for name in told.get("modules", ()) if name.partition(".")[0] in WARM]
        if "modules" not in told:
            self._modules = []
        return Ended(
            told["status"],
            told["hung"],
            Told(**told["counted"]),
            told.get("error", ""),
            told.get("traceback", ""),
        )

    def look(self, **how: bool) -> Seen:
        told = self._ask({"look": how})
        if told["status"]:
            raise Broken(f"the mesh cannot be read: {told.get('error')}\n{told.get('traceback', '')}")
        return Seen.of(told["seen"])

    def step(self, act: Act, fault: Fault = NO_FAULT) -> tuple[Ended, bool]:
        """Do it, and hold what readers see then against the model; True if it had its effect."""
        ended = self.do(act, fault)
        if ended.hung:
            raise Broken(f"`{act.do}` did not end: {fault}")
        return ended, self.truth.settle(act, self.look(), finished=ended.finished)

    def surely(self, act: Act) -> None:
        """Do it with no fault: it is to end well."""
        ended = self.do(act)
        if not ended.finished:
            raise Broken(f"`{act.do}` without a fault: {ended.error or ended.status}\n{ended.traceback}")
        self.truth.settle(act, self.look(heads_only=True), finished=True)

    def begin(self) -> None:
        """First versions of everything."""
        for act in self.publications():
            self.surely(act)

    def publications(self) -> list[Act]:
        """A new version of every product."""
        return [
            Act(Do.TOGETHER, self.run(), batch=self.batch()),
            Act(Do.BUILD, self.run(), str(VISIT), batch=self.batch()),
            *(Act(Do.WEEK, self.run(), str(WEEK), week=week, batch=self.batch()) for week in WEEKS),
        ]

    def after_grace(self) -> None:
        """Long afterwards nothing is left of what died."""
        # A commit that nobody released is held back until its product released a later one.
        for act in self.publications()[: len(PRODUCTS) - 1]:
            self.surely(act)
        self.surely(Act(Do.MEND, self.run()))
        seen = self.look(deep=True, later=True)
        self.truth.compare(seen)
        if seen.strays or seen.findings:
            raise Broken(f"left after grace: {seen.strays} {seen.findings}")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the server of forks has ended: {self._server.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found


#: Packages whose modules a fork would import for itself, every time.
WARM = ("mesh_assets", "sqlalchemy", "duckdb", "psycopg", "email", "json", "xml", "http", "yaml", "encodings")


@contextmanager
def faulty(root: Path, library: Path | None, more: Mapping[str, str] = {}) -> Iterator[Mesh]:
    """A mesh in this folder, with nothing built."""
    world = make_world(root, **more)
    environment = {
        **os.environ,
        **more,
        **({"LD_PRELOAD": str(library)} if library else {}),
        "FAULTS_MORE": json.dumps(dict(more)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "tests.faults.server", str(root), *([str(library)] if library else [])]
    with (
        (root / "server.log").open("w") as log,
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            if server.stdout.readline() != "ready\n":
                raise RuntimeError((root / "server.log").read_text())
            yield Mesh(world, server, kills_only=library is None)
        finally:
            server.kill()


__all__ = ["Ended", "Mesh", "What", "faulty"]
