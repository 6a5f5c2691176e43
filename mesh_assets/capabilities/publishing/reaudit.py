"""Auditing what is published already: the same rules, over the version that readers see."""

from __future__ import annotations

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.publishing.inputs import input_sql
from mesh_assets.capabilities.publishing.stale import read_heads
from mesh_assets.capabilities.publishing.workshop import Workshop
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.versions import Version


def reaudit(workshop: Workshop, name: ProductName) -> tuple[Version, Verdict]:
    """The version that readers see and what its contract, as it stands now, says of it. Nothing is
    written.
    """
    asset = workshop.asset(name)
    head = workshop.registry.head(name)
    if head is None:
        raise NoVersion(product=name)
    if asset.contract is None:
        return head, Verdict(results=(), rows=head.rows)
    settings = workshop.settings
    inputs = read_heads(workshop, asset)
    con = connect(settings)
    try:
        verdict = audit(
            con,
            input_sql(settings, name, head.snapshot),
            asset.contract,
            references={
                each: input_sql(settings, each, version.snapshot) for each, version in inputs.items()
            },
            partition_column=asset.partitioning.column if asset.partitioning else None,
            extra_rules=asset.expectations,
            expectations=settings.domains / name.domain / name.product / "expectations.py",
        )
    finally:
        con.close()
    return head, verdict
