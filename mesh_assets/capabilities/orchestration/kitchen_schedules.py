"""Schedules and sensors in a kitchen: off, evaluated to see what they would run, or on for a bounded time.

Off: they are there, and stopped. Dry: each is evaluated once, from the cursor that it has in the base, on a
copy of the kitchen's registry; nothing is started or remembered. Live: they run until a moment, and whatever
they start writes to the kitchen alone, like all else in it; afterwards each evaluation says that it is over.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from mesh_assets.words.settings import Settings

#: In the kitchen's home: until when its schedules and sensors run.
LIVE = "live.json"
OVER = "schedules and sensors of kitchen {} are off: `mesh kitchen schedules {} --live 1h`"

RELOAD = "mutation { reloadWorkspace { __typename } }"


@dataclass(frozen=True)
class Tick:
    """What one schedule or sensor would do now."""

    name: str
    kind: str
    #: What it would start: assets or a job, with partitions.
    runs: tuple[str, ...] = ()
    #: Why it would start nothing.
    told: str = ""


def of_environment(definitions: dg.Definitions, settings: Settings) -> dg.Definitions:
    """Production's definitions as they are; a kitchen's with schedules and sensors stopped, or bounded."""
    if settings.kitchen:
        on = live_until(settings) is not None
        for each in definitions.sensors or ():
            if isinstance(each, dg.SensorDefinition):
                _bound(
                    each, settings, dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED
                )
        for schedule in definitions.schedules or ():
            if isinstance(schedule, dg.ScheduleDefinition):
                default = dg.DefaultScheduleStatus
                _bound(schedule, settings, default.RUNNING if on else default.STOPPED)
    return definitions


def go_live(settings: Settings, span: timedelta) -> datetime:
    """Let schedules and sensors of the kitchen run from now on, for so long; its Dagster is reloaded if it
    runs.
    """
    from mesh_assets.capabilities.orchestration.server import running_server

    until = datetime.now(UTC) + span
    (settings.home / LIVE).write_text(json.dumps({"until": until.isoformat()}), encoding="utf-8")
    server = running_server(settings)
    if server is not None:
        server.ask(RELOAD)
    return until


def live_until(settings: Settings) -> datetime | None:
    """Until when they run, None if they do not."""
    try:
        until = datetime.fromisoformat(
            json.loads((settings.home / LIVE).read_text(encoding="utf-8"))["until"]
        )
    except (OSError, ValueError, KeyError):
        return None
    return until if until > datetime.now(UTC) else None


def end_live(settings: Settings) -> None:
    """Off again."""
    (settings.home / LIVE).unlink(missing_ok=True)


def dry_run(settings: Settings) -> list[Tick]:
    """Evaluate everything once, from the base's cursors; nothing that it writes is kept."""
    from mesh_assets.capabilities.orchestration.definitions import everything

    with TemporaryDirectory() as folder:
        copy = Path(folder, "registry.sqlite")
        with (
            closing(sqlite3.connect(settings.home / "registry.sqlite")) as own,
            closing(sqlite3.connect(copy)) as fork,
        ):
            own.backup(fork)
        forked = replace(settings, registry=f"sqlite:///{copy}")
        definitions, cursors = everything(forked), _cursors(settings)
        with dg.DagsterInstance.ephemeral() as instance:
            look = _Look(definitions, instance, cursors)
            ticks = [_sensor_tick(each, look) for each in _sensors(definitions)]
            ticks += [_schedule_tick(each, look) for each in _schedules(definitions)]
    return ticks


@dataclass(frozen=True)
class _Look:
    """What evaluations of one dry run share."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursors: dict[str, str]


def _bound(each: Any, settings: Settings, status: Any) -> None:
    """Dagster takes the status when a definition is made, and ours are made without knowing of kitchens."""
    each._default_status = status
    evaluate = each.evaluate_tick

    def bounded(context: Any) -> Any:
        if live_until(settings) is not None:
            return evaluate(context)
        told = OVER.format(settings.kitchen, settings.kitchen)
        if isinstance(each, dg.ScheduleDefinition):
            skip: Any = dg.ScheduleDefinition(
                name=each.name,
                cron_schedule="0 0 1 1 *",
                job_name=each.job_name,
                execution_fn=lambda _: dg.SkipReason(told),
            )
        else:
            skip = dg.SensorDefinition(name=each.name, evaluation_fn=lambda _: dg.SkipReason(told))
        return skip.evaluate_tick(context)

    each.evaluate_tick = bounded


def _sensors(definitions: dg.Definitions) -> Iterator[dg.SensorDefinition]:
    yield from (each for each in definitions.sensors or () if isinstance(each, dg.SensorDefinition))


def _schedules(definitions: dg.Definitions) -> Iterator[dg.ScheduleDefinition]:
    yield from (each for each in definitions.schedules or () if isinstance(each, dg.ScheduleDefinition))


def _cursors(settings: Settings) -> dict[str, str]:
    """Where each sensor of the base is; nothing if its Dagster has never run. Its storage is only read."""
    from dagster._core.scheduler.instigation import SensorInstigatorData
    from dagster._core.storage.schedules import SqliteScheduleStorage

    base = settings.base
    folder = base.dagster_home / "storage" / "schedules" if base else None
    if folder is None or not folder.is_dir():
        return {}
    with TemporaryDirectory() as copy:  # a look at storage migrates it
        shutil.copytree(folder, Path(copy, "schedules"))
        storage = SqliteScheduleStorage.from_local(str(Path(copy, "schedules")))
        try:
            found = storage.all_instigator_state()
        finally:
            storage.dispose()
    return {
        each.instigator_name: each.instigator_data.cursor
        for each in found
        if isinstance(each.instigator_data, SensorInstigatorData) and each.instigator_data.cursor
    }


def _sensor_tick(sensor: dg.SensorDefinition, look: _Look) -> Tick:
    try:
        with dg.build_sensor_context(
            instance=look.instance, cursor=look.cursors.get(sensor.name), definitions=look.definitions
        ) as context:
            data = sensor.evaluate_tick(context)
    except Exception as error:  # whatever a sensor does is what is to be shown
        return Tick(sensor.name, "sensor", told=f"fails: {error}")
    return Tick(sensor.name, "sensor", tuple(map(_told, data.run_requests or ())), data.skip_message or "")


def _schedule_tick(schedule: dg.ScheduleDefinition, look: _Look) -> Tick:
    try:
        with dg.build_schedule_context(
            instance=look.instance, scheduled_execution_time=datetime.now(UTC)
        ) as context:
            data = schedule.evaluate_tick(context)
    except Exception as error:  # as above
        return Tick(schedule.name, "schedule", told=f"fails: {error}")
    runs = tuple(_told(each, schedule.job_name) for each in data.run_requests or ())
    when = f"at {schedule.cron_schedule}"
    return Tick(schedule.name, "schedule", runs, data.skip_message or when)


def _told(request: Any, job: str = "") -> str:
    what = [key.to_user_string() for key in request.asset_selection or ()]
    named = ", ".join(what) or request.job_name or job
    return f"{named} [{request.partition_key}]" if request.partition_key else str(named)
