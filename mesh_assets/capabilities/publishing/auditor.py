"""The audit of one build: contract, connection, references and published partitions are settled once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.checks.guests import audit_with_guests
from mesh_assets.capabilities.checks.split import Parts, split
from mesh_assets.capabilities.lake import draft_sql, known
from mesh_assets.capabilities.lake.places import quoted
from mesh_assets.capabilities.publishing.baselines import baselines
from mesh_assets.capabilities.publishing.beside import with_the_rest
from mesh_assets.capabilities.publishing.certify import contract_of
from mesh_assets.capabilities.publishing.compared import references
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.partitions import keys_sql
from mesh_assets.capabilities.publishing.settled import kept_elsewhere
from mesh_assets.capabilities.publishing.workshop import Bench, Work
from mesh_assets.words.rules import Rule, Verdict
from mesh_assets.words.versions import Draft


@dataclass(frozen=True)
class Auditor:
    """Holds drafts of one build to their rules, as often as they change on the way."""

    bench: Bench
    work: Work

    def audit(self, draft: Draft, only: Collection[str] | None = None) -> Verdict:
        """All rules, or those of the ids in `only`; the draft is fingerprinted in any case."""
        verdict = self._held_to(draft, draft_sql(draft), only, **self.compared_with(draft))
        return with_the_rest(self, draft, verdict)

    def ask(self, draft: Draft, relation: str, only: Collection[str]) -> Verdict:
        """What these rules say of other rows of the product, by themselves."""
        return self._held_to(draft, relation, only, **{**self.compared_with(draft), "whole_sql": None})

    def _held_to(self, draft: Draft, relation: str, only: Collection[str] | None, **compared: Any) -> Verdict:
        contract = contract_of(self.work.asset, draft)
        extra, guests = self.work.asset.expectations, self.work.asset.expected
        if only is not None:
            contract = replace(contract, rules=tuple(rule for rule in contract.rules if rule.id in only))
            extra = tuple(rule for rule in extra if rule.id in only)
            guests = tuple(rule for rule in guests if rule.id in only)
        return audit_with_guests(
            self.bench.con,
            relation,
            contract,
            partition_column=draft.partition_column,
            guests=guests,
            extra_rules=extra,
            baselines=self.baselines,
            kept_elsewhere=kept_elsewhere(self.work),
            **compared,
        )

    def split(self, draft: Draft, rules: Sequence[Rule]) -> Parts | None:
        """The draft's rows that break any of these rules, apart from the others."""
        contract = contract_of(self.work.asset, draft)
        return split(self.bench.con, draft_sql(draft), contract, rules, **self.compared_with(draft))

    def compared_with(self, draft: Draft) -> dict[str, Any]:
        return {
            "references": self.references,
            "whole_sql": self.other_partitions(draft),
            "expectations": self.expectations,
        }

    @cached_property
    def references(self) -> Any:
        return references(self.bench.workshop, self.work.asset, self.work.inputs)

    @cached_property
    def baselines(self) -> dict[str, str]:
        return baselines(self.bench.workshop, self.work.asset)

    @property
    def expectations(self) -> Path:
        name = self.work.asset.name
        return self.bench.workshop.settings.domains / name.domain / name.product / "expectations.py"

    def other_partitions(self, draft: Draft) -> str | None:
        """What is published of the product beside the partitions of the draft; None if there is nothing."""
        head = self.work.head
        if draft.partition_column is None or head is None:
            return None
        if set(head.certificate.partitions) <= set(draft.partitions):
            return None
        weeks = keys_sql(self.work.asset.partitioning, draft.partitions)
        settings = self.bench.workshop.settings
        there = known(settings.of(head.stored), head.product, head.snapshot).columns
        kept = f"where {quoted(draft.partition_column)} not in ({weeks})"
        # A column that they do not have yet is null in them, as it will be in the lake.
        new = [(name, kind) for name, kind in draft.columns if name not in dict(there)]
        nulls = "".join(f", cast(null as {kind}) as {quoted(name)}" for name, kind in new)
        return f"select *{nulls} from ({rows_of_version(settings, head)}) {kept}"
