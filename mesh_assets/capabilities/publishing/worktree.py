"""The code of an earlier commit, beside the one that is checked out, for as long as it takes."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_assets.capabilities.publishing.code import git
from mesh_assets.words.errors import CannotReproduce
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import PACKAGE, Settings

DOMAINS = "mesh_assets.domains"


@dataclass(frozen=True)
class Asked:
    """Whose code, of which commit."""

    product: ProductName
    number: int
    commit: str


@contextmanager
def code_of(settings: Settings, asked: Asked, folder: Path) -> Iterator[Settings]:
    """Settings whose domains and dbt project are those of the commit; the tree is gone afterwards."""
    root = _git(settings.domains, "rev-parse", "--show-toplevel")
    if root is None:
        raise _refused(asked, f"{settings.domains.name} is in no git repository here")
    if _git(settings.domains, "cat-file", "-e", f"{asked.commit}^{{commit}}") is None:
        raise _refused(asked, f"this repository has no commit {asked.commit[:12]}")
    tree = folder / "tree"
    top = Path(root).resolve()
    if _git(top, "worktree", "add", "--detach", "--force", str(tree), asked.commit) is None:
        raise _refused(asked, f"git could not check out commit {asked.commit[:12]} beside the present one")
    try:
        then = replace(
            settings,
            domains=_within(settings.domains, top, tree),
            dbt_project=_within(settings.dbt_project, top, tree),
        )
        with _domains_from(settings, then.domains):
            yield then
    finally:
        _git(top, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(tree, ignore_errors=True)
        _git(top, "worktree", "prune")


def _within(folder: Path, top: Path, tree: Path) -> Path:
    """The folder as it was; one outside of the repository is taken as it is."""
    folder = folder.resolve()
    return tree / folder.relative_to(top) if folder.is_relative_to(top) else folder


@contextmanager
def _domains_from(settings: Settings, folder: Path) -> Iterator[None]:
    """Recipes of the package's own domains import each other by name: from the same commit."""
    if settings.domains != PACKAGE / "domains":
        yield
        return
    package = importlib.import_module(DOMAINS)
    before = list(package.__path__)
    _forget()
    package.__path__ = [str(folder)]
    try:
        yield
    finally:
        package.__path__ = before
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith(f"{DOMAINS}.")]:
        del sys.modules[name]


def _refused(asked: Asked, reason: str) -> CannotReproduce:
    return CannotReproduce(product=asked.product, number=asked.number, reason=reason)


def _git(folder: Path, *arguments: str) -> str | None:
    return git(folder, *arguments, seconds=300)  # checking a large repository out takes a while
