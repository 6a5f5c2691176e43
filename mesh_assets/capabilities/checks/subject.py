"""What an audit looks at: the draft, and what the draft is compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.stored import Stored, StoredColumn, identifier, stored_column, text
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.words.names import ProductName

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = re.compile(r"^\s*(select|with|from|values)\b", re.IGNORECASE)

#: What a person reads in place of a value of a column that is classified as personal.
MASK = "***"


@dataclass(frozen=True)
class Subject:
    """A draft with its contract. Relations are SQL that can stand behind FROM, or a query."""

    con: DuckDBPyConnection
    relation: str
    contract: Contract
    #: The products that foreign keys point to, at their pinned versions.
    references: Mapping[ProductName, str] = field(default_factory=dict)
    partition_column: str | None = None
    #: The partitions that are published already and that this draft does not replace.
    elsewhere: str | None = None
    stored: Stored = field(default_factory=dict)

    @property
    def product_sql(self) -> str:
        """The whole product as it would be once this draft is published."""
        if self.elsewhere is None:
            return self.relation
        names = ", ".join(column.sql for column in self.stored.values())
        return f"(SELECT {names} FROM {self.relation} UNION ALL SELECT {names} FROM {self.elsewhere})"

    def shown(self, columns: tuple[str, ...]) -> str:
        """A select list of key columns and these columns, personal ones masked."""
        names = dict.fromkeys((*self.contract.key, *columns))
        return ", ".join(self._shown(self.stored[name]) for name in names if name in self.stored)

    def _shown(self, column: StoredColumn) -> str:
        promised = self.contract.column(column.name)
        if promised is None or promised.classification != "personal":
            return column.sql
        return f"CASE WHEN {column.sql} IS NOT NULL THEN {text(MASK)} END AS {column.sql}"


def look_at(subject: Subject) -> Subject:
    """The subject with the columns that its draft really has; queries go into brackets."""
    bracketed = replace(
        subject,
        relation=relation(subject.relation),
        references={product: relation(sql) for product, sql in subject.references.items()},
        elsewhere=relation(subject.elsewhere) if subject.elsewhere else None,
    )
    return replace(bracketed, stored=columns_of(subject.con, bracketed.relation))


def relation(sql: str) -> str:
    """SQL that can stand behind FROM, from that or from a query."""
    return f"({sql}\n)" if _QUERY.match(sql) else sql


def columns_of(con: DuckDBPyConnection, relation: str) -> dict[str, StoredColumn]:
    described = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {name: stored_column(name, kind) for name, kind, *_ in described}


def quoted(names: tuple[str, ...], owner: str = "") -> list[str]:
    return [f"{owner}.{identifier(name)}" if owner else identifier(name) for name in names]
