"""The mesh as it was at a revision of its repository: that commit's files, read beside the working tree."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh_assets.capabilities.lineage.impact import State
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.words.revisions import NoSuchRevision
from mesh_assets.words.settings import Settings


@contextmanager
def at_revision(settings: Settings, revision: str) -> Iterator[State]:
    """The mesh of a commit, branch or tag; its files are there while the block lasts."""
    top = Path(_git(settings.domains, revision, "rev-parse", "--show-toplevel").decode().strip())
    folders = {name: getattr(settings, name).resolve() for name in ("domains", "dbt_project")}
    inside = {name: path.relative_to(top) for name, path in folders.items() if path.is_relative_to(top)}
    _git(top, revision, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    there = [path for path in inside.values() if _git(top, revision, "ls-tree", revision, "--", str(path))]
    with TemporaryDirectory(prefix="mesh-revision-") as folder:
        data = _git(top, revision, "archive", "--format=tar", revision, "--", *map(str, there))
        with tarfile.open(fileobj=io.BytesIO(data)) as files:
            files.extractall(folder, filter="data")
        then = replace(settings, **{name: Path(folder) / path for name, path in inside.items()})
        yield State(then, read_mesh(then))


def now(settings: Settings) -> State:
    """The mesh of the working tree."""
    return State(settings, read_mesh(settings))


def _git(folder: Path, revision: str, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoSuchRevision(revision=revision, folder=folder, told=f" ({told[-1]})" if told else "")
    return done.stdout
