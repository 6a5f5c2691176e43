"""Small SQL on a catalog's own tables, through DuckDB: the only place that knows DuckLake's metadata layout.

DuckDB's functions over all tables are slow with many of them (2 s with 1,000); these queries touch one.
Values are written into the SQL, not bound: binding one imports pandas, half a CPU second in every process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake.connection import attach
from mesh_assets.capabilities.lake.places import LakePlace, lake_of, literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mesh_assets.words.names import ProductName
    from mesh_assets.words.settings import Settings


#: DuckLake's names of types that hold nothing else, and DuckDB's.
PLAIN = {
    "boolean": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "varchar": "VARCHAR",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "uuid": "UUID",
}


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


@dataclass(frozen=True)
class Table:
    """A product's table as the catalog has it now."""

    #: What it is partitioned by.
    partition_column: str | None
    rows: int


def open_ledger(
    connection: DuckDBPyConnection, settings: Settings, domain: str, *, read_only: bool = True
) -> Ledger:
    """A domain's lake, attached to this connection, and its catalog's tables."""
    alias = attach(connection, settings, domain, read_only=read_only)
    return Ledger(connection, alias, lake_of(settings, domain))


class Ledger:
    """What a lake's catalog knows, in the connection's transaction if it is in one."""

    def __init__(self, connection: DuckDBPyConnection, alias: str, place: LakePlace) -> None:
        self.connection = connection
        self.alias = alias
        self._place = place

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
        return self.files_of([product], snapshot)[product]

    def files_of(self, products: Sequence[ProductName], snapshot: int) -> dict[ProductName, tuple[str, ...]]:
        """The same of several, in one statement: DuckLake's function takes one table at a time. It has the
        word on a snapshot that is gone, and on a table that is not there.
        """
        if not products:
            return {}
        query = f"""
            SELECT s.schema_name, t.table_name,
                CASE WHEN f.path_is_relative THEN
                    CASE WHEN t.path_is_relative THEN
                        CASE WHEN s.path_is_relative THEN {literal(self._place.data + "/")} ELSE '' END
                        || s.path ELSE '' END
                    || t.path ELSE '' END
                || f.path
            FROM {self._tables_at(products, snapshot)}
            LEFT JOIN (FROM {self._of("data_file")} f WHERE {_seen("f", snapshot)}) f USING (table_id)
            ORDER BY ALL
        """
        found: dict[tuple[str, str], list[str]] = {}
        for domain, name, path in self.connection.execute(query).fetchall():
            there = found.setdefault((str(domain), str(name)), [])
            there += [] if path is None else [str(path)]
        return {
            each: tuple(found[each.domain, each.product])
            if (each.domain, each.product) in found
            else self._listed(each, snapshot)
            for each in products
        }

    def columns_at(self, product: ProductName, snapshot: int) -> tuple[tuple[str, str], ...] | None:
        """(name, DuckDB type) at a snapshot; None where DuckLake is to be asked, which loads all tables of
        that snapshot: of nested and rare types, and of what is not there.
        """
        query = f"""
            SELECT c.column_name, c.column_type, c.parent_column
            FROM {self._tables_at([product], snapshot)}
            JOIN {self._of("column")} c ON c.table_id = t.table_id
            WHERE {_seen("c", snapshot)} ORDER BY c.column_order
        """
        rows = self.connection.execute(query).fetchall()
        columns = [(str(name), _plain_type(str(kind))) for name, kind, inside in rows if inside is None]
        plain = tuple((name, kind) for name, kind in columns if kind is not None)
        return plain if plain and len(plain) == len(rows) else None

    def _tables_at(self, products: Sequence[ProductName], snapshot: int) -> str:
        """What stands behind FROM: schemas `s` and tables `t` of the products at a snapshot that is there."""
        return f"""
            (FROM {self._of("snapshot")} WHERE snapshot_id = {int(snapshot)}) n
            JOIN {self._of("schema")} s ON {_seen("s", snapshot)}
            JOIN {self._of("table")} t ON t.schema_id = s.schema_id AND {_seen("t", snapshot)}
                AND {_either_of(products)}
        """

    def _listed(self, product: ProductName, snapshot: int) -> tuple[str, ...]:
        lake, table, schema = (literal(word) for word in (self.alias, product.product, product.domain))
        listed = f"{lake}, {table}, schema => {schema}, snapshot_version => {int(snapshot)}"
        query = f"SELECT data_file FROM ducklake_list_files({listed}) ORDER BY 1"
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

    def tables(self, products: Sequence[ProductName]) -> dict[ProductName, Table]:
        """Those of the products that have a table now, in one statement."""
        if not products:
            return {}
        query = f"""
            WITH t AS (
                SELECT s.schema_name, t.table_name, max(t.table_id) AS table_id
                FROM {self._of("table")} t JOIN {self._of("schema")} s ON s.schema_id = t.schema_id
                WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND {_either_of(products)}
                GROUP BY ALL
            ), p AS (
                SELECT i.table_id, any_value(c.column_name) AS column_name
                FROM {self._of("partition_info")} i
                JOIN {self._of("partition_column")} p ON p.partition_id = i.partition_id
                JOIN {self._of("column")} c ON c.table_id = i.table_id AND c.column_id = p.column_id
                WHERE i.end_snapshot IS NULL AND c.end_snapshot IS NULL
                GROUP BY ALL
            ), f AS (
                SELECT table_id, sum(record_count) AS held
                FROM {self._of("data_file")} WHERE end_snapshot IS NULL GROUP BY ALL
            )
            SELECT t.schema_name, t.table_name, p.column_name, coalesce(f.held, 0)
            FROM t LEFT JOIN p USING (table_id) LEFT JOIN f USING (table_id)
        """
        named = {(each.domain, each.product): each for each in products}
        return {
            named[str(domain), str(name)]: Table(column, int(held))
            for domain, name, column, held in self.connection.execute(query).fetchall()
        }

    def columns(self, product: ProductName) -> tuple[tuple[str, str], ...]:
        """The columns of the product's table, which is there."""
        described = self.connection.execute(f"DESCRIBE {self.table(product)}").fetchall()
        return tuple((str(row[0]), str(row[1])) for row in described)

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
        words = (f"__ducklake_metadata_{self.alias}", self._place.catalog_schema, f"ducklake_{table}")
        return ".".join(quoted(word) for word in words)


def _either_of(products: Sequence[ProductName]) -> str:
    """A condition on schemas `s` and tables `t`."""
    named = ", ".join(f"({literal(each.domain)}, {literal(each.product)})" for each in products)
    return f"(s.schema_name, t.table_name) IN ({named})"


def _seen(alias: str, snapshot: int) -> str:
    """A condition on rows of the catalog that live from one snapshot to another."""
    begin, end, at = f"{alias}.begin_snapshot", f"{alias}.end_snapshot", int(snapshot)
    return f"{begin} <= {at} AND ({end} IS NULL OR {end} > {at})"


def _plain_type(kind: str) -> str | None:
    """DuckDB's name of a type that DuckLake's catalog calls so."""
    return kind.upper() if kind.startswith("decimal(") else PLAIN.get(kind)
