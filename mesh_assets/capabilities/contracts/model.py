"""A contract and a domain's description as facts, beside the raw document that they were read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Place, Rule

if TYPE_CHECKING:
    from mesh_assets.capabilities.contracts.sla import ServiceLevel

#: Key in Contract.custom under which quality rules of `type: text` are kept.
DOCUMENTATION = "documentation_rules"


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
    #: What is inside: the fields of an object, `[]` (the items of an array), `{key}` and `{value}` of a map.
    inside: tuple[Column, ...] = ()
    #: Steps from the table's column down to this one, () for a column of the table itself; see Rule.path.
    path: tuple[str, ...] = ()
    #: The column of the table that this one is inside of, "" for a column of the table itself.
    part_of: str = ""
    #: What the contract calls it, where `name` is a physicalName that differs; "" where it does not.
    called: str = ""
    #: The n of a `physicalType: VARCHAR(n)`.
    longest: int | None = None
    #: True where the contract names no physicalType and none of the mesh's is promised: `physical_type` is
    #: the usual one, and whatever the logicalType may be stored as will do.
    any_fitting: bool = False

    @property
    def root(self) -> str:
        """The column of the table that this is, or is inside of."""
        return self.part_of or self.name

    @property
    def label(self) -> str:
        """As names of checks begin: `order_id`, `lines__items__sku`."""
        words = {"[]": "items", "{key}": "key", "{value}": "value"}
        steps = (self.root, *(words.get(step, step) for step in self.path))
        return "__".join(re.sub(r"\W+", "_", step) for step in steps)

    @property
    def shown(self) -> str:
        """As a person reads it: `order_id`, `lines[].sku`, `scores{value}`."""
        return self.root + "".join(step if step[0] in "[{" else f".{step}" for step in self.path)

    def rule(self, name: str, says: str, **facts: Any) -> Rule:
        """A rule about this column: called after it, and described by what it says of the column."""
        return Rule(
            id=f"{self.label}_{name}",
            columns=(self.root,),
            path=self.path,
            description=f"{self.shown} {says}",
            **facts,
        )


@dataclass(frozen=True)
class Partitioning:
    """How a product is cut: by weeks, by months, or by the files of a source."""

    column: str
    #: `week`: keys are Mondays, `month`: keys are firsts of a month, both YYYY-MM-DD and in a DATE column.
    #: `file`: keys are what stands for `{batch}` in the names of the source's files, in a VARCHAR column.
    every: str
    #: Of weeks and months: the first partition.
    first: date = date.min
    #: First day that is in no partition any more; None: up to now.
    until: date | None = None
    #: Of files: the source of the domain that they come from.
    source: str = ""
    #: Of files: where they are, with `{batch}` in the path; None until the domain is read as well.
    files: Path | None = None


@dataclass(frozen=True)
class Person:
    """Who owns or supports something: a team name or an address."""

    name: str
    role: str = "owner"


@dataclass(frozen=True)
class Quarantine:
    """Whose failing rows are set aside, so that the rest is published."""

    #: Percent of a draft's rows; a draft with more is refused.
    limit: Decimal
    #: Ids of the contract's own rules.
    rules: frozenset[str]
    #: True if the blocking rules of expectations.py are meant as well.
    expectations: bool


@dataclass(frozen=True)
class Retention:
    """A published version can be read while it is one of the last `versions`, and for `days` after the next
    one came.
    """

    versions: int = 10
    days: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Automation:
    """When a product is made without anybody asking."""

    #: `eager`, `all_new`, `cron` or `manual`.
    kind: str
    cron: str = ""
    timezone: str = "UTC"
    #: So long after a cron's moment a build may come; then the product is late.
    deadline: timedelta | None = None


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
    #: What starts a build (contracts/automation).
    automation: Automation
    sla: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]
    text: str
    place: Place
    #: sha256 of the text.
    digest: str
    custom: Mapping[str, Any] = field(default_factory=dict)
    #: None: a draft with a failing row is refused.
    quarantine: Quarantine | None = None
    #: What `slaProperties` promise, each read; `sla` has them as written.
    service_levels: tuple[ServiceLevel, ...] = ()
    #: How long versions stay readable.
    retention: Retention = field(default_factory=Retention)

    @property
    def key(self) -> tuple[str, ...]:
        """Primary key columns in key order."""
        placed = sorted((column.key_position, column.name) for column in self.columns if column.key_position)
        return tuple(name for _, name in placed)

    @cached_property
    def personal(self) -> frozenset[str]:
        """Columns that are classified as personal, or hold a field or an item that is."""
        named = {column.name for column in self.columns if _is_personal(column.classification)}
        tables = self.raw.get("schema", ())
        written = [each for table in tables for each in table.get("properties", ())]
        holding = {each.get("physicalName") or each["name"] for each in written if _holds(each)}
        return frozenset(named | holding)

    @property
    def said(self) -> tuple[str, ...]:
        """What quality rules of `type: text` say: shown, never counted as run."""
        written = self.custom.get(DOCUMENTATION, ())
        told = [(each["column"], each["description"] or each["name"]) for each in written]
        return tuple(f"{column}: {text}" if column else str(text) for column, text in told)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def _is_personal(classification: Any) -> bool:
    return str(classification).lower() == "personal"


def _holds(written: Any) -> bool:
    """True if a property or anything below it (fields, items, values of a map) is personal."""
    if isinstance(written, list):
        return any(_holds(each) for each in written)
    if not isinstance(written, dict):
        return False
    below = (written.get(key) for key in ("properties", "items", "map", "key", "value"))
    return _is_personal(written.get("classification")) or any(_holds(each) for each in below)


@dataclass(frozen=True)
class Delivery:
    """How a source comes: as files that somebody puts there, as new rows of a table, or as pushed events."""

    #: file, rows or events.
    kind: str = "file"
    #: How long a file stays as it is before it counts as whole; how long events are gathered.
    settle: timedelta = timedelta(seconds=2)
    #: rows: the environment variable that names the database.
    connection: str = ""
    #: rows: the table, and its column that only grows.
    table: str = ""
    watermark: str = ""
    #: events: the field by which one is known again. rows: a column that tells rows of one watermark apart.
    key: str = ""
    #: events: at most so many in a file.
    bundle: int = 10_000


@dataclass(frozen=True)
class Source:
    """What a domain receives, as files. `{week}` in the path stands for a partition key, `{batch}` for any
    name.
    """

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
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def weekly(self) -> bool:
        return "{week}" in self.path

    @property
    def batched(self) -> bool:
        """Any number of files, each read by every build."""
        return "{batch}" in self.path


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
