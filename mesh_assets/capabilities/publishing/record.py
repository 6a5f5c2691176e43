"""A failure before any product was on the bench, put on record for the products that it stops."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord


@contextmanager
def on_record(workshop: Workshop, models: Collection[ProductName]) -> Iterator[None]:
    """If private models fail, every selected product that is made from them has failed."""
    started, clock = datetime.now(UTC), time.monotonic()
    try:
        yield
    except MeshError as error:
        for asset in workshop.domain.assets:
            made_from = {each.name for each in through_private_models(workshop.domain, asset)}
            if asset.in_lake and asset.name in workshop.selected and made_from & set(models):
                workshop.registry.record_build(
                    BuildRecord(
                        product=asset.name,
                        run_id=workshop.run_id,
                        outcome=BuildOutcome.FAILED,
                        started=started,
                        seconds=time.monotonic() - clock,
                        message=str(error),
                    )
                )
        raise
