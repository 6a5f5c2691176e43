"""One module for each way to put rows where others read them: `python -m benchmarks.lake.writers.<name> FILE
FOLDER`.

Each reads the Parquet file and writes the same rows, compressed with zstd, in place of what the folder's
table held before. It prints, as JSON, what its work took without its imports; the harness has what the whole
process took. A writer that ends with MISSING lacks its packages, which `environments.py` pins.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

#: How a writer ends whose packages are not installed.
MISSING = 77

#: Rows that are handed over at once where a writer takes batches.
BATCH = 122_880


def run(write: Callable[[Path, Path], None], *needs: str) -> None:
    """A writer's command line; `needs` are the imports that are not part of its work."""
    try:
        for module in needs:
            import_module(module)
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"{missing}\n")
        raise SystemExit(MISSING) from None
    file, folder = Path(sys.argv[1]), Path(sys.argv[2])
    before, clock = _cpu(), time.monotonic()
    write(file, folder)
    print(json.dumps({"cpu": _cpu() - before, "wall": time.monotonic() - clock}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
