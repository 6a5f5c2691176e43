"""What a process finds around it, as one short text: two processes with the same one may stand in for each
other.

A code location says what it was loaded in, and the launcher compares: a run is forked from a warm process
only where that process sees the same files, variables, interpreter and mesh code as the location does.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mesh_assets

#: Where a location's definitions say it (metadata of its repository).
SURROUNDINGS = "mesh/surroundings"
#: Of the shell, and what Dagster tells each of its own processes.
_OWN = ("PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES")
_OWN_PREFIXES = ("DAGSTER_", "GRPC_", "PYTEST_")


def surroundings() -> str:
    """A digest: nothing of it can be read back."""
    here = (socket.gethostname(), _files_seen(), os.getuid(), sys.executable, str(Path.cwd()))
    facts = [*here, _variables(), _code()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _files_seen() -> str:
    """Containers on one machine see other files under the same names."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/mnt").readlink())
    return ""


def _variables() -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name not in _OWN and not name.startswith(_OWN_PREFIXES)
    }


def _code() -> list[tuple[str, int]]:
    """The mesh's own modules, which the warm process has imported; a domain's are read anew by each run."""
    return sorted(
        (str(path), path.stat().st_mtime_ns) for path in _modules(Path(mesh_assets.__file__).parent)
    )


def _modules(package: Path) -> Iterator[Path]:
    yield from package.glob("*.py")
    for room in ("capabilities", "words"):
        yield from (package / room).rglob("*.py")
