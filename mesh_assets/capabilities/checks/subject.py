"""What an audit looks at: the draft, and what the draft is compared with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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
    #: False where nobody asks what the content is, only whether some rules hold.
    fingerprinted: bool = True
    #: Versions before this draft, by how a rule calls them: "previous", "same weekday".
    baselines: Mapping[str, str] = field(default_factory=dict)
    #: When this audit runs: what a rule on freshness calls the build.
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))
    stored: Stored = field(default_factory=dict)
    #: Ids of rules that `elsewhere` is known to keep: its audit held the same rule to the same references.
    kept_elsewhere: frozenset[str] = frozenset()

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

    def everything(self, first: tuple[str, ...], *, masked: bool) -> str:
        """A select list of all columns: the key, these, then the others."""
        names = dict.fromkeys((*self.contract.key, *first, *self.stored))
        found = [self.stored[name] for name in names if name in self.stored]
        return ", ".join(self._shown(column) if masked else column.sql for column in found)

    def shown_struct(self, columns: tuple[str, ...]) -> str:
        """The same as one value: for aggregates that collect rows."""
        names = dict.fromkeys((*self.contract.key, *columns))
        found = [self.stored[name] for name in names if name in self.stored] or [*self.stored.values()]
        return "{" + ", ".join(f"{text(each.name)}: {self._seen(each)}" for each in found) + "}"

    def _shown(self, column: StoredColumn) -> str:
        seen = self._seen(column)
        return seen if seen == column.sql else f"{seen} AS {column.sql}"

    def _seen(self, column: StoredColumn) -> str:
        if column.name not in self.contract.personal:
            return column.sql
        return f"CASE WHEN {column.sql} IS NOT NULL THEN {text(MASK)} END"


def look_at(subject: Subject) -> Subject:
    """The subject with the columns that its draft really has; queries go into brackets."""
    bracketed = replace(
        subject,
        relation=relation(subject.relation),
        references={product: relation(sql) for product, sql in subject.references.items()},
        elsewhere=relation(subject.elsewhere) if subject.elsewhere else None,
        baselines={name: relation(sql) for name, sql in subject.baselines.items()},
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


def complete(names: tuple[str, ...], owner: str = "") -> str:
    """SQL that is true where none of these columns is null."""
    return " AND ".join(f"{name} IS NOT NULL" for name in quoted(names, owner))
