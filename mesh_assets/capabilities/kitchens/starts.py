"""What a kitchen is opened from: which mesh, which moment of it, which commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.publishing.code import git
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.kitchens import KITCHENS, RECORD, UnknownBase
from mesh_assets.words.settings import Settings, in_kitchen
from mesh_assets.words.versions import PROD

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.capabilities.registry.kitchen_rows import Instant

# The rows of the registry are asked for by the functions that need them: an opening of now does without.

#: Words for the mesh itself as it is now.
MAIN = ("main", PROD)
RELEASE = "release:"


@dataclass(frozen=True)
class Start:
    """Where a kitchen begins."""

    #: The mesh itself, or the kitchen that it is opened from.
    settings: Settings
    instant: Callable[[Connection], Instant]
    #: The commit of its code; None without git.
    commit: str | None
    #: The working tree that the base's code is in; None without git.
    top: Path | None

    @property
    def now(self) -> bool:
        """False for a moment that is over."""
        return self.instant is _now


def find_start(root: Settings, wanted: str) -> Start:
    """`main`, a kitchen's name, `release:N` or a tag of versions; raises UnknownBase."""
    if wanted in MAIN:
        return _of_now(root)
    if (root.home / KITCHENS / wanted / RECORD).is_file():
        return _of_now(in_kitchen(root, wanted))
    with open_registry(root) as registry:
        return _earlier(root, registry, wanted)


def _now(connection: Connection) -> Instant:
    from mesh_assets.capabilities.registry import kitchen_rows

    return kitchen_rows.now(connection, PROD)


def _of_now(settings: Settings) -> Start:
    told = git(settings.domains, "rev-parse", "--show-toplevel", "HEAD")
    top, commit = told.splitlines() if told else ("", "")
    return Start(settings, _now, commit or None, Path(top) if top else None)


def _earlier(root: Settings, registry: Registry, wanted: str) -> Start:
    from mesh_assets.capabilities.registry import kitchen_rows

    now = _of_now(root)
    with registry.reading() as connection:
        number = wanted.removeprefix(RELEASE)
        if wanted.startswith(RELEASE) and number.isdecimal():
            newest = kitchen_rows.highest_release(connection, PROD)
            if not 1 <= int(number) <= newest:
                raise UnknownBase(wanted=wanted, hint=f"Releases here: 1 to {newest}")
            return _at(registry, now, lambda each: kitchen_rows.at_release(each, int(number), PROD), "")
        if kitchen_rows.tagged(connection, wanted, PROD) is None:
            raise UnknownBase(wanted=wanted, hint="See `mesh kitchen list`, `mesh versions PRODUCT`")
    return _at(registry, now, lambda each: _tagged(each, wanted), wanted)


def _tagged(connection: Connection, tag: str) -> Instant:
    from mesh_assets.capabilities.registry import kitchen_rows

    found = kitchen_rows.tagged(connection, tag, PROD)
    if found is None:  # taken away since we looked
        raise UnknownBase(wanted=tag, hint="Its tag was taken away meanwhile")
    return found


def _at(registry: Registry, now: Start, instant: Callable[[Connection], Instant], tag: str) -> Start:
    """The code of then: git's own tag of that name, else the commit that the newest of the versions was made
    with, else what is checked out.
    """
    from mesh_assets.capabilities.registry import kitchen_rows

    if now.top is None:
        return Start(now.settings, instant, None, None)
    commit = git(now.top, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}") if tag else None
    if commit is None:
        with registry.reading() as connection:
            made_with = kitchen_rows.commit_of(connection, instant(connection))
        known = made_with and git(now.top, "cat-file", "-e", f"{made_with}^{{commit}}") is not None
        commit = made_with if known else now.commit
    return Start(now.settings, instant, commit, now.top)
