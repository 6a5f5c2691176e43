"""dbt kept warm: one process imports it and parses the project once, and forks for each invocation.

Two thirds of a small dbt run are imports and parsing, 7 CPU seconds that three domains of one `mesh build`
would each pay. A fork starts with both done, runs one command in its own environment and ends; a failure or a
crash stays in it, as in a process that was started by hand.

The process has one thread whenever it forks: dbt's static parser is off (its Rust threads would not survive),
and the default connection that DuckDB opens when it is imported is closed.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess, ForkServerContext
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.publishing.dbt import DbtFailed, Scratch
from mesh_assets.capabilities.publishing.workshop import DbtCall

#: What the last line of an invocation begins with; before it come dbt's own lines.
VERDICT = "mesh-dbt-verdict "
#: Where dbt_project.yml says that models, macros and tests are.
FOLDERS = ("models", "macros", "tests")
#: What dbt is told on top of its environment.
QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_USE_COLORS": "false", "DBT_STATIC_PARSER": "false"}


@dataclass(frozen=True)
class Parsed:
    """A project as it was when it was parsed."""

    files: frozenset[tuple[str, int, int]]
    #: None if it does not parse: the first invocation says why.
    manifest: Any


@contextmanager
def warm_dbt(context: ForkServerContext, project: Path, log: Path) -> Iterator[str]:
    """The address of a warm dbt, which is there as long as this lasts and as this process lives."""
    folder = Path(tempfile.mkdtemp(prefix="mesh-dbt-"))  # ours alone: who reaches the address may run dbt
    address = str(folder / "door")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        process = context.Process(target=serve, args=(door, str(project), str(log)))
        process.start()
    try:
        yield address
    finally:
        process.terminate()
        process.join()
        shutil.rmtree(folder, ignore_errors=True)


def run_warm(address: str, call: DbtCall, tell: Callable[[str], None]) -> None:
    """One invocation; each line that dbt prints is told as it comes. Raises DbtFailed."""
    request = {
        "arguments": call.arguments,
        "environment": dict(call.environment),
        "project": str(call.project),
    }
    last: list[str] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(address)
        with door.makefile("rw", encoding="utf-8", errors="replace") as lines:
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            for line in lines:
                if line.startswith(VERDICT):
                    last.append(json.loads(line.removeprefix(VERDICT)) or "")
                    break
                tell(line.rstrip("\n"))
                last = [*last[-30:], line.rstrip("\n")]
            else:
                raise DbtFailed("\n".join([*last, "dbt's process ended without a word"]))
    error = last.pop()
    if error:
        raise DbtFailed("\n".join([*last, error]))


def serve(door: socket.socket, project: str, log: str) -> None:
    """Accept invocations until the process that started this one ends or says so."""
    _print_to(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent = parent_process()
    assert parent is not None
    running: list[ForkProcess] = []
    try:
        parsed = _parse(project)
        while parent.sentinel not in (ready := wait([door, parent.sentinel, *_ends(running)])):
            running = [each for each in running if each.sentinel not in ready]
            if door in ready:
                running.append(_fork(door, parsed))
    finally:
        for each in running:
            each.terminate()
            each.join()


def _ends(running: list[ForkProcess]) -> list[int]:
    return [each.sentinel for each in running]


def _parse(project: str) -> Parsed:
    import duckdb
    from dbt.adapters import duckdb as adapter
    from dbt.cli.main import dbtRunner

    assert adapter is not None  # imported for the forks
    files = _stamps(project)  # before they are read
    duckdb.default_connection().close()
    with tempfile.TemporaryDirectory(prefix="mesh-dbt-") as target:
        folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", target]
        # The manifest holds the database's name, which is its file's.
        scratch = str(Scratch(Path(target)).database)
        os.environ.update(QUIET, DBT_LOG_PATH=target, MESH_DBT_SCRATCH=scratch)
        done = dbtRunner().invoke(["--quiet", "--no-partial-parse", "--no-write-json", "parse", *folders])
    gc.collect()
    gc.freeze()  # else the first collection in a fork copies every page
    return Parsed(files, done.result if done.success else None)


def _stamps(project: str) -> frozenset[tuple[str, int, int]]:
    """Names, sizes and times of what dbt reads in the project."""
    found = [path for folder in FOLDERS for path in Path(project, folder).rglob("*")]
    stats = [(path, path.stat()) for path in (*found, *Path(project).glob("*.yml")) if path.is_file()]
    return frozenset((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def _fork(door: socket.socket, parsed: Parsed) -> ForkProcess:
    caller, _ = door.accept()
    with caller:
        process = get_context("fork").Process(target=_invoke, args=(door, caller, parsed))
        process.start()
    return process


def _invoke(door: socket.socket, caller: socket.socket, parsed: Parsed) -> None:
    """One command, with standard output to the caller; its last line is the error, or null."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    door.close()
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with caller.makefile("r", encoding="utf-8") as lines:
        request = json.loads(lines.readline())
    _print_to(os.dup(caller.fileno()))
    os.chdir(request["project"])
    os.environ.update(request["environment"])
    # A model that was edited meanwhile counts as it is now, as its recipe hash does: dbt parses again.
    manifest = parsed.manifest if parsed.files == _stamps(request["project"]) else None
    done = dbtRunner(manifest=manifest).invoke(list(request["arguments"]))
    # The scratch database is written out when it is closed.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    error = None if done.success else str(done.exception or "dbt failed")
    sys.stdout.write(VERDICT + json.dumps(error) + "\n")
    sys.stdout.flush()


def _print_to(target: int) -> None:
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as we live
    sys.stderr = sys.stdout
