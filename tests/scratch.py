"""Folders of servers that tests start: gone with the tests, also when those were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

#: Held by whoever made the folder, for as long as that process lives.
OWNER = "owner"
#: Number of the process that serves from the folder.
SERVER = "server.pid"
#: Nobody needs longer than this from making a folder to holding it, in seconds.
GRACE = 60.0


@contextmanager
def scratch(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder of one's own; what killed tests left of the same kind is removed first."""
    place = parent or Path(tempfile.gettempdir())
    for folder in place.glob(f"{prefix}*"):
        _remove_if_left(folder)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    with (folder / OWNER).open("wb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):
        if time.time() - folder.stat().st_mtime < GRACE:
            return
        with (folder / OWNER).open("ab") as owner:
            if _held(owner):
                return
            _end(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _held(owner: IO[bytes]) -> bool:
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _end(folder: Path) -> None:
    """End the server that outlived its tests, if that number still serves from this folder."""
    number = (folder / SERVER).read_text() if (folder / SERVER).exists() else ""
    command = Path(f"/proc/{number}/cmdline")
    if number and command.exists() and str(folder).encode() in command.read_bytes():
        os.kill(int(number), signal.SIGKILL)
