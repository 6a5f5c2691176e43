"""Environments of their own for peers whose packages the project does not need, and which would not fit it.

`python -m benchmarks.audit.peers --setup FOLDER` makes them from the package registry. The benchmark finds
them with `--environments FOLDER`; a peer without one runs with the interpreter that runs the benchmark.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

#: Peer -> what it needs. Each has DuckDB or polars of its own version: the one that it asks for.
NEEDS: dict[str, tuple[str, ...]] = {
    "dataframely": ("dataframely==3.1.2", "polars==2.1.0"),
    "datacontract_cli": ("datacontract-cli[duckdb]==1.2.8", "duckdb==1.5.6"),
    "great_expectations": ("great-expectations==1.24.1", "pandas==3.1.1", "pyarrow==26.0.1"),
    "pandera_ibis": ("pandera[ibis]==0.35.0", "ibis-framework[duckdb]==12.0.0", "duckdb==2.0.0"),
}


def make(folder: Path, peers: Sequence[str]) -> None:
    """An environment for each of these peers; one that is there is brought to its versions."""
    for peer in peers:
        where = folder / peer
        if not _python(where).exists():
            venv.create(where, with_pip=True)
        # Isolated: pip else looks at this folder's package as well, and warns that it lacks what it needs.
        install = [str(_python(where)), "-I", "-m", "pip", "install", "--quiet", *NEEDS[peer]]
        subprocess.run(install, check=True)
        print(f"{peer}: {', '.join(NEEDS[peer])}")


def interpreter(peer: str, folder: Path | None) -> str:
    """What runs the peer: its own Python if there is one."""
    own = _python(folder / peer) if folder else None
    return str(own) if own and own.exists() else sys.executable


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"
