"""Maintenance as an asset for each domain: it checks the lake, expires, cleans up, and says how much.

Its schedule is off until somebody turns it on: deleting is an owner's decision. It stands beside the domains:
who writes a domain's data needs no right to delete it, and "materialize all" deletes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mesh_assets.capabilities.orchestration.failing import one_failure
from mesh_assets.words.settings import Settings

#: Every night; the domain's lock is held for moments only.
CRON = "30 3 * * *"

#: Findings that are shown one by one.
SHOWN = 100


#: All of them together, apart from products.
GROUP = "upkeep"


def upkeep_definitions(settings: Settings) -> dg.Definitions:
    """An asset and a schedule for each domain."""
    from mesh_assets.capabilities.lineage.read import domain_names

    names = domain_names(settings)
    return dg.Definitions(
        assets=[upkeep_asset(name, settings) for name in names],
        schedules=[upkeep_schedule(name) for name in names],
    )


def upkeep_key(domain: str) -> dg.AssetKey:
    return dg.AssetKey(["upkeep", domain])


def upkeep_asset(domain: str, settings: Settings) -> dg.AssetsDefinition:
    """One asset for the domain's lake; each materialization is one round."""

    @dg.asset(
        key=upkeep_key(domain),
        group_name=GROUP,
        kinds={"ducklake"},
        description="Checks the domain's lake against the registry, lets go of versions whose retention is "
        "over, and deletes files that no version needs. By hand: `mesh lake check`, `mesh lake expire`.",
    )
    def _upkeep() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(metadata=one_round(domain, settings))

    return _upkeep


def upkeep_schedule(domain: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{domain}_upkeep",
        target=dg.AssetSelection.assets(upkeep_key(domain)),
        cron_schedule=CRON,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Upkeep of the domain's lake, every night. Off until its owner turns it on.",
    )


def one_round(domain: str, settings: Settings, *, now: datetime | None = None) -> dict[str, Any]:
    """Check, then expire and clean up, unless the registry is what is wrong: then nothing may go.

    What a disk or a server refuses is one failure in words.
    """
    from mesh_assets.capabilities.lineage.read import read_domain_assets
    from mesh_assets.capabilities.registry import open_registry
    from mesh_assets.capabilities.upkeep.check import check
    from mesh_assets.capabilities.upkeep.expiry import expire

    moment = now or datetime.now(UTC)
    assets = read_domain_assets(settings, domain).assets
    with one_failure(settings.home, domain), open_registry(settings) as registry:
        found = check(settings, registry, [domain], now=moment)
        done = expire(settings, registry, assets, who=f"upkeep of {domain}", now=moment)
    table = dg.MetadataValue.table(
        records=[
            dg.TableRecord({"finding": str(each.kind), "told": each.told, "remedy": each.remedy})
            for each in found[:SHOWN]
        ],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in ("finding", "told", "remedy")]),
    )
    return {
        "findings": len(found),
        "found": table,
        "versions expired": len(done.versions),
        "files deleted": len(done.files),
        "bytes reclaimed": done.bytes_reclaimed,
    }
