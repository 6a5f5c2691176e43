"""What stands in the registry's list of builds for a version that no run built.

Here: versions that a promotion or its undoing shows. Not here: the ledger of promotions (registry).
"""

from __future__ import annotations

from datetime import UTC, datetime

from mesh_assets.words.promotions import Promotion
from mesh_assets.words.versions import BuildOutcome, BuildRecord, Version


def record_of(version: Version, *, by: Promotion, message: str) -> BuildRecord:
    """As if it had been built from the beginning of the promotion until now."""
    said = [str(each["outcome"]) for each in version.certificate.rule_results]
    passed = sum(each == "passed" for each in said)
    return BuildRecord(
        product=version.product,
        run_id=version.run_id,
        outcome=BuildOutcome.PUBLISHED,
        started=by.began,
        seconds=(datetime.now(UTC) - by.began).total_seconds(),
        version=version.number,
        rows=version.rows,
        passed=passed,
        warned=len(said) - passed,
        message=message,
    )
