"""A contract and a domain's description as facts, beside the raw document that they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place, Rule


@dataclass(frozen=True)
class Column:
    """A property of the product's table."""

    name: str
    #: ODCS logicalType: string, date, timestamp, time, number, integer, object, array, boolean, map.
    logical_type: str
    #: The DuckDB type that the stored column has, exactly.
    physical_type: str
    description: str = ""
    required: bool = False
    unique: bool = False
    #: 1-based position in the primary key, None if not part of it.
    key_position: int | None = None
    classification: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Partitioning:
    """How a product is cut: by the ISO week that starts on the Monday in `column` (a DATE)."""

    column: str
    #: `week`: keys are Mondays as YYYY-MM-DD.
    every: str
    first: date
    #: First Monday that is no longer a partition; None: up to now.
    until: date | None


@dataclass(frozen=True)
class Person:
    """Who owns or supports something: a team name or an address."""

    name: str
    role: str = "owner"


@dataclass(frozen=True)
class Contract:
    """A product's promise. `raw` is the whole document, with whatever the model does not name."""

    product: ProductName
    version: str
    api_version: str
    status: str
    #: title, purpose, limitations, usage; plain text, may be empty.
    title: str
    purpose: str
    limitations: str
    usage: str
    #: Description of the table itself.
    description: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    owners: tuple[Person, ...]
    tags: tuple[str, ...]
    partitioning: Partitioning | None
    #: `eager` or `manual`: how orchestration starts a build when inputs change.
    automation: str
    sla: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]
    text: str
    place: Place
    #: sha256 of the text.
    digest: str
    custom: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """Primary key columns in key order."""
        placed = sorted((column.key_position, column.name) for column in self.columns if column.key_position)
        return tuple(name for _, name in placed)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Source:
    """A file drop that a domain receives. `{week}` in the path stands for a partition key."""

    name: str
    #: Relative to MESH_SOURCES; `crm/accounts.csv`, `claims/fills/{week}.parquet`.
    path: str
    #: parquet, csv, tsv, json, ndjson, excel.
    format: str
    #: As Python names it: utf-8, windows-1252. Only for text formats.
    encoding: str = "utf-8"
    description: str = ""
    #: A partition of week w also reads the drops of the next `late` weeks (late arrivals, reversals).
    late: int = 0
    #: Columns that must be there (text formats and Parquet); () where the source declares none.
    columns: tuple[str, ...] = ()
    place: Place | None = None

    @property
    def weekly(self) -> bool:
        return "{week}" in self.path


@dataclass(frozen=True)
class Domain:
    """One team's folder: Bitol Open Data Product Standard (ODPS v1) in `domain.yaml`."""

    name: str
    title: str
    version: str
    status: str
    purpose: str
    limitations: str
    usage: str
    owners: tuple[Person, ...]
    tags: tuple[str, ...]
    sources: tuple[Source, ...]
    #: Products of other domains that domain.yaml declares as input ports.
    input_ports: tuple[ProductName, ...]
    #: Own products that domain.yaml declares as output ports.
    output_ports: tuple[ProductName, ...]
    support: tuple[Mapping[str, Any], ...]
    folder: Path
    raw: Mapping[str, Any]
    place: Place

    def source(self, name: str) -> Source | None:
        return next((source for source in self.sources if source.name == name), None)
