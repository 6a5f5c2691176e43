"""Files taken from one place to another, by link or copy, and proved to be the same there.

Nothing is there under its name before it is there whole: an interrupted transfer is begun again.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh_assets.capabilities.lake.stores import file_digest, is_object, store_at, sync
from mesh_assets.words.stores import DiskRefused

#: How files are called that are not there whole.
HALF = ".half"


class NotWhole(Exception):
    """A file that is not there, or not what it should be; the words say which."""


def transfer(source: str, target: str, *, digest: str = "", link: bool = True) -> tuple[str, bool]:
    """Have the file at `source` at `target` too; returns its SHA-256, and whether anything was to be done.

    `digest` is what it is known to be: then a file that is there in the right size is not read again.
    """
    size = store_at(source).size(source)
    if size is None:
        raise NotWhole("is missing")
    there = store_at(target).size(target)
    if there == size and (digest or _one_file(source, target)):
        return digest or store_at(source).digest(source), False
    wanted = store_at(source).digest(source)
    if digest and wanted != digest:
        raise NotWhole("is not what it was: its content changed")
    if there == size and store_at(target).digest(target) == wanted:
        return wanted, False
    _bring(source, target, wanted, link=link)
    return wanted, True


def _one_file(source: str, target: str) -> bool:
    return not is_object(source) and not is_object(target) and Path(source).samefile(target)


def _bring(source: str, target: str, digest: str, *, link: bool) -> None:
    if is_object(target):
        _send(source, target, digest)
        return
    make_folder(Path(target).parent)
    half = Path(f"{target}.{uuid.uuid4().hex[:8]}{HALF}")
    try:
        if is_object(source):
            store_at(source).fetch(source, half)
        elif not (link and _linked(Path(source), half)):
            shutil.copyfile(source, half)
        if file_digest(half) != digest:
            raise NotWhole("arrived as something else than was sent")
        sync(half)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """A folder that is there afterwards; raises DiskRefused if there is none, whatever the system says."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskRefused(what=folder, problem=error.strerror) from None


def _linked(source: Path, target: Path) -> bool:
    with suppress(OSError):
        os.link(source, target)
        return True
    return False


def _send(source: str, target: str, digest: str) -> None:
    if is_object(source) and source.split("/")[2] == target.split("/")[2]:
        store_at(target).copy(source, target)
    elif is_object(source):
        with TemporaryDirectory() as folder:
            near = Path(folder, "file")
            store_at(source).fetch(source, near)
            if file_digest(near) != digest:
                raise NotWhole("arrived as something else than was sent")
            store_at(target).add(near, target)
    else:
        store_at(target).add(Path(source), target)
    if store_at(target).digest(target) != digest:
        raise NotWhole("arrived as something else than was sent")
