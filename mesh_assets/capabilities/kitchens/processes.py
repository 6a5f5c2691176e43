"""Processes that use a kitchen now: its Dagster, and an opening that is under way."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mesh_assets.words.kitchens import BEGUN


def server_of(home: Path) -> int | None:
    """The process of `mesh kitchen dev` of the kitchen in this folder, None if it does not run."""
    return _running(home / "dagster" / "server.json", "dagster")


def opener_of(home: Path) -> int | None:
    """The process that is opening the kitchen, None if it died or is done."""
    return _running(home / BEGUN, "")


def _running(file: Path, word: str) -> int | None:
    try:
        pid = int(json.loads(file.read_text(encoding="utf-8"))["pid"])
        os.kill(pid, 0)
    except PermissionError:  # it runs, and is somebody else's
        return pid
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if pid != os.getpid() and word in _command(pid) else None


def _command(pid: int) -> str:
    """What a process was started with, to tell it from a later one of its number; the word for unknown."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "dagster"
