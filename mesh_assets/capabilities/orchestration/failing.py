"""Errors of the mesh, of its servers and of disks, as Dagster shows them: one failure that says what next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from mesh_assets.words.errors import LakeBusy, MeshError, RegistryBusy, ReleaseConflict
from mesh_assets.words.stores import CatalogLost, RegistryLost, disk_refused

#: Somebody was quicker, or a server is being started again: the same step tried again may well go through.
PASSING = (LakeBusy, RegistryBusy, ReleaseConflict, CatalogLost, RegistryLost)


@contextmanager
def one_failure(folder: Path, domain: str = "") -> Iterator[None]:
    """Raise what went wrong as one Dagster failure in its own words, tried again only if it may pass.

    `folder` is named where a disk's error names no file.
    """
    from mesh_assets.capabilities.lake.told import in_words

    try:
        yield
    except MeshError as error:
        raise _failure(error) from None
    except Exception as error:
        told = (isinstance(error, OSError) and disk_refused(error, folder)) or in_words(error, domain)
        if not told:
            raise
        raise _failure(told) from None


def _failure(error: MeshError) -> dg.Failure:
    return dg.Failure(description=str(error), allow_retries=isinstance(error, PASSING))
