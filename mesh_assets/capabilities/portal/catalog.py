"""What all pages are made from: the mesh and how it stands at one moment, read once and kept.

A catalog is made anew when the registry's pulse or a document changed, or when it is `OLD`; by one thread,
while requests wait for it no longer than `PATIENCE` and are answered from the one before otherwise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.places import lake_of
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.observability.health_facts import ProductFacts, facts
from mesh_assets.capabilities.observability.health_status import DomainHealth, domain_health
from mesh_assets.capabilities.observability.locations import BrokenLocation
from mesh_assets.capabilities.portal.documents_read import DocumentReader, Documents
from mesh_assets.words.controls import Announcement, Controls
from mesh_assets.words.errors import MeshError
from mesh_assets.words.journeys import Journey
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.search import Index
    from mesh_assets.capabilities.registry import Registry

#: Seconds that a request waits for a newer catalog, and after which one is made anew in any case.
PATIENCE = 0.05
OLD = 20.0
#: Seconds that a request waits for the first catalog before it says how far the reading is.
FIRST = 0.5
#: Seconds between two looks at the files, and at the registry's pulse.
LOOK, BEAT = 1.0, 0.1


class StillReading(Exception):
    """The mesh is being read for the first time: ask again in a moment."""

    def __init__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        told = f"{done:,} of {total:,} domains so far" if total else "it has begun"
        super().__init__(f"The portal started a moment ago and is reading the mesh: {told}.")


@dataclass(frozen=True)
class Catalog:
    """The mesh at one moment. Everything in it is plain facts: pages may share it between threads."""

    stamp: str
    now: datetime
    documents: Documents
    facts: Mapping[ProductName, ProductFacts]
    heads: Mapping[ProductName, Version]
    health: Mapping[str, DomainHealth]
    controls: Controls
    announcements: tuple[Announcement, ...]
    #: Domains whose files lie in an object store; those of the others are files.
    in_buckets: frozenset[str] = frozenset()

    @property
    def mesh(self) -> Mesh:
        return self.documents.mesh

    @property
    def journeys(self) -> tuple[Journey, ...]:
        return self.documents.journeys

    def journey(self, name: str) -> Journey | None:
        return next((each for each in self.journeys if each.name == name), None)

    @cached_property
    def users(self) -> Mapping[ProductName, tuple[ProductName, ...]]:
        """Asset -> those that need it."""
        found: dict[ProductName, list[ProductName]] = {}
        for asset in self.mesh.assets.values():
            for need in asset.needs:
                found.setdefault(need, []).append(asset.name)
        return {name: tuple(sorted(users)) for name, users in found.items()}

    @cached_property
    def index(self) -> Index:
        from mesh_assets.capabilities.portal.search import make_index

        return make_index(self)

    def asset(self, name: ProductName) -> Asset | None:
        return self.mesh.assets.get(name)

    def products_of(self, domain: str) -> list[ProductName]:
        """Products by name, those of a domain that cannot be read as far as they were published."""
        return self._by_domain.get(domain, [])

    @cached_property
    def _by_domain(self) -> Mapping[str, list[ProductName]]:
        found: dict[str, list[ProductName]] = {}
        for name in sorted(self.facts):
            found.setdefault(name.domain, []).append(name)
        return found

    def knows(self, name: ProductName) -> bool:
        """True for a product, False for private assets: their domain's own business."""
        return name in self.facts and not name.private


@dataclass
class Shelf:
    """The newest catalog, and who makes the next one."""

    settings: Settings
    registry: Registry
    patience: float = PATIENCE
    _reader: DocumentReader | None = None
    _catalog: Catalog | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _worker: threading.Thread | None = None
    _pulse: str = ""
    _looked: float = 0.0
    _felt: float = 0.0
    _made: float = 0.0
    _took: float = 0.0
    _problem: Exception | None = None

    def catalog(self) -> Catalog:
        """The catalog of now, or of a moment ago while the one of now is being made.

        Raises StillReading while there is none yet.
        """
        return self._newest(max(FIRST, self.patience))

    def read(self) -> Catalog:
        """The catalog, however long the first one takes."""
        return self._newest(None)

    def _newest(self, first: float | None) -> Catalog:
        with self._lock:
            known, worker = self._catalog, self._worker
            if worker is None and self._is_old():
                worker = self._worker = threading.Thread(target=self._make, daemon=True)
                worker.start()
        if worker is not None:
            worker.join(first if known is None else self.patience)
        if self._catalog is None:
            if self._problem is not None:
                raise self._problem
            raise StillReading(*(self._reader.progress if self._reader else (0, 0)))
        return self._catalog

    @property
    def moment(self) -> datetime:
        """Of when the newest catalog is."""
        return self._catalog.now if self._catalog else datetime.now(UTC)

    def _is_old(self) -> bool:
        """Whether somebody should look; it costs a request no more than the registry's pulse."""
        now = time.monotonic()
        if self._catalog is None or now - self._made > OLD:
            return True
        if now - self._made < self._took:  # a mesh that never rests leaves half of the time to others
            return False
        if now - self._looked > LOOK:
            return True
        if now - self._felt < BEAT:
            return False
        self._felt = now
        return self.registry.pulse() != self._pulse

    def _make(self) -> None:
        """Look at the files and the pulse, and read all anew if one of them is another, or it is time."""
        began = time.monotonic()
        try:
            pulse = self.registry.pulse()
            if self._reader is None:
                self._reader = DocumentReader(self.settings)
            documents = self._reader.read()
            known, old = self._catalog, began - self._made > OLD
            if known is None or old or documents is not known.documents or pulse != self._pulse:
                self._catalog = make_catalog(self.settings, self.registry, documents, pulse)
                self._pulse, self._problem = pulse, None
                self._made = time.monotonic()
                self._took = self._made - began
        except Exception as error:  # the catalog of before stays; whoever has none is told
            self._problem = error
        finally:
            self._looked = time.monotonic()
            self._worker = None


def make_catalog(settings: Settings, registry: Registry, documents: Documents, pulse: str) -> Catalog:
    """One look at the registry and at files, put together."""
    now = datetime.now(UTC)
    mesh = documents.mesh
    found = {each.product: each for each in facts(settings, registry, mesh, now)}
    controls = registry.controls(now)
    known = registry.broken()
    broken = {
        name: BrokenLocation(name, problem, known[name].since if name in known else now)
        for name, problem in documents.problems.items()
    }
    health = {
        name: domain_health(
            name, [each for each in found.values() if each.product.domain == name], controls, broken
        )
        for name in sorted({*mesh.domains, *documents.problems})
    }
    return Catalog(
        stamp=f"{pulse}|{documents.stamp}",
        now=now,
        documents=documents,
        facts=found,
        heads=registry.head_versions(),
        health=health,
        controls=controls,
        announcements=tuple(registry.announcements()),
        in_buckets=frozenset(name for name in mesh.domains if _in_bucket(settings, name)),
    )


def _in_bucket(settings: Settings, domain: str) -> bool:
    """Of a lake whose record cannot be read nothing is said: one domain's trouble hides no other's pages."""
    try:
        return bool(lake_of(settings, domain).objects)
    except (MeshError, OSError, ValueError):
        return False
