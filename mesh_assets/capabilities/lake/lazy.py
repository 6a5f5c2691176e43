"""A version as a lazy frame of polars, which says of each scan the columns that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

Rows = Callable[[Sequence[str] | None], "polars.DataFrame"]


def lazy_frame(schema: polars.Schema, rows: Rows) -> polars.LazyFrame:
    """`rows` gives all rows with some columns, or with all for None."""
    from polars.io.plugins import register_io_source

    def scan(
        with_columns: list[str] | None,
        predicate: polars.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[polars.DataFrame]:
        # The first rows of many depend on all columns; no columns at all would lose the number of rows.
        some = with_columns and n_rows is None
        needs = predicate.meta.root_names() if predicate is not None else []
        frame = rows(list(dict.fromkeys([*(with_columns or ()), *needs])) if some else None)
        frame = frame if n_rows is None else frame.head(n_rows)
        frame = frame if predicate is None else frame.filter(predicate)
        yield frame if with_columns is None else frame.select(with_columns)

    return register_io_source(scan, schema=schema)
