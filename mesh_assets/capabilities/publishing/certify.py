"""The certificate: what, where, when, with and how of a version, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.model import Automation, Column, Contract
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.publishing.code import git_state, package_versions
from mesh_assets.capabilities.publishing.keys import recipe_hash
from mesh_assets.capabilities.publishing.settled import promises
from mesh_assets.capabilities.publishing.workshop import SourceVersions, Workshop
from mesh_assets.words.rules import RuleResult, Verdict
from mesh_assets.words.versions import WHOLE, Certificate, Draft, InputVersion, Version


def certify(  # noqa: PLR0913 - a certificate is this many facts, each of its own kind
    workshop: Workshop,
    asset: Asset,
    *,
    verdict: Verdict,
    head: Version | None,
    partitions: Mapping[str, Mapping[str, Any]],
    inputs: tuple[InputVersion, ...],
    sources: SourceVersions,
    input_keys: Mapping[str, str],
    artifacts: Mapping[str, str],
    lineage: Mapping[str, Any],
    started: datetime,
) -> Certificate:
    """Everything but the snapshot and the files, which the commit knows, and the number, which the release
    gives.
    """
    commit, dirty = git_state(workshop.settings.domains, workshop.settings.dbt_project)
    return Certificate(
        product=asset.name,
        number=None,
        rows=sum(int(each["rows"]) for each in partitions.values()),
        fingerprint=whole_fingerprint(partitions),
        partitions=partitions,
        contract_version=asset.contract.version if asset.contract else "",
        contract_text=asset.contract.text if asset.contract else "",
        rule_results=tuple(told_result(result) for result in verdict.results),
        snapshot=0,
        files=(),
        started=started,
        finished=datetime.now(UTC),
        inputs=inputs,
        sources=_each_once(sources),
        packages=package_versions(),
        recipe=_recipe_path(workshop, asset),
        recipe_hash=recipe_hash(workshop.domain, asset),
        git_commit=commit,
        git_dirty=dirty,
        run_id=workshop.run_id,
        who=workshop.who,
        input_keys=input_keys,
        artifacts=artifacts,
        promises=promises(workshop, asset),
        lineage=lineage,
    )


def whole_fingerprint(partitions: Mapping[str, Mapping[str, Any]]) -> str:
    """One fingerprint for the product: its own, or the hash over those of its partitions that hold rows."""
    if set(partitions) == {WHOLE}:
        return str(partitions[WHOLE]["fingerprint"])
    held = [f"{key} {each['fingerprint']}" for key, each in sorted(partitions.items()) if each["rows"]]
    return "p1:" + hashlib.sha256("\n".join(held).encode()).hexdigest()[:32]


def artifact_digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contract_of(asset: Asset, draft: Draft) -> Contract:
    """The contract; for a private asset one that promises nothing but the columns that it has."""
    if asset.contract is not None:
        return asset.contract
    columns = tuple(
        Column(name=name, logical_type="string", physical_type=kind) for name, kind in draft.columns
    )
    return Contract(
        product=asset.name,
        version="",
        api_version="",
        status="private",
        title=asset.name.product,
        purpose="",
        limitations="",
        usage="",
        description="",
        columns=columns,
        rules=(),
        owners=(),
        tags=(),
        partitioning=None,
        automation=Automation("manual"),
        sla=(),
        raw={},
        text="",
        place=asset.recipe.place,
        digest="",
    )


def told_result(result: RuleResult) -> dict[str, Any]:
    """A rule's outcome as the certificate has it."""
    return {
        "id": result.rule.id,
        "outcome": str(result.outcome),
        "severity": str(result.rule.severity),
        "dimension": result.rule.dimension,
        "expected_by": result.rule.expected_by,
        "failed_rows": result.failed_rows,
        "checked_rows": result.checked_rows,
        "value": result.value,
        "summary": result.summary,
        "quarantined_rows": result.quarantined_rows,
        # Beside the version: masked like every sample, and there when the registry has to be made again.
        "sample": [dict(row) for row in result.sample],
    }


def _each_once(sources: SourceVersions) -> tuple[Any, ...]:
    files = [file for by_partition in sources.values() for each in by_partition.values() for file in each]
    return tuple(sorted(set(files), key=lambda file: (file.name, file.path)))


def _recipe_path(workshop: Workshop, asset: Asset) -> str:
    """Relative to the folder that holds the domains' package or the dbt project: the same on every host."""
    for root in (workshop.settings.domains.parent.parent, workshop.settings.dbt_project.parent):
        if asset.recipe.path.is_relative_to(root):
            return str(asset.recipe.path.relative_to(root))
    return asset.recipe.path.name
