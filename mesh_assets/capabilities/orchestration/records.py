"""Retention of Dagster's records as an asset of the whole mesh, every night."""

from __future__ import annotations

from typing import Any

import dagster as dg

from mesh_assets.capabilities.orchestration.failing import one_failure
from mesh_assets.words.settings import Settings

CRON = "10 4 * * *"
RECORDS = dg.AssetKey(["mesh", "dagster_records"])


def records_definitions(settings: Settings) -> dg.Definitions:
    """The asset and its schedule, for the code location of the whole mesh."""

    @dg.asset(
        key=RECORDS,
        group_name="mesh",
        kinds={"dagster"},
        description="Lets go of what plain steps said and printed in runs older than the retention "
        f"({settings.records_kept} days, MESH_RECORDS_DAYS). Runs, materializations and checks stay. Now: "
        "`mesh records --dry-run`.",
    )
    def dagster_records() -> dg.MaterializeResult[Any]:
        from mesh_assets.capabilities.orchestration.retention import prune

        with one_failure(settings.home):
            done = prune(settings)
        return dg.MaterializeResult(
            metadata={
                "runs pruned": done.runs,
                "events deleted": done.events,
                "logs deleted": done.logs,
                "bytes reclaimed": done.bytes,
                "runs in use, next time": len(done.busy),
            }
        )

    return dg.Definitions(
        assets=[dagster_records],
        schedules=[
            dg.ScheduleDefinition(
                name="dagster_records",
                target=dg.AssetSelection.assets(RECORDS),
                cron_schedule=CRON,
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description="Every night; the history of assets and checks stays.",
            )
        ],
    )
