"""Columns that have the same bytes in two sets of Parquet files.

One writer gives the same rows in the same order the same bytes, so a recipe that ran again and changed one
column leaves the others as they were, byte by byte. Comparing bytes costs a tenth of decoding them.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.lake.stores import is_object

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Chunk:
    """A column of a row group: where its pages are."""

    start: int
    size: int


@dataclass(frozen=True)
class Layout:
    """A Parquet file: rows of its row groups, and the chunks of each column (or of what is inside of one)."""

    path: str
    groups: tuple[int, ...]
    chunks: dict[str, list[Chunk]]


Pairs = list[tuple[Layout, Layout]]


def pair_up(con: DuckDBPyConnection, before: Sequence[str], after: Sequence[str]) -> Pairs | None:
    """Files of one partition and of the same row groups, side by side; None unless all can be paired."""
    # Out of object storage the bytes would have to be fetched first: decoding a column fetches no more.
    if len(before) != len(after) or any(is_object(file) for file in (*before, *after)):
        return None
    ours, theirs = (sorted(files, key=_place) for files in (before, after))
    if [Path(file).parent.name for file in ours] != [Path(file).parent.name for file in theirs]:
        return None
    layouts = _layouts(con, [*ours, *theirs])
    pairs = [(layouts[mine], layouts[other]) for mine, other in zip(ours, theirs, strict=True)]
    return pairs if all(mine.groups == other.groups for mine, other in pairs) else None


def same_columns(pairs: Pairs, columns: Collection[str]) -> set[str]:
    """The columns of which every chunk has the same bytes on both sides."""
    # The path inside a nested column is joined by commas: with one in a name nobody knows what is meant.
    same = {name for name in columns if "," not in name}
    for mine, other in pairs:
        with ExitStack() as opened:
            views = [opened.enter_context(_bytes(each.path)) for each in (mine, other)]
            same -= {name for name in same if not _same(mine, other, name, views)}
    return same


def _same(mine: Layout, other: Layout, name: str, views: list[mmap.mmap]) -> bool:
    inside = {path for path in mine.chunks if path == name or path.startswith(f"{name}, ")}
    if not inside or inside != {
        path for path in other.chunks if path == name or path.startswith(f"{name}, ")
    }:
        return False
    return all(
        a.size == b.size and views[0][a.start : a.start + a.size] == views[1][b.start : b.start + b.size]
        for path in inside
        for a, b in zip(mine.chunks[path], other.chunks[path], strict=True)
    )


def _bytes(path: str) -> mmap.mmap:
    with Path(path).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _place(file: str) -> tuple[str, int, str]:
    """Partition, then the order in which one run wrote them."""
    path = Path(file)
    return path.parent.name, len(path.name), path.name


def _layouts(con: DuckDBPyConnection, files: Sequence[str]) -> dict[str, Layout]:
    listed = ", ".join(literal(file) for file in files)
    groups: dict[str, dict[int, int]] = {file: {} for file in files}
    chunks: dict[str, dict[str, list[Chunk]]] = {file: {} for file in files}
    if files:
        query = (
            "SELECT file_name, row_group_id, row_group_num_rows, path_in_schema, data_page_offset, "
            f"dictionary_page_offset, total_compressed_size FROM parquet_metadata([{listed}]) "
            "ORDER BY file_name, row_group_id, column_id"
        )
        for file, group, rows, path, data, dictionary, size in con.execute(query).fetchall():
            groups[file][group] = rows
            start = min(data, dictionary) if dictionary else data
            chunks[file].setdefault(path, []).append(Chunk(start, size))
    return {file: Layout(file, tuple(groups[file].values()), chunks[file]) for file in files}
