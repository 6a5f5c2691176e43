"""Files that operational systems deliver: nobody pins them, so a kitchen compares what was read.

Each certificate has path and digest of the files that its build read. Here: in which of them a kitchen's
version differs from the one that it was opened with, and which are others by now. Not here: what a promotion
makes of it (plan).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Domain
from mesh_assets.capabilities.publishing.sources import checksum, folder_of
from mesh_assets.words.kitchens import MovedFile
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.names import ProductName

#: Files that are named one by one.
MOST = 3
SINCE_THE_PIN = "Its sources moved since the pin, and a part of the difference may be theirs: "


def moved_since_pin(own: Registry, name: ProductName, made: Version) -> tuple[MovedFile, ...]:
    """Files that a version of a kitchen's was made from, and the version that it took over was not."""
    before = next((each for each in own.versions(name) if each.stored), None)
    return () if before is None or made.stored else tuple(_moved(before, made))


def moved_by_now(settings: Settings, domain: Domain, version: Version) -> tuple[MovedFile, ...]:
    """Files that a version was made from, and that are there with another content now."""
    found = []
    for each in version.certificate.sources:
        source = domain.source(each.name)
        path = folder_of(settings, source) / each.path if source else None
        if path is not None and path.is_file() and checksum(path) != each.sha256:
            found.append(MovedFile(each.name, each.path, "changed"))
    return tuple(found)


def told_moved(files: tuple[MovedFile, ...]) -> str:
    """`order_log shop/orders.csv (changed) and 3 more`"""
    told = ", ".join(f"{each.source} {each.path} ({each.how})" for each in files[:MOST])
    return told + (f" and {len(files) - MOST} more" if files[MOST:] else "")


def _moved(before: Version, after: Version) -> Iterator[MovedFile]:
    old, new = (
        {(each.name, each.path): each.sha256 for each in version.certificate.sources}
        for version in (before, after)
    )
    for (source, path), digest in sorted(new.items()):
        if old.get((source, path)) != digest:
            yield MovedFile(source, path, "changed" if (source, path) in old else "new")
    # A build of some partitions names their files alone: what it does not name may be there.
    if set(after.certificate.partitions) == {WHOLE}:
        yield from (MovedFile(source, path, "gone") for source, path in sorted(set(old) - set(new)))
