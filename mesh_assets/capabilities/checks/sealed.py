"""A query in a process of its own, with bounded memory, that the operating system ends when its time is up.

For queries that no clock inside of DuckDB interrupts: see growth. The process sees no environment, and
what it answers is read as JSON: nothing that it says is run.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.clock import too_long
from mesh_assets.capabilities.checks.lending import LIMITS, lend, lock_statements
from mesh_assets.capabilities.checks.queries import Name
from mesh_assets.capabilities.checks.stored import CannotRun

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from duckdb import DuckDBPyConnection

#: Address space of the process: DuckDB's own limit, its threads, and a text or two of their own.
MOST_BYTES = 4 * 2**30
#: To start, and to tell.
_GRACE_SECONDS = 30.0
_CELL = Path(__file__).with_name("cell.py")
_READERS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "decimal": Decimal,
    "float": float,
    "bool": lambda told: told == "True",
    "other": str,
}


def sealed(
    owner: DuckDBPyConnection, relations: Mapping[Name, str], query: str, seconds: float
) -> list[tuple[Any, ...]]:
    """The query's first two rows; CannotRun if it fails, takes too long, or more memory than it may."""
    from tempfile import TemporaryDirectory

    import duckdb

    with TemporaryDirectory(prefix="mesh-sql-") as folder:
        database = str(Path(folder) / "lent.duckdb")
        with duckdb.connect(database) as con:
            files = lend(owner, con, relations)
        order = {
            "database": database,
            "config": {**LIMITS, "temp_directory": folder, "threads": 2},
            "lock": lock_statements(files),
            "query": query,
            "seconds": seconds,
            "bytes": MOST_BYTES,
        }
        return _answer(_run(order, folder, seconds), seconds)


def _run(order: Mapping[str, Any], folder: str, seconds: float) -> CompletedProcess[str]:
    import subprocess

    try:
        return subprocess.run(
            [sys.executable, "-I", str(_CELL)],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=seconds + _GRACE_SECONDS,
            check=False,
            env={"HOME": folder},
            cwd=folder,
        )
    except subprocess.TimeoutExpired:
        raise CannotRun(too_long(seconds)) from None


def _answer(ended: CompletedProcess[str], seconds: float) -> list[tuple[Any, ...]]:
    if ended.returncode == -signal.SIGALRM:
        raise CannotRun(too_long(seconds))
    if ended.returncode:
        raise CannotRun(
            f"its process ended by itself ({ended.returncode}): {_gigabytes()} may be too little for it"
        )
    told = json.loads(ended.stdout)
    if "error" in told:
        raise CannotRun(str(told["error"]))
    return [tuple(_value(*each) for each in row) for row in told["rows"]]


def _value(kind: str, told: str) -> Any:
    return None if kind == "null" else _READERS[kind](told)


def _gigabytes() -> str:
    return f"{math.floor(MOST_BYTES / 2**30)} GB"
