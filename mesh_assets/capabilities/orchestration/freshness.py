"""Service levels as Dagster's freshness policies: its daemon evaluates them, its UI shows them.

Here: the policy of a product; telling Dagster that a build looked and found nothing to do.
Not here: reading `slaProperties` (contracts/sla).

Dagster's clock is the last materialization. A run that finds a product unchanged reports one, with the same
data version; `mesh build` starts no run for it, and reports one here. So the promise is "the mesh has looked,
and what readers see is what the inputs say", not "there is a new version".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import dagster as dg

from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.contracts.periods import told
from mesh_assets.capabilities.contracts.sla import ServiceLevel, strictest
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Version

if TYPE_CHECKING:
    from dagster import DagsterInstance


def freshness_policy(asset: Asset) -> dg.FreshnessPolicy | None:
    """The one policy that all watched service levels of the contract follow from; None if there is none."""
    level = strictest(asset.contract.service_levels) if asset.contract else None
    if level is None:
        return None
    if level.within is not None:
        return dg.FreshnessPolicy.time_window(fail_window=level.within)
    assert level.deadline is not None  # strictest returns promises that can be watched
    return dg.FreshnessPolicy.cron(
        deadline_cron=level.deadline.cron,
        lower_bound_delta=level.deadline.window,
        timezone=level.deadline.zone,
    )


def service_level_table(contract: Contract) -> dg.TableMetadataValue | None:
    """What the contract promises on time, for the asset's page."""
    if not contract.service_levels:
        return None
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({"property": level.name, "promise": level.description, "watched": _watched(level)})
            for level in contract.service_levels
        ],
        schema=dg.TableSchema(
            columns=[dg.TableColumn(name, "string") for name in ("property", "promise", "watched")]
        ),
    )


def report_looked(settings: Settings, found: Iterable[tuple[Asset, Version]]) -> None:
    """Tell Dagster that these products were looked at now and are as they were, where a promise needs it."""
    promised = [(asset, version) for asset, version in found if freshness_policy(asset) is not None]
    if not promised:
        return
    with open_instance(settings) as instance:
        for asset, version in promised:
            instance.report_runless_asset_event(_looked(instance, asset, version))


def _looked(instance: DagsterInstance, asset: Asset, version: Version) -> dg.AssetMaterialization:
    """A materialization that wakes nobody: its data version is the one that Dagster knows already."""
    from dagster._core.definitions.data_version import DATA_VERSION_TAG, extract_data_version_from_entry

    key = dg.AssetKey(list(asset.name.asset_key))
    week = max(version.certificate.partitions) if asset.partitioning else None
    record = instance.get_latest_data_version_record(key, partition_key=week)
    known = extract_data_version_from_entry(record.event_log_entry) if record else None
    return dg.AssetMaterialization(
        asset_key=key,
        partition=week,
        description="Looked at by `mesh build`: nothing to do.",
        metadata={"version": version.number, "outcome": "unchanged", "dagster/row_count": version.rows},
        tags={DATA_VERSION_TAG: known.value if known else version.fingerprint or "empty"},
    )


def _watched(level: ServiceLevel) -> str:
    if level.within is not None:
        return f"a build looked within {told(level.within)}"
    if level.deadline is not None:
        return f"built each day by {level.deadline.hour:02}:{level.deadline.minute:02} {level.deadline.zone}"
    if level.keeps is not None:
        return "no: expiry of versions holds to it"
    return "no: said for readers"
