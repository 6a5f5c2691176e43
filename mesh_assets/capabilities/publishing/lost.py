"""Whether the version that readers see is there and whole: if not, the same rows are worth another one."""

from __future__ import annotations

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.lake.content import differing
from mesh_assets.capabilities.lake.stores import store_at
from mesh_assets.capabilities.lake.upkeep import holdings
from mesh_assets.capabilities.publishing.workshop import Work, Workshop


def head_lost(workshop: Workshop, work: Work) -> bool:
    """True if files of it are gone. Whoever builds by force is told of damage as well: the catalog does not
    know it, a file has another size, or its rows are not those of the certificate.
    """
    head = work.head
    assert head is not None
    settings, domain = workshop.settings.of(head.stored), work.asset.name.domain
    root = lake_of(settings, domain).root
    sizes = {file: store_at(root).size(f"{root}/{file}") for file in head.certificate.files}
    if None in sizes.values():
        return True
    if not workshop.force:
        return False
    held = holdings(settings, domain)
    if head.snapshot not in {snapshot.number for snapshot in held.snapshots}:
        return True
    known = {f"data/{file.path}": file.bytes for file in held.at(head.product, head.snapshot)}
    return sizes != known or any(True for _ in differing(settings, [head], held))
