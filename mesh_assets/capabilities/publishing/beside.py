"""Rules about rows, over the partitions that a build does not make: where a promise is new or has changed.

Partitions that stay were held to the rules of their time. A certificate speaks of the whole product, so what
it says of a rule that they were never held to has to be found out; where nothing changed, nothing is read.
Not here: keys across partitions, foreign keys, measures and queries, which take the whole product in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.conditions import CONDITIONS
from mesh_assets.capabilities.checks.kinds import ROW_KINDS
from mesh_assets.capabilities.lake import draft_sql
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
    there = auditor.other_partitions(draft)
    if there is None or not verdict.results:
        return verdict
    known = held_by_the_head(auditor.bench.workshop, auditor.work)
    rules = [each.rule for each in verdict.results if each.rule.id not in known]
    found: dict[str, RuleResult] = {}
    for relation, asked in _questions(draft, there, rules):
        heard = auditor.ask(draft, relation, asked)
        found |= {each.rule.id: each for each in heard.results if each.rule.id in asked}
    told = (_together(each, found.get(each.rule.id)) for each in verdict.results)
    return replace(verdict, results=tuple(told))


def _questions(draft: Draft, there: str, rules: Sequence[Rule]) -> Iterator[tuple[str, Collection[str]]]:
    """What is asked of which rows; a column that they do not have yet is null in them, as in the lake."""
    there = f"select * from ({there}) union all by name (select * from ({draft_sql(draft)}) where false)"
    rows = {rule.id for rule in rules if _by_rows(rule, draft)}
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


def _together(here: RuleResult, there: RuleResult | None) -> RuleResult:
    """One result of both; what the draft's own rows say comes first."""
    if there is None or Outcome.ERROR in (here.outcome, there.outcome):
        return there if there is not None and there.outcome is Outcome.ERROR else here
    if here.failed_rows is None or there.failed_rows is None:  # a pandera check of the whole table
        return here
    more, rows = there.failed_rows, here.checked_rows + there.checked_rows
    if not more:
        return here
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
