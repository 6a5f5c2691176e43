"""Dropping a kitchen: its own files, pins and row go, in an order that can be begun again anywhere.

Nothing of the mesh itself is touched: every path that is removed lies below the kitchen's own folder, or
below its own prefix in a bucket. Commits on its branch that no other branch has are kept.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.kitchens.processes import opener_of, server_of
from mesh_assets.capabilities.kitchens.unfinished import end_unfinished, one_at_a_time
from mesh_assets.capabilities.lake.places import kitchen_prefix
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.kitchens import (
    BEGUN,
    RECORD,
    Kitchen,
    KitchenInUse,
    KitchenState,
    UnknownKitchen,
    branch_of,
    holder_of,
    kitchen_name,
)
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.versions import PROD


@dataclass(frozen=True)
class Dropped:
    """What went, and what was kept."""

    name: str
    files: int
    bytes: int
    #: The branch, if it has commits that no other branch has.
    kept_branch: str = ""


def drop_kitchen(settings: Settings, name: str, *, force: bool = False) -> Dropped:
    """Remove a kitchen, a half-opened or half-dropped one too; raises UnknownKitchen and KitchenInUse.

    With `force` changes of its code that are in no commit are lost. A kitchen that others were opened from
    stays as long as they are there.
    """
    root = settings.root
    home = root.kitchen_home(kitchen_name(name))
    with open_registry(root) as registry:
        there = registry.kitchens()
        pinned = any(pin.holder == holder_of(name) for pin in registry.pins())
    kitchen = next((each for each in there if each.name == name), None)
    if kitchen is None and not home.exists() and not pinned:
        raise UnknownKitchen(name=name, known=tuple(each.name for each in there))
    _refuse_used(name, there)
    _refuse_running(root, name)
    if kitchen is not None and not force:
        _refuse_unsaved(kitchen)
    if kitchen is not None:
        _end_promotions(root, kitchen)
    return _drop(root, kitchen or _remembered(home, name))


def _end_promotions(root: Settings, kitchen: Kitchen) -> None:
    """What it has brought half of is brought in whole first: nobody could resume it afterwards."""
    with open_registry(root) as registry:
        if any(each.kitchen == kitchen.name for each in registry.unfinished_promotions()):
            with one_at_a_time(root):
                end_unfinished(root, registry, kitchen.name)


def clear_away(root: Settings, kitchen: Kitchen) -> Dropped:
    """What a drop does, of a kitchen that nobody has used."""
    return _drop(root, kitchen)


def _drop(root: Settings, kitchen: Kitchen) -> Dropped:
    home = root.kitchen_home(kitchen.name)
    with open_registry(root) as registry:
        if any(each.name == kitchen.name for each in registry.kitchens()):
            registry.keep_kitchen(replace(kitchen, state=KitchenState.DROPPING))
    (home / RECORD).unlink(missing_ok=True)  # from now on nobody can enter it
    files, size = _own(home, kitchen)
    count, objects = _remove_objects(root, home, kitchen)
    kept = _remove_tree(kitchen)
    shutil.rmtree(home, ignore_errors=False) if home.exists() else None
    _let_go(root, kitchen)
    return Dropped(kitchen.name, files + count, size + objects, kept)


def _own(home: Path, kitchen: Kitchen) -> tuple[int, int]:
    """Files below the folder, its code aside; those with other names as well are nobody's gain."""
    found = [
        path.lstat()
        for path in home.rglob("*")
        if path.is_file() and not path.is_symlink() and home / "code" not in path.parents
    ]
    return len(found), sum(each.st_size for each in found if each.st_nlink == 1)


def _remove_objects(root: Settings, home: Path, kitchen: Kitchen) -> tuple[int, int]:
    """Objects below the kitchen's own prefixes, in every bucket that its lakes are in."""
    count = size = 0
    for prefix in sorted(_prefixes(root, home, kitchen.name)):
        store = store_at(prefix)
        for each in list(store.below(prefix)):
            store.remove(each.path)
            count, size = count + 1, size + each.bytes
    return count, size


