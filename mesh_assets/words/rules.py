"""Rules, and what an audit says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mesh_assets.words.names import ProductName, product_name


class Severity(StrEnum):
    """ODCS severity, as publication reads it: an error blocks, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    #: The rule could not run (missing column, broken pattern, SQL error). Blocks if the rule blocks.
    ERROR = "error"


@dataclass(frozen=True)
class Place:
    """Where something is written: a file and a line (1-based) that an editor can jump to."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Rule:
    """One promise that can be checked. `id` is unique in its product and is the Dagster check's name."""

    id: str
    kind: str
    columns: tuple[str, ...]
    description: str
    severity: Severity = Severity.ERROR
    #: ODCS quality dimension: accuracy, completeness, conformity, consistency, coverage, timeliness,
    #: uniqueness.
    dimension: str | None = None
    #: What the kind needs: bounds, pattern, valid values, operator and threshold, SQL text. Plain JSON
    #: values.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None
    #: Below the column: fields of an object by name, `[]` for the items of an array; () is the column itself.
    path: tuple[str, ...] = ()
    #: The consuming domain that expects this of somebody else's product; None for the product's own promises.
    expected_by: str | None = None

    @property
    def blocking(self) -> bool:
        return self.severity is Severity.ERROR


def products_of(rule: Rule) -> tuple[ProductName, ...]:
    """The products that a rule compares with: a foreign key's target, a kind's, those that a query reads."""
    named = (
        rule.arguments.get("to_product"),
        rule.arguments.get("product"),
        *rule.arguments.get("reads", ()),
    )
    return tuple(dict.fromkeys(product_name(str(name)) for name in named if name))


@dataclass(frozen=True)
class RuleResult:
    """What one rule found. `failed_rows` is exact; `sample` is bounded (key columns and offending values)."""

    rule: Rule
    outcome: Outcome
    #: Rows that break the rule; None where a rule has no row-level sense (row count, a metric).
    failed_rows: int | None
    #: Rows looked at.
    checked_rows: int
    #: The measured value of a metric rule (row count, percent, result of SQL), as text.
    value: str | None = None
    #: One phrase for a person: "failed on 41 of 1,204,118 rows".
    summary: str = ""
    sample: tuple[Mapping[str, Any], ...] = ()
    #: How many of the failed rows were set aside; if any, then all, and what is published keeps the rule.
    quarantined_rows: int = 0

    @property
    def stops_publication(self) -> bool:
        return self.rule.blocking and self.outcome is not Outcome.PASSED and not self.quarantined_rows


@dataclass(frozen=True)
class Verdict:
    """All rules of one draft or version, in contract order, with what the same scan learnt about the
    content.
    """

    results: tuple[RuleResult, ...]
    rows: int
    #: Content fingerprint per partition ("" is the whole of an unpartitioned product); see lake/fingerprint.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    #: Rows per partition, with the same keys.
    partition_rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def stops_publication(self) -> bool:
        return any(result.stops_publication for result in self.results)

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if result.stops_publication)

    @property
    def warned(self) -> tuple[RuleResult, ...]:
        return tuple(
            result
            for result in self.results
            if result.outcome is not Outcome.PASSED and not result.stops_publication
        )

    @property
    def passed(self) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if result.outcome is Outcome.PASSED)
