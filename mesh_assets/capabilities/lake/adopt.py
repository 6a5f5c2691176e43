"""An older state of a table as a draft again, so that it takes the one path into the lake like any other.

A file may stand in a lake's ledger once only, so each gets a second name: a hard link, and no byte is copied
(from a disk that links nothing they are copied; in object storage the server copies).
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mesh_assets.capabilities.lake.arrivals import second_name
from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect
from mesh_assets.capabilities.lake.places import literal, staging_of
from mesh_assets.capabilities.lake.read import version_files
from mesh_assets.capabilities.lake.stores import is_object, store_at, sync
from mesh_assets.words.errors import VersionLost
from mesh_assets.words.versions import WHOLE, Draft, StagedFile

if TYPE_CHECKING:
    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


def adopt(
    settings: Settings,
    product: ProductName,
    snapshot: int,
    *,
    run_id: str,
    into: Settings | None = None,
    partition_column: str | None = None,
    partitions: Collection[str] = (WHOLE,),
) -> Draft:
    """The table as it was at a snapshot, as far as it is of these partitions; raises VersionLost.

    `into` are the settings of another mesh (a kitchen, or what it was opened from) that is to have it.
    """
    with closing(connect(settings, threads=CATALOG_THREADS)) as con:
        files, columns = version_files(con, settings, product, snapshot)
        kept = [
            (file, key) for file in files if (key := _key(file) if partition_column else WHOLE) in partitions
        ]
        lost = [file for file, _ in kept if store_at(file).size(file) is None]
        if lost:
            raise VersionLost(product=product, snapshot=snapshot, file=Path(lost[0]).name, count=len(lost))
        listed = ", ".join(literal(file) for file, _ in kept)
        counts = f"SELECT file_name, num_rows, file_size_bytes FROM parquet_file_metadata([{listed}])"
        told = {path: (rows, size) for path, rows, size in con.execute(counts).fetchall()} if kept else {}
    folder = staging_of(into or settings, product, run_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    staged = tuple(
        StagedFile(_second_name(file, folder / f"{number}.parquet"), key, *map(int, told[file]))
        for number, (file, key) in enumerate(kept)
    )
    sync(folder)
    return Draft(
        product=product,
        run_id=run_id,
        files=staged,
        columns=columns,
        partitions=tuple(partitions),
        partition_column=partition_column,
    )


def _second_name(file: str, target: Path) -> str:
    """In object storage it is read where it is, and the commit gives it its second name there."""
    return file if is_object(file) else second_name(file, str(target))


def _key(file: str) -> str:
    """The key in `…/<column>=<key>/<file>`."""
    return unquote(Path(file).parent.name.partition("=")[2])
