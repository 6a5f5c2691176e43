"""What the published partitions beside a draft are known to keep: an audit need not look at them again.

A version's certificate says which rules its audit found kept, over the whole product, and against which
versions of other products. Where rule and versions are the same now, partitions that stay are as they were.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.code import digest_of
from mesh_assets.capabilities.publishing.workshop import Work, Workshop
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


def promises(workshop: Workshop, asset: Asset) -> dict[str, str]:
    """Rule -> digest of what it says, the Python beside it included where Python judges the rows."""
    rules = (*(asset.contract.rules if asset.contract else ()), *asset.expectations, *asset.expected)
    own = workshop.settings.domains / asset.name.domain / asset.name.product / "expectations.py"
    return {rule.id: _said(rule, own) for rule in rules}


def held_by_the_head(workshop: Workshop, work: Work) -> frozenset[str]:
    """Ids of rules that all rows which readers see were held to as they stand now, and kept."""
    if work.head is None:
        return frozenset()
    certificate = work.head.certificate
    kept = {
        result["id"]
        for result in certificate.rule_results
        if result["outcome"] == Outcome.PASSED or result.get("quarantined_rows")
    }
    now = promises(workshop, work.asset)
    return frozenset(name for name in kept if name in now and certificate.promises.get(name) == now[name])


def _said(rule: Rule, own: Path) -> str:
    facts = [rule.kind, rule.columns, rule.path, dict(rule.arguments), str(rule.severity)]
    if rule.kind in ("pandera", "pandera_check"):
        files = {own, *([Path(rule.place.file).parent / "expectations.py"] if rule.place else [])}
        facts += [digest_of([path]) for path in sorted(files) if path.is_file()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _against_the_same(work: Work, rule: Rule) -> bool:
    """True if every product that the rule names has the version that the head was audited with."""
    assert work.head is not None
    # By number as well: in a kitchen two lakes have snapshots of a product.
    before = {each.product: (each.number, each.snapshot) for each in work.head.certificate.inputs}
    named = [name for name in products_of(rule) if name != work.asset.name]
    now = {name: (version.number, version.snapshot) for name, version in work.inputs.items()}
    return all(name in now and before.get(name) == now[name] for name in named)
