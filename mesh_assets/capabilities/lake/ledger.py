"""Small SQL on a catalog's own tables, through DuckDB: the only place that knows DuckLake's metadata layout.

DuckDB's functions over all tables are slow with many of them (2 s with 1,000); these queries touch one.
Values are written into the SQL, not bound: binding one imports pandas, half a CPU second in every process.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.connection import attach
from mesh_assets.capabilities.lake.places import lake_of, literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


@dataclass(frozen=True)
class KnownFile:
    """A data file that the catalog knows, and the snapshots that see it: from `begin`, before `end`."""

    table: str
    #: Below the lake's data folder.
    path: str
    bytes: int
    rows: int
    begin: int
    end: int | None

    def seen_at(self, snapshot: int) -> bool:
        return self.begin <= snapshot and (self.end is None or self.end > snapshot)


@dataclass(frozen=True)
class Snapshot:
    """One commit of the lake."""

    number: int
    made: datetime
    #: `<product> by <run>`, "" for a commit that no run made.
    run_key: str


def open_ledger(
    connection: DuckDBPyConnection, settings: Settings, domain: str, *, read_only: bool = True
) -> Ledger:
    """A domain's lake, attached to this connection, and its catalog's tables."""
    alias = attach(connection, settings, domain, read_only=read_only)
    return Ledger(connection, alias, lake_of(settings, domain).catalog_schema)


class Ledger:
    """What a lake's catalog knows, in the connection's transaction if it is in one."""

    def __init__(self, connection: DuckDBPyConnection, alias: str, schema: str) -> None:
        self.connection = connection
        self.alias = alias
        self._schema = schema

    def table(self, product: ProductName) -> str:
        """The product's table as SQL writes it."""
        return ".".join(quoted(word) for word in (self.alias, product.domain, product.product))

    def snapshot_of_run(self, key: str) -> int | None:
        """The snapshot that a run committed, None if it has not."""
        changes = self._of("snapshot_changes")
        return self._number(f"SELECT max(snapshot_id) FROM {changes} WHERE commit_message = {literal(key)}")

    def extra_of(self, snapshot: int) -> dict[str, Any]:
        """What was written down with a commit."""
        changes = self._of("snapshot_changes")
        query = f"SELECT commit_extra_info FROM {changes} WHERE snapshot_id = {int(snapshot)}"
        row = self.connection.execute(query).fetchone()
        found: dict[str, Any] = json.loads(row[0]) if row and row[0] else {}
        return found

    def current_snapshot(self) -> int:
        return self._number(f"SELECT max(snapshot_id) FROM {self._of('snapshot')}") or 0

    def files(self, product: ProductName, snapshot: int) -> tuple[str, ...]:
        """Absolute paths of a product's files at a snapshot, in name order."""
        lake, table, schema = (literal(word) for word in (self.alias, product.product, product.domain))
        query = f"""
            SELECT data_file
            FROM ducklake_list_files({lake}, {table}, schema => {schema}, snapshot_version => {int(snapshot)})
            ORDER BY 1
        """
        return tuple(str(path) for (path,) in self.connection.execute(query).fetchall())

    def grew(self, product: ProductName, snapshot: int) -> bool:
        """True if the product, at a snapshot, has files that are older than one of its columns."""
        seen = "begin_snapshot <= {0} AND (end_snapshot IS NULL OR end_snapshot > {0})".format(int(snapshot))
        schema = f"schema_name = {literal(product.domain)} AND {seen}"
        table = f"table_name = {literal(product.product)} AND {seen}"
        query = f"""
            WITH s AS (SELECT schema_id FROM {self._of("schema")} WHERE {schema}),
                 t AS (SELECT table_id FROM {self._of("table")} JOIN s USING (schema_id) WHERE {table}),
                 f AS (FROM {self._of("data_file")} JOIN t USING (table_id) WHERE {seen}),
                 c AS (FROM {self._of("column")} JOIN t USING (table_id) WHERE {seen})
            SELECT (SELECT min(begin_snapshot) FROM f) < (SELECT max(begin_snapshot) FROM c)
        """
        return bool(self._number(query))

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot that can still be read, oldest first."""
        query = f"""
            SELECT s.snapshot_id, epoch(CAST(s.snapshot_time AS TIMESTAMPTZ)), coalesce(c.commit_message, '')
            FROM {self._of("snapshot")} s LEFT JOIN {self._of("snapshot_changes")} c USING (snapshot_id)
            ORDER BY 1
        """
        return [
            Snapshot(int(number), datetime.fromtimestamp(made, UTC), str(key))
            for number, made, key in self.connection.execute(query).fetchall()
        ]

    def known_files(self) -> list[KnownFile]:
        """Every data file of every snapshot that can still be read."""
        named = "SELECT DISTINCT table_id, schema_id, table_name, path, path_is_relative"
        query = f"""
            SELECT DISTINCT s.schema_name || '.' || t.table_name,
                CASE WHEN t.path_is_relative THEN s.path ELSE '' END || t.path || f.path,
                f.file_size_bytes, f.record_count, f.begin_snapshot, f.end_snapshot
            FROM {self._of("data_file")} f
            JOIN ({named} FROM {self._of("table")}) t USING (table_id)
            JOIN {self._of("schema")} s USING (schema_id)
            ORDER BY 2
        """
        return [KnownFile(*row) for row in self.connection.execute(query).fetchall()]

    def has_table(self, product: ProductName, snapshot: int) -> bool:
        """True if the product had a table at a snapshot."""
        query = f"""
            SELECT count(*)
            FROM {self._of("table")} t JOIN {self._of("schema")} s ON s.schema_id = t.schema_id
            WHERE s.schema_name = {literal(product.domain)} AND t.table_name = {literal(product.product)}
              AND t.begin_snapshot <= {int(snapshot)}
              AND (t.end_snapshot IS NULL OR t.end_snapshot > {int(snapshot)})
        """
        return bool(self._number(query))

    def columns(self, product: ProductName) -> tuple[tuple[str, str], ...] | None:
        """The table's columns now, None if there is no table."""
        if self._table_id(product) is None:
            return None
        described = self.connection.execute(f"DESCRIBE {self.table(product)}").fetchall()
        return tuple((str(row[0]), str(row[1])) for row in described)

    def partition_column(self, product: ProductName) -> str | None:
        """The column that the table is partitioned by now."""
        table = self._table_id(product)
        if table is None:
            return None
        query = f"""
            SELECT c.column_name
            FROM {self._of("partition_info")} i
            JOIN {self._of("partition_column")} p ON p.partition_id = i.partition_id
            JOIN {self._of("column")} c ON c.table_id = i.table_id AND c.column_id = p.column_id
            WHERE i.table_id = {table} AND i.end_snapshot IS NULL AND c.end_snapshot IS NULL
        """
        row = self.connection.execute(query).fetchone()
        return None if row is None else str(row[0])

    def partitions(self, product: ProductName) -> set[str]:
        """Keys of the partitions that have files now."""
        table = self._table_id(product)
        if table is None:
            return set()
        query = f"""
            SELECT DISTINCT v.partition_value
            FROM {self._of("file_partition_value")} v
            JOIN {self._of("data_file")} f ON f.data_file_id = v.data_file_id
            WHERE v.table_id = {table} AND f.table_id = {table} AND f.end_snapshot IS NULL
        """
        return {str(key) for (key,) in self.connection.execute(query).fetchall()}

    def rows(self, product: ProductName) -> int:
        """How many rows the product has now."""
        table = self._table_id(product)
        if table is None:
            return 0
        files = f"{self._of('data_file')} WHERE table_id = {table} AND end_snapshot IS NULL"
        return self._number(f"SELECT sum(record_count) FROM {files}") or 0

    def _table_id(self, product: ProductName) -> int | None:
        query = f"""
            SELECT max(t.table_id)
            FROM {self._of("table")} t JOIN {self._of("schema")} s ON s.schema_id = t.schema_id
            WHERE s.schema_name = {literal(product.domain)} AND t.table_name = {literal(product.product)}
              AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL
        """
        return self._number(query)

    def _number(self, query: str) -> int | None:
        row = self.connection.execute(query).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def _of(self, table: str) -> str:
        words = (f"__ducklake_metadata_{self.alias}", self._schema, f"ducklake_{table}")
        return ".".join(quoted(word) for word in words)
