"""Rules that nobody promised yet, tried on the version that readers see: nothing is recorded or published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.lineage.model import DomainAssets
from mesh_assets.capabilities.publishing.reaudit import audit_published, workshop_for_audits
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Rule, RuleResult
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.open import Registry


@dataclass(frozen=True)
class Trial:
    """What rules would have said; `version` is None where nothing was published that they could judge."""

    version: Version | None
    results: tuple[RuleResult, ...]


def try_contract(
    settings: Settings, registry: Registry, domain: DomainAssets, name: ProductName, contract: Contract
) -> Trial:
    """The rules of a contract that differ from those that stand, held against the version that readers see.

    A rule that names a product which is no input yet reads it as readers see it now.
    """
    workshop = workshop_for_audits(settings, registry, domain, name)
    asset = workshop.asset(name)
    changed = changed_rules(asset.contract, contract)
    head = registry.head(name)
    if head is None or not changed:
        return Trial(head, ())
    tried = replace(asset, contract=contract, expected=())
    found = audit_published(workshop, tried, head, only={rule.id for rule in changed}).results
    return Trial(head, found)


def changed_rules(old: Contract | None, new: Contract) -> tuple[Rule, ...]:
    """Rules of the new contract that the old one does not have so."""
    known = {rule.id: _meaning(rule) for rule in (old.rules if old else ())}
    return tuple(rule for rule in new.rules if known.get(rule.id) != _meaning(rule))


def _meaning(rule: Rule) -> Rule:
    return replace(rule, place=None)
