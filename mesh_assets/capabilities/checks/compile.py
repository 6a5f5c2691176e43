"""Each rule becomes a check: which pass over the data answers it, and what that pass counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mesh_assets.capabilities.checks.conditions import CONDITIONS, EVERY_ROW, condition_of
from mesh_assets.capabilities.checks.format import threshold
from mesh_assets.capabilities.checks.kinds import MEASURES, ROW_KINDS
from mesh_assets.capabilities.checks.pandera_conditions import pandera_condition
from mesh_assets.capabilities.checks.stored import CannotRun, Stored, column, reason_of
from mesh_assets.words.rules import Rule


class Pass(StrEnum):
    """Which pass over the data answers a rule."""

    SCAN = "scan"
    COLUMNS = "columns"
    DUPLICATES = "duplicates"
    #: Duplicates among values inside of objects, arrays and maps.
    INSIDE = "inside"
    REFERENCE = "reference"
    SQL = "sql"
    PANDERA = "pandera"
    MEASURE = "measure"


@dataclass(frozen=True)
class Check:
    """A rule that can run: its pass, and the condition that the shared scan counts for it."""

    rule: Rule
    by: Pass
    #: True (not null) on exactly the rows to count; None if the scan has nothing to count for this rule.
    counted: str | None = None
    #: True if the count is held against an operator and a bound, not against zero.
    metric: bool = False
    #: Aggregates over the whole product (published partitions as well) that the rule is answered from.
    measures: tuple[str, ...] = ()

    @property
    def measured_on_product(self) -> bool:
        """True if partitions that the draft does not replace take part in the count."""
        return self.by is Pass.SCAN and (self.metric or self.counted == EVERY_ROW)


def compile_rules(rules: Sequence[Rule], stored: Stored) -> tuple[tuple[Check, ...], dict[str, str]]:
    """The checks of all rules that can run on these columns, and by rule id why the others cannot."""
    checks: list[Check] = []
    broken: dict[str, str] = {}
    for rule in rules:
        try:
            checks.append(compile_rule(rule, stored))
        except Exception as error:  # whatever a rule's own words raise says nothing about others
            broken[rule.id] = reason_of(error)
    return tuple(checks), broken


def compile_rule(rule: Rule, stored: Stored) -> Check:
    """One rule as a check; CannotRun with the reason if it makes no sense on these columns."""
    for name in rule.columns:
        column(stored, name)
    if rule.kind in METRICS or "operator" in rule.arguments:
        threshold(rule)
    if rule.kind in OTHER_PASSES:
        return _other_pass(rule, stored)
    if rule.kind == "pandera_check":
        condition = pandera_condition(rule, stored)
        return Check(rule, Pass.SCAN if condition else Pass.PANDERA, condition)
    if rule.kind in MEASURES:
        return Check(rule, Pass.MEASURE, measures=MEASURES[rule.kind](rule, stored))
    if rule.kind in ROW_KINDS:
        return Check(rule, Pass.SCAN, ROW_KINDS[rule.kind](rule, stored), metric="operator" in rule.arguments)
    if rule.kind not in CONDITIONS:
        raise CannotRun(f"this mesh runs no rule of kind {rule.kind!r}")
    counted = condition_of(rule, stored)
    return Check(rule, Pass.SCAN, counted, metric=rule.kind in METRICS)


def _other_pass(rule: Rule, stored: Stored) -> Check:
    by = OTHER_PASSES[rule.kind]
    if by is Pass.DUPLICATES and not rule.columns:
        raise CannotRun("it names no column")
    if rule.path:
        return Check(rule, Pass.INSIDE, metric=rule.kind in METRICS)
    nulls = " OR ".join(f"{stored[name].sql} IS NULL" for name in rule.columns)
    return Check(rule, by, nulls if rule.kind == "primary_key" else None, metric=rule.kind in METRICS)


OTHER_PASSES: Mapping[str, Pass] = {
    "physical_types": Pass.COLUMNS,
    "unique": Pass.DUPLICATES,
    "primary_key": Pass.DUPLICATES,
    "duplicate_values": Pass.DUPLICATES,
    "foreign_key": Pass.REFERENCE,
    "sql": Pass.SQL,
    "pandera": Pass.PANDERA,
}

#: Rules whose count or measure is held against an operator.
METRICS = frozenset(
    {"null_values", "missing_values", "invalid_values", "duplicate_values", "row_count", "sql"}
)
