"""Drafts, versions, certificates, releases: what publication makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mesh_assets.words.errors import VersionExpired
from mesh_assets.words.names import ProductName

#: The environment that everybody means when nobody says which.
PROD = "prod"

#: The partition key of a product that has no partitions.
WHOLE = ""


@dataclass(frozen=True)
class StagedFile:
    """One Parquet file of a draft. `partition` is the key its rows belong to (WHOLE: the product has
    none).
    """

    path: str
    partition: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Draft:
    """A staged build that nobody can read yet."""

    product: ProductName
    run_id: str
    files: tuple[StagedFile, ...]
    #: (name, DuckDB type) in table order, as stored.
    columns: tuple[tuple[str, str], ...]
    #: Partition keys that this draft replaces (a key without a file becomes empty); (WHOLE,) if
    #: unpartitioned.
    partitions: tuple[str, ...]
    #: The column that carries the partition key, None if unpartitioned.
    partition_column: str | None = None

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


@dataclass(frozen=True)
class InputVersion:
    """An upstream product exactly as it was read."""

    product: ProductName
    number: int
    snapshot: int
    fingerprint: str


@dataclass(frozen=True)
class SourceVersion:
    """A file that an operational system delivered, exactly as it was read."""

    name: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Certificate:
    """The record of a version: what, where, when, with, how. Plain data: `as_json` round-trips.

    `number` is None until the release gives the version its number.
    """

    product: ProductName
    number: int | None
    # what
    rows: int
    fingerprint: str
    #: Fingerprint and rows of every partition that the version holds (key WHOLE if unpartitioned).
    partitions: Mapping[str, Mapping[str, Any]]
    contract_version: str
    contract_text: str
    #: [{id, outcome, severity, dimension, expected_by, failed_rows, checked_rows, value, summary}] in
    #: contract order; what consumers expect comes last.
    rule_results: tuple[Mapping[str, Any], ...]
    # where
    snapshot: int
    files: tuple[str, ...]
    # when
    started: datetime
    finished: datetime
    # with
    inputs: tuple[InputVersion, ...]
    sources: tuple[SourceVersion, ...]
    packages: Mapping[str, str]
    # how
    recipe: str
    recipe_hash: str
    git_commit: str | None
    git_dirty: bool
    run_id: str
    who: str
    #: One hash over code, contract, inputs and sources: equal key means equal result, nothing need run.
    input_keys: Mapping[str, str] = field(default_factory=dict)
    #: File name -> sha256 of what the recipe left beside the table (a report, a workbook); kept under the
    #: run's id.
    artifacts: Mapping[str, str] = field(default_factory=dict)
    #: Rows that were set aside instead of published: {table, rows, rules: {rule: rows}, partitions:
    #: {key: {rows, fingerprint, rules}}, files}. Empty for a product without quarantine. Their table is read
    #: at this version's snapshot.
    quarantine: Mapping[str, Any] = field(default_factory=dict)
    #: Rule -> digest of what it said when all rows of this version were held to it.
    promises: Mapping[str, str] = field(default_factory=dict)
    #: File of a source -> why this version was made without it.
    set_aside: Mapping[str, str] = field(default_factory=dict)
    #: If this version is an older one again: {from, to, who, why, run}. What it was made with and how is then
    #: what the older one's certificate says; who and when are the rollback's.
    rolled_back: Mapping[str, Any] = field(default_factory=dict)
    #: What a rollback holds: {run, from, to, who, since, keys}. A partition of `keys` is not made again while
    #: its key is what it was at the rollback.
    hold: Mapping[str, Any] = field(default_factory=dict)
    #: Column lineage as it was known: {how, columns: {own: [product.column]}, reads: {product: [column], or
    #: None for all}, unsafe}. Empty in older certificates.
    lineage: Mapping[str, Any] = field(default_factory=dict)
    #: If this version was made in a kitchen: {kitchen, promotion, version, run, who}. Who and when are then
    #: the promotion's, with and how are the kitchen's.
    promoted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """An immutable published state of a product."""

    product: ProductName
    number: int
    snapshot: int
    fingerprint: str
    rows: int
    contract_version: str
    run_id: str
    published: datetime
    certificate: Certificate
    #: When its rows were let go of; None while they can be read. The certificate stays.
    expired: datetime | None = None
    #: In a kitchen: the environment whose lake has its rows (`settings.of(version.stored)`), "" for this one.
    stored: str = ""

    def readable(self) -> Version:
        """The version itself; raises VersionExpired if its rows are gone."""
        if self.expired is not None:
            raise VersionExpired(product=self.product, number=self.number, expired=self.expired)
        return self


class BuildOutcome(StrEnum):
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class BuildRecord:
    """How one build of one product ended, for the table that `mesh build` prints and for `mesh why`."""

    product: ProductName
    run_id: str
    outcome: BuildOutcome
    started: datetime
    seconds: float
    version: int | None = None
    rows: int | None = None
    passed: int = 0
    warned: int = 0
    failed: int = 0
    message: str = ""
    #: Where the refused draft and its failing rows are kept, if they are.
    draft: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    #: True if nothing was built: rules ran again over the version that readers see.
    recheck: bool = False
