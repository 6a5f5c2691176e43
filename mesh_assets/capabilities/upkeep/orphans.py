"""Small files of runs that released nothing: manifests, artifacts, files half written, refused drafts.

Here: which of them may go, and their removal. Not here: data files, which the catalog knows (lake.upkeep).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lake.manifest import manifest_file
from mesh_assets.capabilities.lake.stores import Stored, store_at
from mesh_assets.capabilities.lake.transfers import HALF
from mesh_assets.capabilities.lake.upkeep import GRACE, Leftover, log_deleted
from mesh_assets.capabilities.publishing.keep import draft_folder
from mesh_assets.capabilities.upkeep.rebuild import manifest_from, unregistered

if TYPE_CHECKING:
    from mesh_assets.capabilities.lake.places import LakePlace
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings
    from mesh_assets.words.versions import Version

NEVER_RELEASED = "the run that wrote it released nothing"
HALF_WRITTEN = "it was never written to its end"
OVERTAKEN = "its draft was refused, and a later version was released"

#: How long a refused draft stays for whoever mends its product, and is done with it at a release.
DRAFTS = timedelta(days=7)


def orphans(settings: Settings, registry: Registry, domain: str, *, now: datetime) -> list[Leftover]:
    """Files that no version has, of products that released a later one, older than any run lasts.

    None while the registry misses versions: an unknown run may then be one that it has lost.
    """
    place = lake_of(settings, domain)
    search = _Search(settings, place, registry.versions_of(domain), now)
    found = list(search.found())
    return [] if found and unregistered(settings, registry, domain) else found


def remove_orphans(
    settings: Settings, registry: Registry, domain: str, *, who: str, now: datetime
) -> list[Leftover]:
    """Delete them; each is in the lake's log first."""
    place, found = lake_of(settings, domain), orphans(settings, registry, domain, now=now)
    log_deleted(place, who, found)
    for file in found:
        store_at(file.path).remove(file.path)
    drafts = settings.home / "drafts" / domain
    for product in {Path(each.path).relative_to(drafts).parts[0] for each in found if each.why == OVERTAKEN}:
        for folder in (drafts / product / "rows", drafts / product):
            with suppress(OSError):  # a newer draft is there
                folder.rmdir()
    return found


@dataclass(frozen=True)
class _Search:
    settings: Settings
    place: LakePlace
    versions: list[Version]
    now: datetime

    def found(self) -> Iterator[Leftover]:
        for file in self._old(self.place.manifests):
            if file.path.endswith(HALF):
                yield Leftover(file.path, file.bytes, HALF_WRITTEN)
            elif file.path not in self._manifests and self._died(file.path):
                yield Leftover(file.path, file.bytes, NEVER_RELEASED)
        for file in self._old(f"{self.place.root}/artifacts"):
            product, run = self._run_of(file.path)
            if (product, run) not in self._runs and file.modified < self._latest.get(product, file.modified):
                yield Leftover(file.path, file.bytes, NEVER_RELEASED)
        for name in {each.product for each in self.versions}:
            for file in self._old(str(draft_folder(self.settings, name)), DRAFTS):
                if file.modified < self._latest[str(name)]:
                    yield Leftover(file.path, file.bytes, OVERTAKEN)

    def _old(self, folder: str, grace: timedelta = GRACE) -> Iterator[Stored]:
        return (each for each in store_at(folder).below(folder) if each.modified < self.now - grace)

    def _died(self, path: str) -> bool:
        """True if the manifest tells of a commit that no release followed, and a later one was released."""
        manifest = manifest_from(path, store_at(path).read(path) or b"")
        certificate = manifest.certificate
        if certificate is None or manifest.published is not None:
            return False
        return certificate.snapshot < self._snapshots.get(str(certificate.product), 0)

    def _run_of(self, path: str) -> tuple[str, str]:
        """Product and run in `…/artifacts/<product>/<run>/…`."""
        product, run, *_ = path.removeprefix(f"{self.place.root}/artifacts/").split("/")
        return f"{self.place.domain}.{product}", run

    @cached_property
    def _manifests(self) -> set[str]:
        return {manifest_file(self.settings, each.product, each.run_id) for each in self.versions}

    @cached_property
    def _runs(self) -> set[tuple[str, str]]:
        return {(str(each.product), each.run_id) for each in self.versions}

    @cached_property
    def _snapshots(self) -> dict[str, int]:
        """The last snapshot of each product that was released."""
        ordered = sorted(self.versions, key=lambda each: each.snapshot)
        return {str(each.product): each.snapshot for each in ordered}

    @cached_property
    def _latest(self) -> dict[str, datetime]:
        ordered = sorted(self.versions, key=lambda each: each.published)
        return {str(each.product): each.published for each in ordered}
