"""First come, first served: turns at the lock of a lake, for the processes of one machine.

flock queues nobody: it goes to whoever asks at the right moment, and one of many can wait for minutes. So
each who wants it takes a ticket, a file that it holds locked as long as it lives, and waits for the ticket
before its own. The kernel lets go of a dead one's ticket: whoever stands behind it moves up.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

LOG = logging.getLogger(__name__)

#: Seconds after which somebody who waits says so, and after which again.
TOLD_AFTER = 3.0
TOLD_AGAIN = 30.0


@dataclass(frozen=True)
class Turn:
    """One who holds a lake's lock or waits for it."""

    domain: str
    what: str
    run_id: str
    pid: int
    host: str
    #: Since when it holds the lock, or waits.
    since: datetime
    holds: bool

    def __str__(self) -> str:
        run = f", run {self.run_id}" if self.run_id else ""
        since = self.since.isoformat(timespec="seconds")
        return f"process {self.pid} since {since} on {self.host}, for {self.what}{run}"


class NotInTime(Exception):
    """The turn did not come; `ahead` is who held it then, if that is known."""

    def __init__(self, ahead: Turn | None) -> None:
        super().__init__()
        self.ahead = ahead


@contextmanager
def in_turn(folder: Path, turn: Turn, patience: float) -> Iterator[None]:
    """Wait until everybody who came before is done; raises NotInTime."""
    folder.mkdir(parents=True, exist_ok=True)
    path, file = _take(folder, turn)
    deadline = time.monotonic() + patience
    try:
        waits = Patience(turn.domain, deadline, lambda: next(iter(turns(folder)), None))
        while (ahead := _before(folder, path)) is not None:
            with ahead:
                waits.for_lock(ahead)
        _write(file, Turn(**{**vars(turn), "since": datetime.now(UTC), "holds": True}))
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def turns(folder: Path) -> list[Turn]:
    """Who holds the lock and who waits, in order; nothing is changed."""
    if not (folder / "door").exists():
        return []
    found = []
    with _door(folder):
        for path in _tickets(folder):
            with suppress(FileNotFoundError, ValueError, KeyError), path.open() as file:
                if not _free(file):
                    found.append(_read(file))
    return found


def turn_of(domain: str, what: str, run_id: str = "") -> Turn:
    """This process, asking now."""
    return Turn(domain, what, run_id, os.getpid(), socket.gethostname(), datetime.now(UTC), holds=False)


class Patience:
    """Waiting for a lock of the kernel until a deadline, and saying so when it takes long."""

    def __init__(self, domain: str, deadline: float, holder: Callable[[], Turn | None]) -> None:
        self.domain, self.deadline, self.holder = domain, deadline, holder
        self.tell_at = time.monotonic() + TOLD_AFTER

    def for_lock(self, file: IO[str], how: int = fcntl.LOCK_SH) -> None:
        """Have the lock of this file; raises NotInTime."""
        with suppress(BlockingIOError):
            return fcntl.flock(file, how | fcntl.LOCK_NB)
        # A thread waits in the kernel, which wakes it at once; asking again and again takes a core from
        # sixteen who wait, or wakes late. It has a descriptor of its own: this one may be closed before.
        descriptor = os.dup(file.fileno())
        thread = threading.Thread(target=_wait_in_kernel, args=(descriptor, how), daemon=True)
        thread.start()
        while thread.is_alive():
            now = time.monotonic()
            if now > self.deadline:
                raise NotInTime(self.holder())
            if now > self.tell_at:
                self._tell()
            thread.join(max(0.0, min(self.deadline, self.tell_at) - now) + 0.001)
        return None

    def _tell(self) -> None:
        self.tell_at = time.monotonic() + TOLD_AGAIN
        holder = self.holder()
        LOG.warning(
            "waiting to commit to the lake of %s behind %s; see `mesh lake waiting`",
            self.domain,
            holder or "another process",
        )


def _wait_in_kernel(descriptor: int, how: int) -> None:
    try:
        fcntl.flock(descriptor, how)
    finally:
        os.close(descriptor)


def _take(folder: Path, turn: Turn) -> tuple[Path, IO[str]]:
    """A ticket with the next number, locked before anybody can look at it."""
    with _door(folder):
        numbers = [int(path.stem) for path in _tickets(folder)]
        path = folder / f"{max(numbers, default=0) + 1:012}.json"
        file = path.open("w+")
        fcntl.flock(file, fcntl.LOCK_EX)
        _write(file, turn)
    return path, file


def _before(folder: Path, own: Path) -> IO[str] | None:
    """The ticket next before this one whose holder lives, open; the others before it are cleared away.

    A number below one's own is never given again while one's own is there.
    """
    for path in reversed([each for each in _tickets(folder) if each.name < own.name]):
        with suppress(FileNotFoundError):
            file = path.open()
            if not _free(file):
                return file
            file.close()
            path.unlink(missing_ok=True)
    return None


@contextmanager
def _door(folder: Path) -> Iterator[None]:
    """Only to take a ticket or to look: microseconds."""
    descriptor = os.open(folder / "door", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tickets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.stem.isdigit())


def _free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: IO[str], turn: Turn) -> None:
    file.seek(0)
    file.truncate()
    file.write(json.dumps(asdict(turn), default=str))
    file.flush()


def _read(file: IO[str]) -> Turn:
    facts = json.load(file)
    return Turn(**{**facts, "since": datetime.fromisoformat(facts["since"])})