def _prefixes(root: Settings, home: Path, name: str) -> set[str]:
    """Named by the places of its own lakes; each is checked to be the kitchen's own."""
    found = set()
    for record in home.glob("lakes/*/place"):
        place = (record.read_text(encoding="utf-8").splitlines() or [""])[0]
        own = kitchen_prefix(place.rpartition("/")[0].rpartition("/")[0].rpartition("/")[0], name)
        if place.startswith("s3://") and place == f"{own}/{record.parent.name}":
            found.add(place)
    return found


def _remove_tree(kitchen: Kitchen) -> str:
    """The worktree, and the branch unless it has commits that would be lost; then its name."""
    if not kitchen.repository or not Path(kitchen.repository).is_dir():
        return ""
    top = Path(kitchen.repository)
    git(top, "worktree", "remove", "--force", "--force", str(kitchen.code), seconds=300)
    shutil.rmtree(kitchen.code, ignore_errors=True)
    git(top, "worktree", "prune")
    if (
        not kitchen.branch
        or git(top, "rev-parse", "--verify", "--quiet", f"refs/heads/{kitchen.branch}") is None
    ):
        return ""
    if commits_of_its_own(top, kitchen):
        return kitchen.branch
    git(top, "branch", "--delete", "--force", "--quiet", kitchen.branch)
    return ""


def commits_of_its_own(top: Path, kitchen: Kitchen) -> int:
    """How many commits only the kitchen's branch has."""
    others = [f"--exclude={kitchen.branch}", "--branches", "--tags", "--remotes"]
    told = git(top, "rev-list", "--count", f"refs/heads/{kitchen.branch}", "--not", *others, "HEAD")
    return int(told) if told and told.isdecimal() else 1  # what git does not answer is not given up


def _let_go(root: Settings, kitchen: Kitchen) -> None:
    """Pins in kitchens below first; the row last, so that a drop that was killed is found again."""
    here = None if kitchen.base == PROD else in_kitchen(root, kitchen.base)
    while here is not None and here.base is not None:
        with open_registry(here) as registry:
            registry.unpin(kitchen.holder)
        here = here.base
    with open_registry(root) as registry:
        registry.remove_kitchen(kitchen.name)


def _refuse_used(name: str, there: list[Kitchen]) -> None:
    users = [each.name for each in there if each.base == name]
    if users:
        raise KitchenInUse(name=name, why=f"{', '.join(users)} was opened from it. Drop that first")


def _refuse_running(root: Settings, name: str) -> None:
    """A server of the kitchen would write into a folder that is going, and so would its opening."""
    pid = server_of(root.kitchen_home(name))
    if pid is not None:
        raise KitchenInUse(name=name, why=f"its Dagster runs (process {pid}). Stop it first")
    pid = opener_of(root.kitchen_home(name))
    if pid is not None:
        raise KitchenInUse(name=name, why=f"process {pid} is opening it")


def _refuse_unsaved(kitchen: Kitchen) -> None:
    if not kitchen.repository or not kitchen.code.is_dir():
        return
    told = git(kitchen.code, "status", "--porcelain") or ""
    files = [line.split(maxsplit=1)[-1] for line in told.splitlines()]
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        why = f"{', '.join(files[:3])}{more} in its code {'are' if files[1:] else 'is'} in no commit"
        raise KitchenInUse(name=kitchen.name, why=f"{why}. Commit that, or say --force")


def _remembered(home: Path, name: str) -> Kitchen:
    """A kitchen without a row, from what its opening left."""
    from datetime import UTC, datetime

    facts: dict[str, Any] = {}
    for file in (RECORD, BEGUN):
        if (home / file).is_file():
            facts = {**facts, **json.loads((home / file).read_text(encoding="utf-8") or "{}")}
    moment = datetime.now(UTC)
    repository = str(facts.get("repository", ""))
    return Kitchen(
        name=name,
        owner=str(facts.get("owner", "nobody known")),
        opened=moment,
        expires=moment,
        base=str(facts.get("base", PROD)),
        base_release=0,
        commit=str(facts.get("commit", "")),
        branch=branch_of(name) if repository else "",
        home=home,
        code=home / "code",
        repository=repository,
        state=KitchenState.DROPPING,
    )
