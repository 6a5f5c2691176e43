"""What dead runs left behind."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: No draft waits this long between its staging and its commit, in seconds.
GRACE = 3600.0


def sweep(settings: Settings, *, keep: frozenset[str] = frozenset(), grace: float = GRACE) -> list[Path]:
    """Remove staging and scratch folders that nobody touched for an hour, except runs in `keep`."""
    removed = []
    for folder in (*settings.staging.glob("*"), *settings.scratch.glob("*")):
        if folder.is_dir() and folder.name not in keep and time.time() - _touched(folder) > grace:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _touched(folder: Path) -> float:
    """When anything in it was last written; files may vanish while we look."""
    newest = 0.0
    for path in (folder, *folder.rglob("*")):
        try:
            newest = max(newest, path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return newest
