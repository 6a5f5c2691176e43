"""Schedules when the clocks change in New York: Dagster's own scheduler over real journeys, its clock set."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.storage.tags import SCHEDULED_EXECUTION_TIME_TAG
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from mesh_assets.capabilities.lineage.journeys import read_journeys
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.journeys import periods
from tests.shop import Shop

JOURNEY = """name: {name}
description: What the till took.
targets: [books.revenue]
schedule: {{cron: "{cron}", timezone: America/New_York}}
"""
#: 2:30 is skipped on 8 March 2026 and 1:30 comes twice on 1 November.
CRONS = {"skipped": "30 2 * * *", "twice": "30 1 * * *", "mondays": "0 6 * * 1"}
EXPECTED = {
    "2026-03-06": {
        "skipped": ["03-07T07:30", "03-08T07:00", "03-09T06:30"],
        "twice": ["03-07T06:30", "03-08T06:30", "03-09T05:30"],
        "mondays": ["03-09T10:00"],
    },
    "2026-10-30": {
        "skipped": ["10-31T06:30", "11-01T07:30", "11-02T07:30"],
        "twice": ["10-31T05:30", "11-01T06:30", "11-02T06:30"],
        "mondays": ["11-02T11:00"],
    },
}
RUNS = {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}


class Journeys(WorkspaceLoadTarget):
    """The location of journeys alone."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def create_origins(self):  # type: ignore[no-untyped-def]  # Dagster's own classes
        target = LoadableTargetOrigin(python_file=str(self.file))
        return [InProcessCodeLocationOrigin(loadable_target_origin=target, location_name="journeys")]


@pytest.fixture
def journeys(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    folder = shop.root / "journeys"
    folder.mkdir()
    for name, cron in CRONS.items():
        (folder / f"{name}.yaml").write_text(JOURNEY.format(name=name, cron=cron), encoding="utf-8")
    file = folder / "definitions.py"
    file.write_text("from mesh_assets import mesh\n\ndefs = mesh.journey_definitions(__file__)\n")
    return file


def moments(first: datetime) -> list[datetime]:
    """When Dagster looks: twice a day, and each half hour of the night in which the clocks change."""
    night = [first + timedelta(days=2, hours=5, minutes=30 * half) for half in range(6)]
    return sorted({*night, *(first + timedelta(hours=12 * half) for half in range(2, 9))})


def scheduled(context: WorkspaceProcessContext, first: datetime) -> dict[str, list[str]]:
    """Journey to the moments for which Dagster began a run of it, by a clock that goes through these days."""
    logger, instance = logging.getLogger("test"), context.instance
    (repository,) = context.create_request_context().get_code_location("journeys").get_repositories().values()
    for other in repository.get_schedules():  # of the whole mesh, one of them every hour
        if other.job_name not in CRONS:
            instance.stop_schedule(other.get_remote_origin_id(), other.selector_id, other)
    for now in moments(first):
        with freeze_time(now):
            problems = [each for each in launch_scheduled_runs(context, logger, now, {}) if each]
        assert not problems, problems
    found: dict[str, list[datetime]] = {name: [] for name in CRONS}
    for run in instance.get_runs():
        at = datetime.fromisoformat(run.tags[SCHEDULED_EXECUTION_TIME_TAG])
        found[run.job_name].append(at.astimezone(UTC))
    return {name: [f"{at:%m-%dT%H:%M}" for at in sorted(times)] for name, times in found.items()}


@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`")  # Dagster reads it
@pytest.mark.parametrize("day", EXPECTED)
def test_a_schedule_begins_one_run_for_each_day_and_each_is_a_period_of_its_journey(
    shop: Shop, journeys: Path, tmp_path: Path, day: str
) -> None:
    first = datetime.fromisoformat(day).replace(tzinfo=UTC)
    with (
        instance_for_test(temp_dir=str(tmp_path), overrides={"run_launcher": RUNS}) as instance,
        create_test_daemon_workspace_context(Journeys(journeys), instance) as context,
    ):
        found = scheduled(context, first)

    assert found == EXPECTED[day]
    for journey in read_journeys(shop.settings, read_mesh(shop.settings)):
        begun = [f"{each.begin:%m-%dT%H:%M}" for each in periods(journey, (), first + timedelta(days=4), 6)]
        assert set(found[journey.name]) <= set(begun)
