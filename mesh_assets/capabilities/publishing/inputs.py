"""Versions as SQL for any engine: the Parquet files of one snapshot, with no lake in sight."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache

from mesh_assets.capabilities.lake import Handle, files_sql
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings


@lru_cache(maxsize=512)
def input_sql(settings: Settings, product: ProductName, snapshot: int) -> str:
    """A SELECT over the files of a snapshot. Snapshots never change, so the answer is kept."""
    with closing(Handle(settings, product, number=0, snapshot=snapshot)) as handle:
        return files_sql(handle.files, handle.columns)
