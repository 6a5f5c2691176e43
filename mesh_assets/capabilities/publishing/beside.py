"""Rules about rows, over the partitions that a build does not make: where a promise is new or has changed.

Partitions that stay were held to the rules of their time. A certificate speaks of the whole product, so what
it says of a rule that they were never held to has to be found out; where nothing changed, nothing is read.
Not here: keys across partitions, foreign keys, measures and queries, which take the whole product in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.conditions import CONDITIONS
from mesh_assets.capabilities.checks.kinds import ROW_KINDS
from mesh_assets.capabilities.publishing.settled import held_by_the_head
from mesh_assets.words.rules import Outcome, Rule, RuleResult, Verdict
from mesh_assets.words.versions import Draft

if TYPE_CHECKING:
    from mesh_assets.capabilities.publishing.auditor import Auditor

_OF_ROWS = frozenset(CONDITIONS) - {"row_count", "row_count_positive"}
_OF_ROWS |= frozenset(ROW_KINDS) | {"pandera", "pandera_check"}

#: Sample rows of a result, of draft and published partitions together.
SHOWN = 20


def with_the_rest(auditor: Auditor, draft: Draft, verdict: Verdict) -> Verdict:
    """The verdict, with what published partitions say of rules that they were not held to yet."""
    beside = what_stays(auditor, draft)
    if beside is None or not verdict.results:
        return verdict
    found: dict[str, RuleResult] = {}
    for relation, asked in _questions(draft, beside, [each.rule for each in verdict.results]):
        heard = auditor.ask(draft, relation, asked)
        found |= {each.rule.id: each for each in heard.results if each.rule.id in asked}
    told = (
        _together(each, found.get(each.rule.id), by_rows=_by_rows(each.rule, draft))
        for each in verdict.results
    )
    return replace(verdict, results=tuple(told))


@dataclass(frozen=True)
class Beside:
    """The published partitions that a build does not make, and the rules that they are known to keep."""

    #: Their rows as a query.
    relation: str
    known: Collection[str]

    def asked(self, rule: Rule, draft: Draft) -> bool:
        """True if the rule is asked of these rows by themselves."""
        return rule.id not in self.known and _by_rows(rule, draft)


def what_stays(auditor: Auditor, draft: Draft) -> Beside | None:
    """What is published beside the partitions of the draft; None if there is nothing."""
    there = auditor.other_partitions(draft)
    if there is None:
        return None
    return Beside(there, held_by_the_head(auditor.bench.workshop, auditor.work))


def _questions(draft: Draft, beside: Beside, rules: Sequence[Rule]) -> Iterator[tuple[str, Collection[str]]]:
    """What is asked of which rows."""
    there, rules = beside.relation, [rule for rule in rules if rule.id not in beside.known]
    rows = {rule.id for rule in rules if beside.asked(rule, draft)}
    if rows:
        yield there, rows
    for rule in rules:
        if rule.kind == "primary_key" and rule.id not in rows:  # its repeats are counted, its nulls are not
            nulls = " or ".join('"' + name.replace('"', '""') + '" is null' for name in rule.columns)
            yield f"select * from ({there}) where {nulls}", {rule.id}


def _by_rows(rule: Rule, draft: Draft) -> bool:
    if rule.kind in ("unique", "primary_key"):
        return draft.partition_column in rule.columns
    measured = "operator" in rule.arguments or rule.arguments.get("form") == "table"
    return rule.kind in _OF_ROWS and not measured


def _together(here: RuleResult, there: RuleResult | None, *, by_rows: bool) -> RuleResult:
    """One result of both; what the draft's own rows say comes first."""
    if there is None or Outcome.ERROR in (here.outcome, there.outcome):
        return there if there is not None and there.outcome is Outcome.ERROR else here
    if here.failed_rows is None or there.failed_rows is None:  # a pandera check of the whole table
        return here
    if not there.failed_rows:
        return here
    # A key that may repeat across partitions was looked for among all rows already.
    more, every = there.failed_rows, here.rule.kind == "primary_key" and not by_rows
    rows = here.checked_rows + (0 if every else there.checked_rows)
    count = here.failed_rows + more
    whose = f"{more:,} of them rows of partitions that this build does not make"
    return replace(
        here,
        outcome=there.outcome,
        failed_rows=count,
        checked_rows=rows,
        sample=(here.sample + there.sample)[:SHOWN],
        summary=f"failed on {count:,} of {rows:,} rows, {whose}",
    )
