"""A product's partitions taken over into a kitchen's lake, before the first of them is made anew there.

Their files get second names (a hard link; in a bucket the server copies), as a commit that nobody is shown;
the build's own commit goes on from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import commit
from mesh_assets.capabilities.lake.adopt import adopt
from mesh_assets.capabilities.publishing.lake_words import comments_of
from mesh_assets.words.versions import Draft

if TYPE_CHECKING:
    from mesh_assets.capabilities.publishing.workshop import Work, Workshop
    from mesh_assets.words.names import ProductName


def base_of(workshop: Workshop, work: Work) -> int:
    """The snapshot of this environment's lake that a commit goes on from; 0 for none."""
    head = work.head
    if head is None:
        return 0
    if not head.stored:
        return head.snapshot
    return 0 if work.asset.partitioning is None else _taken_over(workshop, work)


def _taken_over(workshop: Workshop, work: Work) -> int:
    head = work.head
    assert head is not None
    run_id = f"{workshop.run_id}.from-{head.stored}"
    draft = _draft(workshop, work, head.product, run_id)
    aside = _draft(workshop, work, head.product.quarantine, run_id) if head.certificate.quarantine else None
    committed = commit(
        workshop.settings,
        draft,
        who=workshop.who,
        extra={"taken_over": head.stored, "version": head.number},
        comments=comments_of(work.asset),
        base=0,
        beside=aside,
    )
    return committed.snapshot


def _draft(workshop: Workshop, work: Work, product: ProductName, run_id: str) -> Draft:
    assert work.head is not None and work.asset.partitioning is not None
    return adopt(
        workshop.settings.of(work.head.stored),
        product,
        work.head.snapshot,
        run_id=run_id,
        into=workshop.settings,
        partition_column=work.asset.partitioning.column,
        partitions=tuple(work.head.certificate.partitions),
    )
