"""What the published partitions beside a draft are known to keep: an audit need not look at them again.

A version's certificate says which rules its audit found kept, over the whole product, and against which
versions of other products. Where rule and versions are the same now, partitions that stay are as they were.
"""

from __future__ import annotations

from mesh_assets.capabilities.publishing.workshop import Work
from mesh_assets.words.rules import Outcome, Rule, products_of

#: Rules about the whole product whose passing says something of every part of it; a threshold does not.
_ABOUT_EVERY_ROW = frozenset({"unique", "primary_key", "foreign_key"})


def kept_elsewhere(work: Work) -> frozenset[str]:
    """Ids of keys and foreign keys that hold on every published row, against the inputs of this build."""
    contract, head = work.asset.contract, work.head
    if contract is None or head is None or contract.text != head.certificate.contract_text:
        return frozenset()
    passed = {result["id"] for result in head.certificate.rule_results if result["outcome"] == Outcome.PASSED}
    return frozenset(
        rule.id
        for rule in contract.rules
        if rule.kind in _ABOUT_EVERY_ROW and rule.id in passed and _against_the_same(work, rule)
    )


def _against_the_same(work: Work, rule: Rule) -> bool:
    """True if every product that the rule names has the version that the head was audited with."""
    assert work.head is not None
    before = {each.product: each.snapshot for each in work.head.certificate.inputs}
    named = [name for name in products_of(rule) if name != work.asset.name]
    return all(name in work.inputs and before.get(name) == work.inputs[name].snapshot for name in named)
