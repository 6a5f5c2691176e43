"""Events, lineage and alerts in Dagster: a sensor that follows the registry, and an asset that moves events.

Here: what runs when. Not here: what any of it does (observability).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from mesh_assets.capabilities.orchestration.failing import one_failure
from mesh_assets.words.settings import Settings

EVENTS = dg.AssetKey(["mesh", "events"])
#: Each hour, past the full one, at which schedules begin.
CRON = "25 * * * *"
LINEAGE_SECONDS = 15
ALERT_SECONDS = 30


def observed_definitions(settings: Settings) -> dg.Definitions:
    """For the code location of the whole mesh."""
    return dg.Definitions(
        assets=[_events_asset(settings)],
        schedules=[
            dg.ScheduleDefinition(
                name="mesh_events",
                target=dg.AssetSelection.assets(EVENTS),
                cron_schedule=CRON,
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description="Every hour. Until then events are in the registry, and read as well.",
            )
        ],
        sensors=[_lineage_sensor(settings), _alert_sensor(settings)],
    )


def _events_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=EVENTS,
        group_name="mesh",
        kinds={"ducklake"},
        description="What happened, moved from the registry into the lake `_mesh`, a file for each day; kept "
        f"for {settings.events_kept} days (MESH_EVENTS_DAYS). Now: `mesh events flush`.",
    )
    def events() -> dg.MaterializeResult[Any]:
        from mesh_assets.capabilities.observability.event_lake import flush
        from mesh_assets.capabilities.registry import open_registry

        with one_failure(settings.home, "_mesh"), open_registry(settings) as registry:
            done = flush(settings, registry)
        return dg.MaterializeResult(
            metadata={"events moved": done.events, "batches": done.batches, "days let go of": done.days}
        )

    return events


def _lineage_sensor(settings: Settings) -> dg.SensorDefinition:
    """Follows the log of builds: into the event table, and out as OpenLineage if a receiver is set."""

    def evaluate(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        from mesh_assets.capabilities.observability import lineage_out
        from mesh_assets.capabilities.observability.events import follow
        from mesh_assets.capabilities.observability.locations import readable_mesh
        from mesh_assets.capabilities.registry import open_registry

        where = lineage_out.target()
        with open_registry(settings) as registry:
            told = f"{follow(registry)} new events"
            if where is not None:
                mesh, _problems = readable_mesh(settings)
                sent = lineage_out.emit(registry, mesh, where)
                told += f"; OpenLineage: {sent.sent} sent, {sent.failed} tries failed"
        return dg.SkipReason(told)

    return dg.SensorDefinition(
        name="mesh_lineage",
        evaluation_fn=evaluate,
        minimum_interval_seconds=settings.between_looks(LINEAGE_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns builds into events, and sends OpenLineage to OPENLINEAGE_URL if that is set.",
    )


def _alert_sensor(settings: Settings) -> dg.SensorDefinition:
    def evaluate(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        from mesh_assets.capabilities.observability.alert_rules import read_alerts
        from mesh_assets.capabilities.observability.alerts import look_and_tell
        from mesh_assets.capabilities.observability.followers import tell_followers
        from mesh_assets.capabilities.registry import open_registry

        alerts = read_alerts(settings) if settings.alerts.is_file() else None
        with open_registry(settings) as registry:
            heard = tell_followers(settings, registry, alerts)
            if alerts is None:
                return dg.SkipReason(
                    f"there are no rules: {settings.alerts.name} is not there; {heard.sent} told of what "
                    "they follow"
                )
            done = look_and_tell(settings, registry, alerts)
        sent = done.delivered
        return dg.SkipReason(
            f"{done.standing} stand, {done.queued} messages new, {sent.sent} sent, {sent.failed} tries failed"
        )

    return dg.SensorDefinition(
        name="mesh_alerts",
        evaluation_fn=evaluate,
        minimum_interval_seconds=settings.between_looks(ALERT_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks how everything stands, tells whom the rules name, and tries again what did not "
        "arrive. Now: `mesh alert send`.",
    )
