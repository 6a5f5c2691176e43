"""Domains whose folder cannot be read: which, why and since when. The rest of the mesh is told as ever.

Here: reading each domain by itself, and remembering in the registry since when one is broken.
Not here: loading code locations as Dagster does (`mesh doctor`, orchestration/validate).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.model import DomainAssets, Mesh
from mesh_assets.capabilities.lineage.read import domain_names, read_domain_assets
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
    domains: dict[str, DomainAssets] = {}
    problems: dict[str, str] = {}
    for name in domain_names(settings):
        try:
            domains[name] = read_domain_assets(settings, name)
            check_own_files(settings, domains[name].domain)
            _parse(settings, name)
        except MeshError as error:
            problems[name] = str(error)
        except Exception as error:
            problems[name] = (
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}"
            )
    kept = {name: found for name, found in domains.items() if name not in problems}
    assets = {asset.name: asset for found in kept.values() for asset in found.assets}
    return Mesh(domains=kept, assets=assets), problems


def _parse(settings: Settings, name: str) -> None:
    """The location's module in its syntax; running it is Dagster's."""
    path = settings.domains / name / "definitions.py"
    if path.is_file():
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def notice(
    registry: Registry, problems: Mapping[str, str], *, looked_at: set[str], by: str = READING
) -> list[BrokenLocation]:
    """Remember what is broken, and what of `looked_at` is mended; all that are broken now, by domain."""
    known = registry.broken()
    changed = {name: text for name, text in problems.items() if name not in known}
    mended = {
        name
        for name, each in known.items()
        if name in looked_at and name not in problems and by in (each.who, LOADING)
    }
    if changed or mended:
        known = registry.notice_broken(changed, mended=mended, who=by)
    return [
        BrokenLocation(domain=name, problem=problems.get(name, each.reason), since=each.since)
        for name, each in sorted(known.items())
    ]
