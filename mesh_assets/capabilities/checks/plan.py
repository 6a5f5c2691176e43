"""What would become of a contract's rules, told without any data: the pass that answers each, or why none.

Here: compiling rules against the types that the contract declares.
Not here: reading the contract (contracts/alone), running anything (audit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh_assets.capabilities.checks.compile import compile_rule
from mesh_assets.capabilities.checks.stored import CannotRun, Stored, stored_column
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.capabilities.contracts.nested import ANYTHING
from mesh_assets.words.rules import Rule

#: How a column of which the contract says no type may turn out to be stored.
_ANYTHING = ("VARCHAR", "BIGINT", "TIMESTAMP")


@dataclass(frozen=True)
class Planned:
    """A rule and the pass over the data that answers it; or, if none can, why not."""

    rule: Rule
    by: str = ""
    reason: str = ""


def plan(rules: Sequence[Rule], columns: Sequence[Column]) -> tuple[Planned, ...]:
    """Every rule as the audit would take it, if the data is stored as the contract says."""
    stored = [_stored(columns, anything) for anything in _ANYTHING]
    return tuple(_planned(rule, stored) for rule in rules)


def _stored(columns: Sequence[Column], anything: str) -> Stored:
    kinds = {each.name: anything if each.logical_type == ANYTHING else each.physical_type for each in columns}
    return {name: stored_column(name, kind) for name, kind in kinds.items()}


def _planned(rule: Rule, possible: Sequence[Stored]) -> Planned:
    """By the first way in which the columns may be stored that the rule can run on."""
    reasons = []
    for stored in possible:
        try:
            return Planned(rule, by=str(compile_rule(rule, stored).by))
        except CannotRun as reason:
            reasons.append(str(reason))
    return Planned(rule, reason=reasons[0])
