"""A PostgreSQL server for tests: its own folder, a Unix socket in it, thrown away afterwards.

`on_postgres` skips with a reason where PostgreSQL is not installed; in CI its absence is a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.scratch import SERVER, scratch

#: Where Debian and Red Hat keep the server's programs, which are often not on the path.
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")

_numbers = count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server. Everybody who reaches its socket may connect."""

    folder: Path

    def database(self) -> str:
        """Make an empty database; returns its libpq connection string."""
        import psycopg

        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.libpq("postgres"), autocommit=True) as session:
            session.execute(f"CREATE DATABASE {name}")
        return self.libpq(name)

    def drop(self, libpq: str) -> None:
        """Drop a database that nobody needs any more, whoever is still connected."""
        import psycopg

        with psycopg.connect(self.libpq("postgres"), autocommit=True) as session:
            session.execute(f"DROP DATABASE IF EXISTS {libpq.rsplit('=', 1)[1]} WITH (FORCE)")

    def libpq(self, database: str) -> str:
        return f"host={self.folder} user=mesh dbname={database}"

    def url(self, libpq: str) -> str:
        """The same database as SQLAlchemy writes it."""
        return f"postgresql+psycopg://mesh@/{libpq.rsplit('=', 1)[1]}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the whole session; ask it for a database of your own."""
    missing = _missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI runs every catalog, and {missing}")
    if missing:
        pytest.skip(missing)
    with serving() as server:
        yield server


@contextmanager
def serving() -> Iterator[Postgres]:
    """Start a server and stop it again."""
    with scratch("mesh-pg-", _memory()) as folder:
        folder.chmod(0o755)
        identity = _identity(folder)
        _run("initdb", "-D", f"{folder}/data", "-U", "mesh", "-A", "trust", "-N", "-E", "UTF8", **identity)
        with (folder / "log").open("wb") as log:
            command = [_program("postgres"), "-D", f"{folder}/data", "-k", str(folder), *_SETTINGS]
            server = subprocess.Popen(command, stdout=log, stderr=log, **identity)
        (folder / SERVER).write_text(str(server.pid))
        try:
            _wait(folder, server)
            yield Postgres(folder)
        finally:
            # At once: what it would put in order is thrown away.
            server.send_signal(signal.SIGQUIT)
            server.wait(30)


#: No network, no care for power cuts, and little room.
_SETTINGS = tuple(
    word
    for setting in ("listen_addresses=", "fsync=off", "max_connections=100", "max_wal_size=64MB")
    for word in ("-c", setting)
)


def _memory() -> Path | None:
    """Memory, where there is enough of it: a database for each test is a thousand files each."""
    memory = Path("/dev/shm")
    return memory if memory.exists() and shutil.disk_usage(memory).free > 2**32 else None


def _missing() -> str:
    absent = [name for name in ("initdb", "postgres") if not _program(name)]
    return f"PostgreSQL's {' and '.join(absent)} is not installed" if absent else ""


def _program(name: str) -> str:
    found = shutil.which(name)
    places = [path for place in PLACES for path in Path("/").glob(f"{place[1:]}/{name}")]
    return found or (str(max(places)) if places else "")


def _identity(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as somebody who owns nothing."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    raise RuntimeError("neither postgres nor nobody is a user here")


def _run(program: str, *arguments: str, **identity: Any) -> None:
    done = subprocess.run(
        [_program(program), *arguments], capture_output=True, text=True, check=False, **identity
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"host={folder} user=mesh dbname=postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.05)
