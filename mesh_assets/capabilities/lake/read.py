"""Reading a product as it was at a version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, connect
from mesh_assets.capabilities.lake.known import Known, known
from mesh_assets.capabilities.lake.ledger import open_ledger
from mesh_assets.capabilities.lake.places import quoted
from mesh_assets.capabilities.lake.stage import files_sql
from mesh_assets.capabilities.lake.types import describe
from mesh_assets.words.errors import VersionLost

#: Told of each access: the columns that are asked for, None for all of them, and by what.
Asked = Callable[[Sequence[str] | None, str], None]

if TYPE_CHECKING:
    import pandas
    import polars
    import polars as pl
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
    ledger = open_ledger(connection, settings, product.domain)
    found, columns = ledger.files(product, snapshot), ledger.columns_at(product, snapshot)
    return found, columns or describe(relation(connection, settings, product, snapshot))


def version_sql(
    connection: DuckDBPyConnection, settings: Settings, product: ProductName, snapshot: int
) -> str:
    """A product at a snapshot as an SQL query over its files, for any connection."""
    return version_facts(connection, settings, product, snapshot)[2]


def version_facts(
    connection: DuckDBPyConnection, settings: Settings, product: ProductName, snapshot: int
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]:
    """A product at a snapshot: its files, its columns, and the SQL query over them."""
    found, columns = version_files(connection, settings, product, snapshot)
    grew = len(found) > 1 and open_ledger(connection, settings, product.domain).grew(product, snapshot)
    return found, columns, files_sql(found, columns, mixed=grew)


class Handle:
    """One version of a product, for reading: lazy, and nothing is copied until asked."""

    def __init__(
        self, settings: Settings, product: ProductName, *, number: int, snapshot: int, query: str = ""
    ) -> None:
        self.settings = settings
        self.product = product
        self.number = number
        self.snapshot = snapshot
        #: SQL for a part of the version's rows, "" for all of them.
        self.query = query
        #: Who wants to know which columns are read, None for nobody.
        self.asked: Asked | None = None

    def __repr__(self) -> str:
        return f"<{self.product} version {self.number}>"

    @cached_property
    def connection(self) -> DuckDBPyConnection:
        """This handle's own connection; it knows no lake, and reads the version's files."""
        return connect(self.settings)

    @property
    def relation(self) -> DuckDBPyRelation:
        """The version as a DuckDB relation: filter, join and aggregate it, then ask for the result.

        It reads the version's files, and the catalog only once, to learn which they are: a snapshot that
        expires under a transaction is answered with no rows (DuckLake 1.5.5), a file that is gone with an
        error.
        """
        self._told(None, ".relation")
        return self._relation

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(name, DuckDB type) in table order."""
        self._told(None, ".columns")
        return self._known.columns

    @property
    def files(self) -> tuple[str, ...]:
        """Absolute paths of the version's Parquet files."""
        self._told(None, ".files")
        return self._known.files

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """All of it, or these columns."""
        with self._told_if_lost():
            return self._chosen(columns, ".arrow()").to_arrow_table()

    def polars(self, columns: Sequence[str] | None = None) -> polars.DataFrame:
        """All of it, or these columns."""
        with self._told_if_lost():
            return self._chosen(columns, ".polars()").pl()

    def pandas(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """All of it, or these columns."""
        with self._told_if_lost():
            return self._chosen(columns, ".pandas()").df()

    def lazy(self) -> pl.LazyFrame:
        """As a lazy frame of polars: nothing is read before `collect`, and then the columns that it needs."""
        from mesh_assets.capabilities.lake.lazy import lazy_frame

        return lazy_frame(self._relation.limit(0).pl().schema, self._rows)

    def _rows(self, columns: Sequence[str] | None) -> pl.DataFrame:
        """For a scan of polars, which may run beside another one: with a cursor of its own."""
        self._told(columns, ".lazy()")
        named = "*" if columns is None else ", ".join(map(quoted, columns))
        with self._told_if_lost():
            return self.connection.cursor().execute(f"SELECT {named} FROM ({self._sql})").pl()

    def _chosen(self, columns: Sequence[str] | None, by: str) -> DuckDBPyRelation:
        self._told(columns, by)
        return self._relation if columns is None else self._relation.project(", ".join(map(quoted, columns)))

    def _told(self, columns: Sequence[str] | None, by: str) -> None:
        if self.asked is not None:
            self.asked(columns, by)

    @property
    def _sql(self) -> str:
        return self.query or self._known.sql

    @cached_property
    def _relation(self) -> DuckDBPyRelation:
        with self._told_if_lost():
            return self.connection.sql(self._sql)

    @cached_property
    def _known(self) -> Known:
        return known(self.settings, self.product, self.snapshot)

    @contextmanager
    def _told_if_lost(self) -> Iterator[None]:
        """Files may go after this handle has learned of them; what is not there is never no rows."""
        import duckdb

        try:
            yield
        except duckdb.IOException as error:
            named = [file for file in self._known.files if Path(file).name in str(error)]
            if not named:
                raise
            raise VersionLost(
                product=self.product, snapshot=self.snapshot, file=Path(named[0]).name, count=1
            ) from None

    def close(self) -> None:
        """Let go of the connection; a handle that nobody holds does so by itself."""
        if "connection" in self.__dict__:
            self.connection.close()
