"""Drafts: a recipe's result as Parquet files that nobody reads yet, and that are audited as they are."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake import types
from mesh_assets.capabilities.lake.places import literal, quoted, staging_of
from mesh_assets.capabilities.lake.stores import sync
from mesh_assets.words.errors import RowsOutsidePartitions
from mesh_assets.words.versions import WHOLE, Draft, StagedFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings

PARQUET = "FORMAT parquet, COMPRESSION zstd, RETURN_STATS"

#: How Hive writes a partition whose key is NULL.
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def stage(  # noqa: PLR0913 - a draft is this many facts, each of its own kind
    connection: DuckDBPyConnection,
    query: str | DuckDBPyRelation,
    *,
    product: ProductName,
    run_id: str,
    settings: Settings,
    partition_column: str | None = None,
    partitions: Sequence[str] = (WHOLE,),
    columns: Sequence[tuple[str, str]] | None = None,
    audited: bool = False,
    folder: Path | None = None,
) -> Draft:
    """Write a query's rows as a draft; raises WrongColumns before it writes anything.

    `query` is SQL for this connection, or a relation of it. `columns` are (name, DuckDB type) as the contract
    promises them, and give the order; without them the query's own are stored. A partitioned draft replaces
    `partitions` and holds files of those that have rows. With `audited`, columns other than the promised ones
    are stored as they are, for the audit to tell of beside all else that it finds. `folder` is for what is
    made out of another draft, and lies in that draft's own.
    """
    relation = connection.sql(query) if isinstance(query, str) else query
    made = types.describe(relation)
    if audited and columns is not None:
        stored = types.as_made(product, made, columns, partition_column)
    else:
        stored = types.agreed(product, made, columns)
    folder = folder or staging_of(settings, product, run_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _view(connection, relation) as view:
        names = ", ".join(quoted(name) for name, _ in stored)
        selected = f"SELECT {names} FROM {quoted(view)}"
        if partition_column is None:
            files = _copy_whole(connection, selected, folder)
        else:
            files = _copy_partitions(connection, selected, folder, partition_column, len(partitions))
    if partition_column is not None:
        _refuse_strays(product, partition_column, partitions, files)
    draft = Draft(
        product=product,
        run_id=run_id,
        files=files,
        columns=stored,
        partitions=tuple(partitions),
        partition_column=partition_column,
    )
    _refuse_other_types(connection, draft)
    _settle(folder, files)
    return draft


def draft_sql(draft: Draft) -> str:
    """A draft as an SQL query, in its own columns and types; also when it has no file at all."""
    return files_sql([file.path for file in draft.files], draft.columns)


def files_sql(paths: Sequence[str], columns: Sequence[tuple[str, str]], *, mixed: bool = False) -> str:
    """Parquet files of these columns as an SQL query; `mixed` if some files lack some of the columns."""
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns)
    if not paths:
        return f"SELECT {nothing} WHERE false"
    names = ", ".join(quoted(name) for name, _ in columns)
    listed = ", ".join(literal(path) for path in paths)
    # The partition column is in the file; read from the path it might get another type.
    if mixed:
        files = f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        return f"SELECT {names} FROM (SELECT {nothing} WHERE false UNION ALL BY NAME FROM {files})"
    return f"SELECT {names} FROM read_parquet([{listed}], hive_partitioning = false)"


@contextmanager
def _view(connection: DuckDBPyConnection, relation: DuckDBPyRelation) -> Iterator[str]:
    # A view, because COPY takes SQL and a relation over Arrow or polars has none.
    name = f"mesh_result_{uuid.uuid4().hex}"
    relation.create_view(name)
    try:
        yield name
    finally:
        connection.execute(f"DROP VIEW IF EXISTS {quoted(name)}")


def _copy_whole(connection: DuckDBPyConnection, query: str, folder: Path) -> tuple[StagedFile, ...]:
    target = literal(str(folder / "data_0.parquet"))
    written = connection.execute(f"COPY ({query}) TO {target} ({PARQUET})").fetchall()
    return tuple(_staged(row, WHOLE) for row in written)


def _copy_partitions(
    connection: DuckDBPyConnection, query: str, folder: Path, column: str, count: int
) -> tuple[StagedFile, ...]:
    # Beyond this many open files (100 unless told) DuckDB closes some and writes second ones.
    connection.execute(f"SET partitioned_write_max_open_files = {max(100, count + 1)}")
    # Readers of plain Parquet need the column in the file as well as in the path.
    options = f"{PARQUET}, PARTITION_BY ({quoted(column)}), WRITE_PARTITION_COLUMNS true"
    written = connection.execute(f"COPY ({query}) TO {literal(str(folder))} ({options})").fetchall()
    connection.execute("RESET partitioned_write_max_open_files")
    return tuple(sorted((_staged(row, _key(row, column)) for row in written), key=lambda file: file.path))


def _key(row: tuple[Any, ...], column: str) -> str:
    key = row[5][column]
    return NULL_PARTITION if key is None else str(key)


def _staged(row: tuple[Any, ...], partition: str) -> StagedFile:
    path, rows, size, *_ = row
    return StagedFile(path=str(path), partition=partition, rows=int(rows), bytes=int(size))


def _refuse_strays(
    product: ProductName, column: str, partitions: Sequence[str], files: Sequence[StagedFile]
) -> None:
    strays = sorted({file.partition for file in files} - set(partitions))
    if strays:
        seen = ["NULL" if key == NULL_PARTITION else key for key in strays]
        raise RowsOutsidePartitions(
            product=product, column=column, seen=_some(seen), wanted=_some(sorted(partitions))
        )


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys) if len(keys) <= 3 else f"{', '.join(keys[:3])} and {len(keys) - 3} more"


def _refuse_other_types(connection: DuckDBPyConnection, draft: Draft) -> None:
    if draft.files:
        # One file speaks for all: one statement wrote them.
        path = literal(draft.files[0].path)
        first = connection.sql(f"FROM read_parquet({path}, hive_partitioning = false)")
        types.refuse_changed(draft.product, types.describe(first), draft.columns)


def _settle(folder: Path, files: Sequence[StagedFile]) -> None:
    """Make the files outlive a power cut, before the lock: what a commit acknowledges is on the disk."""
    for file in files:
        sync(Path(file.path))
    for parent in {Path(file.path).parent for file in files} | {folder}:
        sync(parent)
