"""Opening a kitchen: one instant of the whole mesh is pinned, and a place of its own is made beside it.

The row in the base's registry and the pins come first, in one transaction; `kitchen.json` comes last, and
makes it a kitchen. Killed in between, what there is says whose it is: `mesh kitchen drop` removes it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.kitchens.sampling import sample_of
from mesh_assets.capabilities.kitchens.starts import Start, find_start
from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.publishing.code import who as whoever
from mesh_assets.capabilities.publishing.vault import missing
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.direct import keep_state, open_directly
from mesh_assets.words.kitchens import (
    BEGUN,
    RECORD,
    TTL,
    CannotOpen,
    Kitchen,
    KitchenState,
    KitchenTaken,
    UnknownDomains,
    branch_of,
    kitchen_name,
)
from mesh_assets.words.promotions import PromotionState
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.vaults import SCHEME

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

#: Checking a large repository out takes a while.
CHECKOUT = 600

#: What of the settings is code, and is read in the kitchen's own tree.
CODE = ("domains", "journeys", "dbt_project", "workspace", "alerts")


@dataclass(frozen=True)
class Wish:
    """What somebody wants a kitchen to be."""

    #: `main`, a kitchen's name, `release:N` or a tag of versions.
    start: str = "main"
    #: Domains that it may write; () for all.
    domains: tuple[str, ...] = ()
    since: str = ""
    sample: str = ""
    ttl: timedelta = TTL
    owner: str = ""


@dataclass(frozen=True)
class Opened:
    """A kitchen that can be used, and what its owner should know of it."""

    kitchen: Kitchen
    settings: Settings
    notes: tuple[str, ...] = ()


def open_kitchen(settings: Settings, name: str, wish: Wish | None = None) -> Opened:
    """Open a kitchen; raises KitchenTaken, UnknownBase, UnknownDomains, VersionExpired, CannotOpen.

    Nothing is left of one that could not be opened.
    """
    root, wish = settings.root, wish or Wish()
    home = root.kitchen_home(kitchen_name(name))
    if home.exists():
        raise _taken(home, root)
    start = find_start(root, wish.start)
    _refuse_unknown_domains(start.settings, wish.domains)
    kitchen = _planned(root, name, wish, start)
    _refuse_taken_branch(kitchen, start)
    _claim(home, kitchen, root)
    try:
        return _opened(root, kitchen, start)
    except BaseException:
        from mesh_assets.capabilities.kitchens.dropping import clear_away

        clear_away(root, kitchen)
        raise


def _planned(root: Settings, name: str, wish: Wish, start: Start) -> Kitchen:
    home, now = root.kitchen_home(name), datetime.now(UTC)
    return Kitchen(
        name=name,
        owner=wish.owner or whoever(),
        opened=now,
        expires=now + wish.ttl,
        base=start.settings.environment,
        base_release=0,
        commit=start.commit or "",
        branch=branch_of(name) if start.top else "",
        home=home,
        code=home / "code" if start.top else start.settings.domains.parent,
        domains=tuple(sorted(wish.domains)),
        sample=sample_of(wish.since, wish.sample) or start.settings.sample,
        state=KitchenState.OPENING,
        repository=str(start.top or ""),
    )


def _opened(root: Settings, kitchen: Kitchen, start: Start) -> Opened:
    checkout = _begin_checkout(kitchen, start)
    with _begin_status(start) or nullcontext() as changes:
        try:
            kitchen = _pin_and_seed(root, kitchen, start)
            _refuse_moved_code(kitchen, start)
        finally:
            _finish_checkout(kitchen, checkout)
        if (start.settings.home / "corrections").is_dir():
            from mesh_assets.capabilities.kitchens.mended_rows import begin_with

            begin_with(start.settings, kitchen.home)
        _write_record(kitchen, start)
        kitchen = replace(kitchen, state=KitchenState.OPEN)
        if not keep_state(root.registry, kitchen.name, kitchen.state):
            with open_registry(root) as registry:
                registry.keep_kitchen(kitchen)
        (kitchen.home / BEGUN).unlink(missing_ok=True)
        made = in_kitchen(root, kitchen.name)
        return Opened(kitchen, made, tuple(_notes(kitchen, start, changes)))


def _pin_and_seed(root: Settings, kitchen: Kitchen, start: Start) -> Kitchen:
    if start.settings.base is None and start.now and (done := open_directly(root.registry, kitchen)):
        return done
    from mesh_assets.capabilities.kitchens.pins import pin_below
    from mesh_assets.capabilities.registry.seed import Seed, seed

    with open_registry(root) as registry:
        if start.settings.base is None:
            kitchen, instant = registry.open_kitchen(kitchen, start.instant)
            _refuse_half_promoted(kitchen, start, registry)
            with registry.reading() as connection:
                seed(connection, kitchen.home / "registry.sqlite", Seed(kitchen, instant.numbers))
            return kitchen
    with open_registry(start.settings) as theirs:
        instant = theirs.pin_instant(kitchen.holder, kitchen.expires)
        _refuse_half_promoted(kitchen, start, theirs)
        kitchen = pin_below(root, start.settings, kitchen, instant)
        with theirs.reading() as connection:
            seed(connection, kitchen.home / "registry.sqlite", Seed(kitchen, instant.numbers))
    return kitchen


def _refuse_half_promoted(kitchen: Kitchen, start: Start, registry: Registry) -> None:
    """Data of after a promotion beside code of before it is no moment that there was."""
    for each in registry.unfinished_promotions() if start.now else ():
        if each.state is PromotionState.RELEASED:
            resume = f"`mesh kitchen promote {each.kitchen} --resume`"
            raise CannotOpen(
                name=kitchen.name,
                problem=f"promotion {each.id} of kitchen {each.kitchen} shows its data, and its code follows",
                remedy=f"open it when that is done; if it was interrupted, {resume} goes on with it",
            )


def _refuse_moved_code(kitchen: Kitchen, start: Start) -> None:
    """A promotion that was whole between our look at the code and the pins is seen by this."""
    at = git(start.settings.domains, "rev-parse", "HEAD") if start.now and start.top else None
    if at is not None and at.strip() != start.commit:
        raise CannotOpen(
            name=kitchen.name,
            problem=f"the code moved meanwhile, from commit {kitchen.commit[:12]} to {at.strip()[:12]}",
            remedy="open it again",
        )


def _claim(home: Path, kitchen: Kitchen, root: Settings) -> None:
    """The folder is made once: of two who open a kitchen of one name, one does."""
    home.parent.mkdir(parents=True, exist_ok=True)
    try:
        home.mkdir()
    except FileExistsError:
        raise _taken(home, root) from None
    facts = {"pid": os.getpid(), "branch": kitchen.branch, "repository": kitchen.repository}
    facts |= {"owner": kitchen.owner, "base": kitchen.base, "commit": kitchen.commit}
    (home / BEGUN).write_text(json.dumps(facts), encoding="utf-8")


def _taken(home: Path, root: Settings) -> KitchenTaken:
    with open_registry(root) as registry:
        there = next((each for each in registry.kitchens() if each.name == home.name), None)
    state = there.state.value if there else "left over from an opening that died"
    return KitchenTaken(name=home.name, state=state, owner=there.owner if there else "nobody known")


def _refuse_unknown_domains(settings: Settings, wanted: Sequence[str]) -> None:
    known = sorted(path.parent.name for path in settings.domains.glob("*/domain.yaml")) if wanted else []
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise UnknownDomains(wanted=", ".join(unknown), known=", ".join(known) or "none")


def _refuse_taken_branch(kitchen: Kitchen, start: Start) -> None:
    if start.top is None:
        return
    left = git(start.top, "rev-parse", "--verify", "--quiet", f"refs/heads/{kitchen.branch}")
    if left:
        raise CannotOpen(
            name=kitchen.name,
            problem=f"the branch {kitchen.branch} is left of an earlier kitchen of that name",
            remedy=f"take another name, or give the branch up: `git branch -D {kitchen.branch}`",
        )


def _begin_checkout(kitchen: Kitchen, start: Start) -> subprocess.Popen[str] | None:
    """The tree is checked out while the registry is made."""
    if start.top is None:
        return None
    command = ["git", "-C", str(start.top), "worktree", "add", "--quiet"]
    return _beside([*command, "-b", kitchen.branch, str(kitchen.code), kitchen.commit])


def _begin_status(start: Start) -> subprocess.Popen[str] | None:
    if start.top is None or not start.now:
        return None
    places = [str(each) for each in (start.settings.domains, start.settings.dbt_project) if each.is_dir()]
    within = [each for each in places if Path(each).is_relative_to(start.top)]
    command = ["git", "-C", str(start.top), "--no-optional-locks", "status", "--porcelain", "--", *within]
    return _beside(command)


def _beside(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish_checkout(kitchen: Kitchen, process: subprocess.Popen[str] | None) -> None:
    if process is None:
        return
    _, told = process.communicate(timeout=CHECKOUT)
    if process.returncode:
        raise CannotOpen(
            name=kitchen.name,
            problem=f"git could not check its code out ({' '.join(told.split())[:300]})",
            remedy="mend that, and open it again",
        )


def _write_record(kitchen: Kitchen, start: Start) -> None:
    """Now it is a kitchen. Folders of code are relative to its tree; others are the base's own."""
    folders = {name: _within(getattr(start.settings, name), start) for name in CODE} if start.top else {}
    facts: dict[str, Any] = {
        "name": kitchen.name,
        "owner": kitchen.owner,
        "opened": kitchen.opened.isoformat(),
        "base": kitchen.base,
        "base_release": kitchen.base_release,
        "commit": kitchen.commit,
        "branch": kitchen.branch,
        "repository": kitchen.repository,
        "domains": list(kitchen.domains),
        "sample": kitchen.sample,
        "folders": {name: str(folder) for name, folder in folders.items() if folder is not None},
    }
    half = kitchen.home / f"{RECORD}.half"
    half.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    half.replace(kitchen.home / RECORD)


