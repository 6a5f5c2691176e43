"""How a product's rules stand, and how they fared from audit to audit, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.words.rules import Outcome, Rule, Severity
from mesh_assets.words.versions import BuildRecord

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.audits import Audit, Standing

NOT_RUN = "not run"


def word(severity: Severity, outcome: Outcome) -> str:
    """`passed`, `warned`, `failed`, or `error` for a rule that could not run."""
    if outcome is Outcome.FAILED and severity is Severity.WARNING:
        return "warned"
    return str(outcome)


def rule_rows(asset: Asset, standings: Iterable[Standing]) -> list[dict[str, Any]]:
    """One row per rule of the product as its files stand now, with what the rule said last."""
    known = {standing.result.rule.id: standing for standing in standings}
    return [{**_promise(rule), **_last_word(known.get(rule.id))} for rule in asset.rules]


def all_blocking_passed(rows: Sequence[dict[str, Any]]) -> bool:
    """False as well if a blocking rule has never run: what nobody has looked at has not passed."""
    return all(row["outcome"] == "passed" for row in rows if row["severity"] == str(Severity.ERROR))


def audit_rows(audits: Iterable[Audit]) -> list[dict[str, Any]]:
    """One row per build or recheck, oldest first, with the outcome of every rule that it ran."""
    return [
        {
            **_audit(audit.build),
            "rules": {
                said.rule: {
                    "outcome": word(said.severity, said.outcome),
                    "failed_rows": said.failed_rows,
                    "checked_rows": said.checked_rows,
                    "value": said.value,
                }
                for said in audit.said.values()
            },
        }
        for audit in reversed(list(audits))
    ]


def expectations_of(domain: DomainAssets, asset: Asset) -> list[dict[str, Any]]:
    """Who expects what of a product: a row per rule of a consumer's, and one per file that is left out."""
    rows = [
        {
            "consumer": rule.expected_by,
            "rule": rule.id,
            "severity": str(rule.severity),
            "description": rule.description,
            "place": str(rule.place),
        }
        for rule in asset.expected
    ]
    left_out = [each for each in domain.left_out if each.product == asset.name]
    return [*rows, *({"consumer": each.consumer, "left_out": str(each.problem)} for each in left_out)]


def _promise(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "kind": rule.kind,
        "columns": list(rule.columns),
        "severity": str(rule.severity),
        "dimension": rule.dimension,
        "expected_by": rule.expected_by,
        "description": rule.description,
    }


def _last_word(standing: Standing | None) -> dict[str, Any]:
    if standing is None:
        return {"outcome": NOT_RUN, "failing_since": None, "audit": None}
    result = standing.result
    return {
        "outcome": word(result.rule.severity, result.outcome),
        "value": result.value,
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "summary": result.summary,
        "failing_since": standing.failing_since,
        "failing_audits": standing.failing_audits,
        "audit": _audit(standing.audit),
    }


def _audit(build: BuildRecord) -> dict[str, Any]:
    return {
        "started": build.started,
        "run": build.run_id,
        "outcome": "checked" if build.recheck else str(build.outcome),
        "version": build.version,
    }
