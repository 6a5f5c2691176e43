"""A cable to a PostgreSQL server that a test can cut and mend: a socket that passes bytes on, both ways."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class Cable:
    """`folder` stands for the server's host in a connection string, while the cable is whole."""

    def __init__(self, server: Path, folder: Path) -> None:
        self.folder = folder
        self._server = server / SOCKET
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self.mend()

    def mend(self) -> None:
        """Let sessions begin."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._answer, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every session, and begin none."""
        (self.folder / SOCKET).unlink(missing_ok=True)
        ends, self._ends = self._ends, []
        for end in (*ends, self._listener):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._listener = None

    def _answer(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(str(self._server))
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while content := one.recv(65_536):
            other.sendall(content)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable_to(server: Path) -> Iterator[Cable]:
    """A whole cable to the server whose socket is in this folder."""
    # A socket's path has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="cable-"))
    cable = Cable(server, folder)
    try:
        yield cable
    finally:
        cable.cut()
        shutil.rmtree(folder, ignore_errors=True)