def _within(place: Path, start: Start) -> Path | None:
    assert start.top is not None
    place, top = place.resolve(), start.top.resolve()
    return place.relative_to(top) if place.is_relative_to(top) else None


def secrets_in(settings: Settings, top: Path | None) -> list[str]:
    """Addresses of secrets that the code names. Git's own search: a thousand folders take it 20 ms."""
    if top is not None:
        told = git(
            settings.domains, "grep", "--untracked", "-ohE", f"{SCHEME}[a-z0-9_]+/[a-z0-9_-]+", "--", "."
        )
        return sorted(set((told or "").split()))
    files = (path for path in settings.domains.rglob("*") if path.suffix in (".py", ".sql", ".yaml"))
    found = (re.findall(rf"{SCHEME}[a-z0-9_]+/[a-z0-9_-]+", path.read_text("utf-8")) for path in files)
    return sorted({each for some in found for each in some})


def _notes(kitchen: Kitchen, start: Start, changes: subprocess.Popen[str] | None) -> list[str]:
    notes = []
    if start.top is None:
        notes.append(
            f"{start.settings.domains} is in no git repository: the kitchen has no code of its own, and a "
            "change of code in it is a change everywhere; its data can be promoted"
        )
    told = changes.communicate()[0] if changes else ""
    if told.strip():
        count = len(told.strip().splitlines())
        notes.append(
            f"{count} file{'' if count == 1 else 's'} of the code here in no commit: the kitchen has the "
            f"code of commit {kitchen.commit[:12]}, and what those files make may look stale in it"
        )
    lacking = missing(in_kitchen(start.settings.root, kitchen.name), secrets_in(start.settings, start.top))
    if lacking:
        notes.append(f"secrets without a value in the kitchen: {', '.join(lacking)} (docs/kitchens.md)")
    if not kitchen.base_release:
        notes.append("nothing has been published yet: the kitchen reads no version, and makes what it needs")
    if kitchen.sample:
        notes.append(f"a preview over {kitchen.sample}: nothing that it makes can be promoted")
    return notes
