"""Faults by number: the n-th call that changes something kills its process, fails, or loses its connection.

The calls are those of the C library (`calls.c`), so DuckDB's, SQLite's and the PostgreSQL client's are among
them: Linux with a C compiler. Without one only kills are given, at the n-th line of the mesh's own code.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Any, Protocol


class What(IntEnum):
    """What goes wrong, in the order of `calls.c`."""

    NOTHING = 0
    KILL_BEFORE = 1
    KILL_AFTER = 2
    #: Half of what the call was to write is written; then the process is killed.
    TEAR = 3
    #: From this call on the disk is full; the first write still takes half.
    FULL = 4
    #: From this call on no folder can be changed, and no file opened for writing.
    READ_ONLY = 5
    #: This one call fails with EIO.
    BROKEN = 6
    #: The connection is lost before the call sends, or after: then the server has heard it.
    CUT_BEFORE = 7
    CUT_AFTER = 8
    #: The process stands still until somebody outside has done something.
    STOP = 9
    #: The time of day jumps.
    CLOCK = 10


KILLS = (What.KILL_BEFORE, What.KILL_AFTER, What.TEAR)
ON_FILES = (What.FULL, What.READ_ONLY, What.BROKEN)
ON_SOCKETS = (What.CUT_BEFORE, What.CUT_AFTER, What.STOP)


@dataclass(frozen=True)
class Fault:
    """One fault, at the n-th call of its kind; `seconds` are those that the clock jumps."""

    what: What = What.NOTHING
    at: int = 0
    seconds: int = 0


@dataclass(frozen=True)
class Told:
    """What was counted in a process, and where the fault was given ("" if it came too late)."""

    calls: int
    files: int
    sockets: int
    where: str


def missing() -> str:
    """Why faults cannot be given here; "" if they can."""
    if not sys.platform.startswith("linux"):
        return "faults are given with LD_PRELOAD, on Linux"
    return "" if _compiler() else "there is no C compiler (cc)"


def compiled(folder: Path) -> Path | None:
    """The library, made in this folder; None where it cannot be made."""
    if missing():
        return None
    target = folder / "calls.so"
    source = Path(__file__).with_name("calls.c")
    command = [_compiler(), "-O1", "-shared", "-fPIC", "-o", str(target), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return target


def _compiler() -> str:
    return shutil.which("cc") or shutil.which("gcc") or ""


class Counter(Protocol):
    """What counts in this process and gives one fault; a parent can read what a fork of it has counted."""

    def reset(self) -> None: ...
    def arm(self, fault: Fault) -> None: ...
    def disarm(self) -> None: ...
    def told(self) -> Told: ...


#: Where lines are counted: the path of a publication, and what looks after it.
COUNTED = tuple(f"/capabilities/{room}/" for room in ("lake", "registry", "publishing", "upkeep"))


class Lines:
    """Kills at a line of Python, which needs no compiler; what happens inside of DuckDB is one line."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._told = _Told.from_buffer(self._memory)
        self._at = 0

    def reset(self) -> None:
        self._memory.seek(0)
        self._memory.write(bytes(mmap.PAGESIZE))

    def arm(self, fault: Fault) -> None:
        self._at = fault.at if fault.what in KILLS else 0
        sys.settrace(self._of_frame)

    def disarm(self) -> None:
        sys.settrace(None)

    def told(self) -> Told:
        found = self._told
        return Told(found.all, found.files, found.sockets, found.where.decode())

    def _of_frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._of_line if any(room in frame.f_code.co_filename for room in COUNTED) else None

    def _of_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._told.all = self._told.files = self._told.all + 1
            if self._told.all == self._at:
                self._told.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}".encode()[:47]
                os.kill(os.getpid(), signal.SIGKILL)
        return self._of_line


class Calls:
    """The library in this process, which was started with it; forks count where their parent can look."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._told = _Told.from_buffer(self._memory)
        self._library.faults_share(ctypes.byref(self._told))

    def reset(self) -> None:
        self._memory.seek(0)
        self._memory.write(bytes(mmap.PAGESIZE))

    def arm(self, fault: Fault) -> None:
        """From now on calls are counted, and the fault is given at its own. A fault of 0 only counts."""
        what = int(fault.what) or int(What.KILL_BEFORE)
        self._library.faults_arm(what, ctypes.c_long(fault.at), ctypes.c_long(fault.seconds))

    def disarm(self) -> None:
        self._library.faults_disarm()

    def told(self) -> Told:
        found = self._told
        return Told(found.all, found.files, found.sockets, found.where.decode())


class _Told(ctypes.Structure):
    _fields_ = (
        ("all", ctypes.c_long),
        ("files", ctypes.c_long),
        ("sockets", ctypes.c_long),
        ("happened", ctypes.c_long),
        ("where", ctypes.c_char * 48),
    )
