"""Auditing what is published already: rules as they stand now, over the version that readers see."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from mesh_assets.capabilities.checks.guests import audit_with_guests
from mesh_assets.capabilities.lake import connect
from mesh_assets.capabilities.lineage.model import Asset, DomainAssets
from mesh_assets.capabilities.publishing.baselines import baselines
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.compared import references
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.inputs import rows_of_version
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.quarantine import still_aside
from mesh_assets.capabilities.publishing.stale import read_heads
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import BuildOutcome, BuildRecord, Version

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry.open import Registry


def reaudit(
    workshop: Workshop, name: ProductName, *, only: Collection[str] | None = None
) -> tuple[Version, Verdict]:
    """The version that readers see and what its rules say of it (or those of them whose ids are in `only`).

    Nothing is published and no build is recorded: the results enter the history as those of a recheck.
    """
    asset = workshop.asset(name)
    head = workshop.registry.head(name)
    if head is None:
        raise NoVersion(product=name)
    if asset.contract is None:
        return head, Verdict(results=(), rows=head.rows)
    started, clock = datetime.now(UTC), time.monotonic()
    verdict = still_aside(audit_published(workshop, asset, head, only=only), head)
    record = BuildRecord(
        product=name,
        run_id=workshop.run_id,
        outcome=BuildOutcome.UNCHANGED,
        started=started,
        seconds=time.monotonic() - clock,
        version=head.number,
        rows=head.rows,
        passed=len(verdict.passed),
        warned=len(verdict.warned),
        failed=len(verdict.broken),
        recheck=True,
    )
    workshop.registry.record_build(record, verdict.results)
    return head, verdict


def recheck(
    settings: Settings,
    registry: Registry,
    domain: DomainAssets,
    name: ProductName,
    *,
    only: Collection[str] | None = None,
) -> tuple[Version, Verdict]:
    """`reaudit` with no run around it: for a command, a notebook, a script."""
    return reaudit(workshop_for_audits(settings, registry, domain, name), name, only=only)


def workshop_for_audits(
    settings: Settings, registry: Registry, domain: DomainAssets, name: ProductName
) -> Workshop:
    """What an audit outside of a run works with."""
    return Workshop(
        settings=settings,
        registry=registry,
        domain=domain,
        run_id=f"check-{uuid4().hex[:12]}",
        who=who(),
        tools=Tools(dbt=run_dbt, program=run_program),
        selected=frozenset([name]),
    )


def audit_published(
    workshop: Workshop, asset: Asset, head: Version, *, only: Collection[str] | None = None
) -> Verdict:
    """What the asset's rules say of a version; nothing is recorded."""
    assert asset.contract is not None
    settings, name = workshop.settings, asset.name
    con = connect(settings)
    try:
        return audit_with_guests(
            con,
            rows_of_version(settings, head),
            asset.contract,
            references=references(workshop, asset, read_heads(workshop, asset)),
            partition_column=asset.partitioning.column if asset.partitioning else None,
            guests=asset.expected,
            extra_rules=asset.expectations,
            expectations=settings.domains / name.domain / name.product / "expectations.py",
            only=only,
            baselines=baselines(workshop, asset, published=head),
        )
    finally:
        con.close()
