"""The text of a recipe as it was when a version was made: from git, at the commit of the certificate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mesh_assets.capabilities.publishing.code import git
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Certificate

COMMIT = re.compile(r"^[0-9a-f]{7,64}$")
LARGEST = 400_000
SECONDS = 10


@dataclass(frozen=True)
class Source:
    """A file's text, and what is to be known of it: `told` says where it is from, or why there is none."""

    path: str
    text: str | None
    told: str
    commit: str = ""
    dirty: bool = False


def shown_source(settings: Settings, certificate: Certificate, path: str) -> Source:
    """The file at the commit. A working tree that was not committed is told, not guessed."""
    commit = certificate.git_commit or ""
    if not COMMIT.match(commit):
        return Source(path, None, "The version was made outside of a git repository.")
    text = _at_commit(settings, commit, path)
    dirty = certificate.git_dirty
    if text is None:
        told = f"Commit {commit[:12]} is not in the repository here, or has no such file."
        return Source(path, None, told, commit, dirty)
    told = f"As it was at commit {commit[:12]}"
    told += ", with changes that were not committed when the version was made." if dirty else "."
    return Source(path, text[:LARGEST], told, commit, dirty)


def _at_commit(settings: Settings, commit: str, path: str) -> str | None:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return None
    # Paths in certificates begin at the folder above the domains' package, or above the dbt project.
    for folder, root in (
        (settings.domains, settings.domains.parent.parent),
        (settings.dbt_project, settings.dbt_project.parent),
    ):
        top = git(folder, "rev-parse", "--show-toplevel", seconds=SECONDS)
        inside = (root / path).resolve()
        if top is None or not inside.is_relative_to(top):
            continue
        text = git(folder, "show", f"{commit}:{inside.relative_to(top).as_posix()}", seconds=SECONDS)
        if text is not None:
            return text
    return None
