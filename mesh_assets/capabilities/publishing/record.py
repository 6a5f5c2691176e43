"""Failures, put on record for the products that they stop."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from mesh_assets.capabilities.lake.told import told, told_of_disks
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.controls import Paused
from mesh_assets.words.errors import MeshError, PromiseBroken, RegistryBusy
from mesh_assets.words.kitchens import OutsideKitchen
from mesh_assets.words.names import ProductName
from mesh_assets.words.promotions import CodeMoved
from mesh_assets.words.stores import RegistryLost, RegistryRefused
from mesh_assets.words.versions import BuildOutcome, BuildRecord


@contextmanager
def failures_on_record(workshop: Workshop, name: ProductName) -> Iterator[None]:
    """Whatever ends a build of the product is told in the registry as well."""
    started, clock = datetime.now(UTC), time.monotonic()
    try:
        with told(name.domain), told_of_disks(workshop.settings.home):
            yield
    except PromiseBroken:
        raise  # refuse has put it on record, with its rows
    except (Paused, CodeMoved, OutsideKitchen):
        raise  # nothing is wrong with the product, and its last build is still its last
    except Exception as error:
        message = str(error) if isinstance(error, MeshError) else f"{type(error).__name__}: {error}"
        record = BuildRecord(
            product=name,
            run_id=workshop.run_id,
            outcome=BuildOutcome.FAILED,
            started=started,
            seconds=time.monotonic() - clock,
            message=message,
        )
        # Where the registry itself is the trouble, the first error is the one to tell.
        with suppress(RegistryLost, RegistryRefused, RegistryBusy):
            workshop.registry.record_build(record)
        raise


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
