"""Environments of their own for SQLMesh and dbt: their packages ask for other versions than the project."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

NEEDS: dict[str, tuple[str, ...]] = {
    "sqlmesh": ("sqlmesh==0.236.0", "duckdb==1.5.5"),
    "dbt": ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", "duckdb==1.5.5"),
}


def make(folder: Path) -> None:
    """From the package registry; what is there is brought to its versions."""
    for peer, needs in NEEDS.items():
        python = folder.absolute() / peer / "bin" / "python"
        if not python.exists():
            venv.create(folder / peer, with_pip=True)
        # Isolated: pip else looks at this folder's package as well, and warns that it lacks what it needs.
        subprocess.run([str(python), "-I", "-m", "pip", "install", "--quiet", *needs], check=True)
        print(f"{peer}: {', '.join(needs)}")


def program(folder: Path | None, peer: str) -> str | None:
    """The peer's command; None if it is not there."""
    found = folder.absolute() / peer / "bin" / peer if folder else None
    return str(found) if found and found.exists() else None
