"""A run over weeks announces a week only for what has weeks; what is there is opened without alembic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from alembic.script import ScriptDirectory

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.words.settings import read_settings

WEEKS = dg.WeeklyPartitionsDefinition(
    start_date=datetime(2023, 1, 2),  # noqa: DTZ001  as Dagster takes it: the zone is the definition's
    end_date=datetime(2023, 1, 23),  # noqa: DTZ001
    day_offset=1,
)
PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED


@dg.multi_asset(
    specs=[dg.AssetSpec("weekly", partitions_def=WEEKS)],
    check_specs=[dg.AssetCheckSpec("rule", asset="weekly")],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def weekly() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
    yield dg.AssetCheckResult(asset_key="weekly", check_name="rule", passed=True)
    yield dg.MaterializeResult("weekly")


@dg.asset
def whole() -> None:
    """An asset without weeks, in the same run."""


def test_weeks_are_announced_for_the_assets_that_have_them_and_checks_end(tmp_path: Path) -> None:
    first, *_, last = keys = WEEKS.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = dg.Definitions(assets=[weekly, whole]).resolve_implicit_global_asset_job_def()

    with open_instance(read_settings({"MESH_HOME": str(tmp_path)})) as instance:
        run = job.execute_in_process(instance=instance, tags=tags)
        planned = [each.dagster_event for each in instance.all_logs(run.run_id, of_type=PLANNED)]
        history = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("weekly"), "rule"), limit=10
        )

    announced = [(each.asset_key.to_user_string(), each.partition) for each in planned if each]
    assert sorted(announced, key=str) == [*(("weekly", key) for key in keys), ("whole", None)]
    assert [record.status.value for record in history] == ["SUCCEEDED"]


def test_a_home_that_is_there_is_opened_without_reading_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings({"MESH_HOME": str(tmp_path)})
    job = dg.Definitions(assets=[whole]).resolve_implicit_global_asset_job_def()
    with open_instance(settings) as instance:
        run = job.execute_in_process(instance=instance)
    monkeypatch.setattr(ScriptDirectory, "from_config", None)

    with open_instance(settings) as instance:
        found = instance.get_run_by_id(run.run_id)
        assert found is not None and found.is_success
        assert list(instance.all_instigator_state()) == []


def test_a_database_that_was_never_finished_is_made_whole(tmp_path: Path) -> None:
    settings = read_settings({"MESH_HOME": str(tmp_path)})
    for part in ("history/runs.db", "schedules/schedules.db"):
        file = settings.dagster_home / "storage" / part
        file.parent.mkdir(parents=True)
        file.touch()  # a process that was killed between opening and filling it

    with open_instance(settings) as instance:
        assert instance.get_runs() == []
        assert list(instance.all_instigator_state()) == []
