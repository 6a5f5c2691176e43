"""Which commit the code has that was read: from git's own files, because a location loads in milliseconds."""

from __future__ import annotations

from pathlib import Path


def commit_now(folder: Path) -> str:
    """The commit that is checked out around a folder; "" in no repository, or before its first commit."""
    try:
        git = _git_folder(folder)
        return "" if git is None else _head(git)
    except OSError:
        return ""


def _git_folder(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        found = place / ".git"
        if found.is_dir():
            return found
        if found.is_file():  # a working tree beside the repository's own
            return place / found.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    return None


def _head(git: Path) -> str:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    shared = git / "commondir"
    top = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    for place in (git / name, top / name):
        if place.is_file():
            return place.read_text(encoding="utf-8").strip()
    packed = top / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")
