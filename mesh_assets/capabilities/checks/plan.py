"""What would become of a contract's rules, told without any data: the pass that answers each, or why none.

Here: compiling rules against the types that the contract declares.
Not here: reading the contract (contracts/alone), running anything (audit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesh_assets.capabilities.checks.compile import compile_rule
from mesh_assets.capabilities.checks.stored import CannotRun, stored_column
from mesh_assets.capabilities.contracts.model import Column
from mesh_assets.words.rules import Rule


@dataclass(frozen=True)
class Planned:
    """A rule and the pass over the data that answers it; or, if none can, why not."""

    rule: Rule
    by: str = ""
    reason: str = ""


def plan(rules: Sequence[Rule], columns: Sequence[Column]) -> tuple[Planned, ...]:
    """Every rule as the audit would take it, if the data is stored as the contract says."""
    stored = {column.name: stored_column(column.name, column.physical_type) for column in columns}
    planned: list[Planned] = []
    for rule in rules:
        try:
            planned.append(Planned(rule, by=str(compile_rule(rule, stored).by)))
        except CannotRun as reason:
            planned.append(Planned(rule, reason=str(reason)))
    return tuple(planned)
