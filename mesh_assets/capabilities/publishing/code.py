"""How it was made: the state of the code, the versions of the software, and who."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

PACKAGES = (
    "mesh-assets",
    "duckdb",
    "dagster",
    "dbt-core",
    "dbt-duckdb",
    "polars",
    "pandera",
    "pyarrow",
    "altair",
)


def digest_of(files: Iterable[Path]) -> str:
    """One sha256 over names and contents, the same wherever the project lies."""
    digest = hashlib.sha256()
    for path in sorted(set(files), key=lambda path: (path.name, str(path))):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """The sha256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def git_state(*folders: Path) -> tuple[str | None, bool]:
    """(commit, whether a folder has uncommitted changes); (None, False) without git or a repository."""
    folder = folders[0]
    commit = git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, False
    # Each folder by itself: git says nothing at all of one that lies outside of the first one's repository.
    return commit, any(git(each, "status", "--porcelain", "--", ".") for each in folders)


def git(folder: Path, *arguments: str, seconds: int = 30) -> str | None:
    """What git says of a folder; None if it fails, is not there or takes longer."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@lru_cache(maxsize=1)
def package_versions() -> dict[str, str]:
    """Versions of what made the data; nothing that differs between two hosts with the same installation."""
    from importlib.metadata import PackageNotFoundError  # brings the parser of e-mail

    found = {}
    for name in PACKAGES:
        try:
            found[name] = _version(name)
        except PackageNotFoundError:
            continue
    return found


def _version(package: str) -> str:
    from importlib.metadata import distribution

    there = distribution(package)
    # `version` parses the whole description as a letter, 5 ms of CPU for each package.
    told = re.search(r"^Version: *(\S+)", there.read_text("METADATA") or "", re.MULTILINE)
    return told[1] if told else there.version


def who() -> str:
    """MESH_WHO, or the account that runs this."""
    if os.environ.get("MESH_WHO"):
        return os.environ["MESH_WHO"]
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account number without a name, as in containers
        return f"uid-{os.getuid()}"
