"""Reading a product as it was at a version."""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect
from mesh_assets.capabilities.lake.ledger import open_ledger
from mesh_assets.capabilities.lake.types import describe

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


def relation_sql(
    connection: DuckDBPyConnection, settings: Settings, product: ProductName, snapshot: int
) -> str:
    """A product at a snapshot as an SQL query for this connection, which gets the lake attached."""
    table = open_ledger(connection, settings, product.domain).table(product)
    return f"SELECT * FROM {table} AT (VERSION => {int(snapshot)})"


def relation(
    connection: DuckDBPyConnection, settings: Settings, product: ProductName, snapshot: int
) -> DuckDBPyRelation:
    """A product at a snapshot as a lazy relation of this connection."""
    return connection.sql(relation_sql(connection, settings, product, snapshot))


def files(settings: Settings, product: ProductName, snapshot: int) -> tuple[str, ...]:
    """Absolute paths of a product's Parquet files at a snapshot, for programs that know no lake."""
    with closing(connect(settings, threads=CATALOG_THREADS)) as connection:
        return open_ledger(connection, settings, product.domain).files(product, snapshot)


def version_files(
    connection: DuckDBPyConnection, settings: Settings, product: ProductName, snapshot: int
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Absolute paths of a product's files at a snapshot, and (name, DuckDB type) of its columns."""
    found = open_ledger(connection, settings, product.domain).files(product, snapshot)
    return found, describe(relation(connection, settings, product, snapshot))


class Handle:
    """One version of a product, for reading: lazy, and nothing is copied until asked."""

    def __init__(self, settings: Settings, product: ProductName, *, number: int, snapshot: int) -> None:
        self.settings = settings
        self.product = product
        self.number = number
        self.snapshot = snapshot

    def __repr__(self) -> str:
        return f"<{self.product} version {self.number}>"

    @cached_property
    def connection(self) -> DuckDBPyConnection:
        """This handle's own connection, with the lake attached read-only."""
        return connect(self.settings)

    @cached_property
    def relation(self) -> DuckDBPyRelation:
        """The version as a DuckDB relation: filter, join and aggregate it, then ask for the result."""
        return relation(self.connection, self.settings, self.product, self.snapshot)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(name, DuckDB type) in table order."""
        return describe(self.relation)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Absolute paths of the version's Parquet files."""
        ledger = open_ledger(self.connection, self.settings, self.product.domain)
        return ledger.files(self.product, self.snapshot)

    def arrow(self) -> pyarrow.Table:
        return self.relation.to_arrow_table()

    def polars(self) -> polars.DataFrame:
        return self.relation.pl()

    def pandas(self) -> pandas.DataFrame:
        return self.relation.df()

    def close(self) -> None:
        """Let go of the connection; a handle that nobody holds does so by itself."""
        if "connection" in self.__dict__:
            self.connection.close()
