"""A warm process that forks one for each act: a point costs what it does, not what importing costs.

`python -m tests.faults.server ROOT [LIBRARY]` reads a request on each line and answers on one.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.lake.told import in_words
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.errors import MeshError
from tests.faults.acts import Act, Place, perform
from tests.faults.calls import Calls, Counter, Fault, Lines
from tests.faults.look import look
from tests.shop import Shop

#: Seconds that a child may take.
PATIENCE = 100.0

#: How a child that raised ended: in words of ours, or not.
REFUSED, RAISED = 3, 4

#: What children import, and nothing that starts a thread.
NEEDED = (
    "duckdb", "psycopg", "sqlite3", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "mesh_assets.capabilities.publishing.quarantine",
)  # fmt: skip


def main() -> None:
    root, library = Path(sys.argv[1]), sys.argv[2:]
    world = Shop(root, json.loads(os.environ.get("FAULTS_MORE", "{}")))
    place = Place(world, read_mesh(world.settings))
    for name in NEEDED:
        importlib.import_module(name)
    server = Server(place, Calls(Path(library[0])) if library else Lines())
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        server.known(request.pop("modules", []))
        print(json.dumps(server.answer(request)), flush=True)


class Server:
    """Forks, and says how each fork ended."""

    def __init__(self, place: Place, calls: Counter) -> None:
        self.place, self.calls = place, calls

    def known(self, modules: list[str]) -> None:
        for name in modules:
            importlib.import_module(name)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.reset()
        # No pipe: a child that says much would wait for somebody to read.
        memory = os.memfd_create("said")
        pid = os.fork()
        if pid == 0:
            self._child(request, memory)
        status, hung = self._ended(pid)
        with os.fdopen(memory, "rb") as said_by:
            said = os.pread(said_by.fileno(), os.fstat(memory).st_size, 0)
        try:
            told = json.loads(said)
        except ValueError:
            told = {}
        return {**told, "status": status, "hung": hung, "counted": asdict(self.calls.told())}

    def _child(self, request: dict[str, Any], into: int) -> None:
        """Never returns."""
        import faulthandler

        faulthandler.register(signal.SIGUSR1, all_threads=True)
        code, told = 0, {}
        try:
            told = self._done(request)
        except BaseException as error:
            # As `mesh` and Dagster's steps tell it: who reads this sees no engine's own words.
            ours = error if isinstance(error, MeshError) else in_words(error)
            code = RAISED if ours is None else REFUSED
            shown = ours or error
            told = {"error": f"{type(shown).__name__}: {shown}", "traceback": traceback.format_exc()}
        finally:
            self.calls.disarm()
            os.write(into, json.dumps(told, default=str).encode())
            os._exit(code)

    def _done(self, request: dict[str, Any]) -> dict[str, Any]:
        if "act" not in request:
            return {"seen": look(self.place, **request["look"]).told()}
        fault = Fault(**request["fault"])
        before = set(sys.modules)
        self.calls.arm(fault)
        said = perform(self.place, Act.of(request["act"]))
        self.calls.disarm()
        return {"said": said, "modules": sorted(set(sys.modules) - before)}

    def _ended(self, pid: int) -> tuple[int, bool]:
        """The exit code, negative for a signal; whether it had to be ended."""
        deadline, hung = time.monotonic() + PATIENCE, False
        while True:
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if found and os.WIFSTOPPED(status):
                self._while_it_stands()
                os.kill(pid, signal.SIGCONT)
            elif found:
                return os.waitstatus_to_exitcode(status), hung
            elif time.monotonic() > deadline and not hung:
                hung = True
                os.kill(pid, signal.SIGUSR1)
                time.sleep(0.5)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)

    def _while_it_stands(self) -> None:
        """The database's administrator ends every session of the mesh."""
        import psycopg

        catalog = self.place.world.settings.catalog.removeprefix("postgres:")
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(catalog, autocommit=True) as session:
            session.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}".encode())


if __name__ == "__main__":
    main()
