"""Domains whose folder cannot be read: which, why and since when. The rest of the mesh is told as ever.

Here: reading each domain by itself, and remembering in the registry since when one is broken.
Not here: loading code locations as Dagster does (`mesh doctor`, orchestration/validate).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.model import DomainAssets, Mesh
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.lineage.stamps import domain_stamps
from mesh_assets.words.errors import MeshError
from mesh_assets.words.settings import Settings

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry

#: Who noticed. What was found by loading a location, reading its folder cannot find mended.
READING, LOADING = "reading", "loading"


@dataclass(frozen=True)
class BrokenLocation:
    """A domain whose code location does not load, or would not if it were reloaded now."""

    domain: str
    problem: str
    #: When the mesh first noticed.
    since: datetime


def readable_mesh(settings: Settings) -> tuple[Mesh, dict[str, str]]:
    """The mesh of all domains that can be read, and the problem of each that cannot."""
    remembered = _remembered(settings)
    known: dict[str, tuple[str, DomainAssets | str]] = {}
    for name, stamp in domain_stamps(settings).items():
        before = remembered.get(name)
        known[name] = before if before and before[0] == stamp else (stamp, _read(settings, name))
    remembered.clear()
    remembered.update(known)
    kept = {name: found for name, (_, found) in known.items() if isinstance(found, DomainAssets)}
    problems = {name: found for name, (_, found) in known.items() if isinstance(found, str)}
    assets = {asset.name: asset for found in kept.values() for asset in found.assets}
    return Mesh(domains=kept, assets=assets), problems


@lru_cache(maxsize=4)
def _remembered(settings: Settings) -> dict[str, tuple[str, DomainAssets | str]]:
    """Domain -> its stamp and what reading it came to: a sensor looks twice a minute, files seldom change."""
    return {}


def _read(settings: Settings, name: str) -> DomainAssets | str:
    try:
        found = read_domain_assets(settings, name)
        check_own_files(settings, found.domain)
        _parse(settings, name)
    except MeshError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}"
    return found


def _parse(settings: Settings, name: str) -> None:
    """The location's module in its syntax; running it is Dagster's."""
    path = settings.domains / name / "definitions.py"
    if path.is_file():
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def notice(
    registry: Registry, problems: Mapping[str, str], *, loaded: set[str] | None = None
) -> list[BrokenLocation]:
    """Remember what is broken, and what is mended or gone; all that are broken now, by domain.

    Without `loaded`, every domain was read; with it, these code locations were loaded, and are all.
    """
    by = READING if loaded is None else LOADING
    known = registry.broken()
    changed = {name: text for name, text in problems.items() if name not in known}
    mended = {
        name
        for name, each in known.items()
        if name not in problems and (each.who == by or name in (loaded or ()))
    }
    if changed or mended:
        known = registry.notice_broken(changed, mended=mended, who=by)
    return [
        BrokenLocation(domain=name, problem=problems.get(name, each.reason), since=each.since)
        for name, each in sorted(known.items())
    ]
