"""What holds a lake's files: a folder, or a prefix in a bucket. Both do the same few things.

Files are named by their whole path: `/…` in a folder, `s3://bucket/…` in a bucket.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from mesh_assets.capabilities.lake.credentials import credentials
from mesh_assets.capabilities.lake.objects import PART, Bucket

OBJECTS = "s3://"

#: So many characters of a file's SHA-256 are in the name of its object.
TELLING = 16
NAMED = re.compile(rf"^[0-9a-f]{{{TELLING}}}$")


@dataclass(frozen=True)
class Stored:
    """A file that is there."""

    path: str
    bytes: int
    modified: datetime


class Store(Protocol):
    """Where files are; a path that is not there is None or nothing, never an error."""

    def size(self, path: str) -> int | None: ...
    def digest(self, path: str) -> str: ...
    def read(self, path: str) -> bytes | None: ...
    def tail(self, path: str, count: int) -> bytes: ...
    def write(self, path: str, content: bytes) -> None: ...
    def add(self, file: Path, path: str) -> None: ...
    def fetch(self, path: str, target: Path) -> None: ...
    def copy(self, path: str, target: str) -> None: ...
    def remove(self, path: str) -> None: ...
    def below(self, folder: str) -> Iterator[Stored]: ...


def is_object(path: str) -> bool:
    return path.startswith(OBJECTS)


def content_of(path: str) -> str:
    """What the name of an object that a commit put there says of its content, "" of any other."""
    word = Path(path).stem.rpartition("-")[2]
    return word if NAMED.match(word) else ""


def store_at(path: str) -> Store:
    """The store that a path is in."""
    return Objects() if is_object(path) else Disk()


def file_digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Make it outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Disk:
    """Folders."""

    def size(self, path: str) -> int | None:
        try:
            return Path(path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def tail(self, path: str, count: int) -> bytes:
        with Path(path).open("rb") as file:
            file.seek(-min(count, self.size(path) or 0), os.SEEK_END)
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(f".{os.getpid()}.half")
        half.write_bytes(content)
        sync(half)
        half.replace(target)
        sync(target.parent)

    def add(self, file: Path, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path)
        sync(Path(path))

    def fetch(self, path: str, target: Path) -> None:
        shutil.copyfile(path, target)

    def copy(self, path: str, target: str) -> None:
        """A hard link: no byte is copied, except from a disk that links nothing."""
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).unlink(missing_ok=True)  # of an earlier attempt
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)
            sync(Path(target))

    def digest(self, path: str) -> str:
        """SHA-256 of the file; reads it."""
        return file_digest(Path(path))

    def remove(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    def below(self, folder: str) -> Iterator[Stored]:
        for path in sorted(Path(folder).rglob("*")):
            try:
                stat = path.stat()
            except FileNotFoundError:  # gone while we look
                continue
            if path.is_file():
                yield Stored(str(path), stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


class Objects:
    """Buckets. An object is there whole or not at all: no half-written file needs another name."""

    def size(self, path: str) -> int | None:
        found = _bucket(path).head(_key(path))
        return None if found is None else found.bytes

    def read(self, path: str) -> bytes | None:
        return _bucket(path).get(_key(path))

    def tail(self, path: str, count: int) -> bytes:
        return _bucket(path).get(_key(path), start=-count) or b""

    def write(self, path: str, content: bytes) -> None:
        _bucket(path).put(_key(path), content, digest=hashlib.sha256(content).hexdigest())

    def add(self, file: Path, path: str) -> None:
        """Nothing is sent if that very file is there."""
        digest = file_digest(file)
        there = _bucket(path).head(_key(path))
        if there is None or there.digest != digest or there.bytes != file.stat().st_size:
            _bucket(path).put_file(_key(path), file, digest)

    def fetch(self, path: str, target: Path) -> None:
        bucket, size = _bucket(path), self.size(path)
        if size is None:
            raise FileNotFoundError(path)
        with target.open("wb") as file:
            for start in range(0, size, PART):
                part = bucket.get(_key(path), start=start, size=min(PART, size - start))
                file.write(part or b"")

    def copy(self, path: str, target: str) -> None:
        _bucket(path).copy(_key(path), _key(target))

    def digest(self, path: str) -> str:
        """SHA-256 of the object as it was sent; of one that others put there it is computed."""
        found = _bucket(path).head(_key(path))
        if found is None:
            raise FileNotFoundError(path)
        return found.digest or hashlib.sha256(self.read(path) or b"").hexdigest()

    def remove(self, path: str) -> None:
        _bucket(path).delete(_key(path))

    def below(self, folder: str) -> Iterator[Stored]:
        bucket = _bucket(folder)
        for found in bucket.below(f"{_key(folder).rstrip('/')}/"):
            yield Stored(f"{OBJECTS}{bucket.name}/{found.key}", found.bytes, found.modified)

    def unfinished(self, folder: str) -> Iterator[tuple[Stored, str]]:
        """Uploads in parts that died, and what the server calls them."""
        bucket = _bucket(folder)
        for key, upload, begun in bucket.unfinished(f"{_key(folder).rstrip('/')}/"):
            yield Stored(f"{OBJECTS}{bucket.name}/{key}", 0, begun), upload

    def abandon(self, path: str, upload: str) -> None:
        _bucket(path).abandon(_key(path), upload)


def _bucket(path: str) -> Bucket:
    return Bucket(path.removeprefix(OBJECTS).partition("/")[0], credentials(path))


def _key(path: str) -> str:
    return path.removeprefix(OBJECTS).partition("/")[2]
