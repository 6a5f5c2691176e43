"""Environments of their own for peers whose packages the project does not need.

`python -m benchmarks.lake.environments --setup FOLDER` makes them from the package registry; the benchmark
finds them with `--environments FOLDER`, and leaves out what is not there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

#: Peer -> what it needs.
NEEDS: dict[str, tuple[str, ...]] = {
    "deltalake": ("deltalake==1.6.6", "pyarrow==26.0.1"),
    "pyiceberg": ("pyiceberg[sql-sqlite,pyarrow]==0.12.0", "pyarrow==26.0.1"),
}


def interpreter(peer: str, folder: Path | None) -> str:
    """What runs the peer: its own Python if there is one."""
    own = _python(folder / peer) if folder else None
    return str(own) if own and own.exists() else sys.executable


def _python(environment: Path) -> Path:
    return environment.absolute() / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setup", type=Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().setup.resolve()
    for peer, needs in NEEDS.items():
        if not _python(folder / peer).exists():
            venv.create(folder / peer, with_pip=True)
        # Isolated: pip else looks at this folder's package as well, and warns that it lacks what it needs.
        install = [str(_python(folder / peer)), "-I", "-m", "pip", "install", "--quiet", *needs]
        subprocess.run(install, check=True)
        print(f"{peer}: {', '.join(needs)}")


if __name__ == "__main__":
    main()
