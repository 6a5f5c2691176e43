"""The mesh as its folders stand, read again only where a file changed.

Here: one domain is read anew when a file of it (or somebody's expectations) has another size or time.
Not here: what the registry knows (catalog).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.journeys import read_journeys
from mesh_assets.capabilities.lineage.model import DomainAssets, Mesh
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.lineage.stamps import domain_stamps, folder_stamp
from mesh_assets.words.errors import MeshError
from mesh_assets.words.journeys import Journey
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


@dataclass(frozen=True)
class Documents:
    """All domains that can be read, what is wrong with the others, and the journeys."""

    stamp: str
    mesh: Mesh
    problems: dict[str, str]
    journeys: tuple[Journey, ...]
    journeys_problem: str = ""

    @cached_property
    def needs(self) -> Mapping[ProductName, frozenset[ProductName]]:
        """Asset -> the products that it needs, through what is private to its domain."""
        return {name: frozenset(_seen_through(self.mesh, name)) for name in self.mesh.assets}

    @cached_property
    def users(self) -> Mapping[ProductName, frozenset[ProductName]]:
        """Product -> the products that need it, through what is private to their domains."""
        found: dict[ProductName, set[ProductName]] = {}
        for name, needs in self.needs.items():
            for need in needs if not name.private else ():
                found.setdefault(need, set()).add(name)
        return {name: frozenset(users) for name, users in found.items()}


def _seen_through(mesh: Mesh, name: ProductName) -> set[ProductName]:
    found: set[ProductName] = set()
    waiting, seen = [name], {name}
    while waiting:
        asset = mesh.assets.get(waiting.pop())
        for need in asset.needs if asset else ():
            if not need.private:
                found.add(need)
            elif need not in seen:
                seen.add(need)
                waiting.append(need)
    return found - {name}


@dataclass
class DocumentReader:
    """Remembers each domain with the stamp of its files."""

    settings: Settings
    _known: dict[str, tuple[str, DomainAssets | str]] = field(default_factory=dict)
    _last: Documents | None = None
    #: Domains that this reading has done, and all of them: for whoever waits for the first one.
    progress: tuple[int, int] = (0, 0)

    def read(self) -> Documents:
        """The documents as they are now; the very object of before if nothing changed."""
        stamps = domain_stamps(self.settings)
        journeys = folder_stamp(self.settings.journeys)
        stamp = blake2b(repr((sorted(stamps.items()), journeys)).encode(), digest_size=12).hexdigest()
        if self._last is not None and self._last.stamp == stamp:
            return self._last
        known = {}
        for number, name in enumerate(stamps):
            self.progress = (number, len(stamps))
            known[name] = self._domain(name, stamps[name])
        self._known, self.progress = known, (len(stamps), len(stamps))
        good = {name: found for name, (_, found) in self._known.items() if isinstance(found, DomainAssets)}
        problems = {name: found for name, (_, found) in self._known.items() if isinstance(found, str)}
        mesh = Mesh(good, {asset.name: asset for each in good.values() for asset in each.assets})
        self._last = Documents(stamp, mesh, problems, *self._journeys(mesh))
        return self._last

    def _domain(self, name: str, stamp: str) -> tuple[str, DomainAssets | str]:
        known = self._known.get(name)
        if known is not None and known[0] == stamp:
            return known
        try:
            found = read_domain_assets(self.settings, name)
            check_own_files(self.settings, found.domain)
        except MeshError as error:
            return stamp, str(error)
        except Exception as error:  # whatever a domain's file does to its reader, the others are shown
            return stamp, f"{type(error).__name__}: {(str(error).splitlines() or ['no words'])[0]}"
        return stamp, found

    def _journeys(self, mesh: Mesh) -> tuple[tuple[Journey, ...], str]:
        try:
            return tuple(read_journeys(self.settings, mesh)), ""
        except MeshError as error:
            return (), str(error)
