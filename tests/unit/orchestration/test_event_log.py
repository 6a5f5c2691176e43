"""The event log with open connections is Dagster's own to everybody who reads it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from mesh_assets.capabilities.orchestration.event_log import PooledSqliteEventLog
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.words.settings import read_settings


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))


def report(instance: dg.DagsterInstance, *keys: str) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(key))


def test_what_one_process_writes_the_next_one_reads(tmp_path: Path) -> None:
    with open_instance(read_settings()) as first:
        report(first, "orders")
        with open_instance(read_settings()) as second:
            assert second.get_latest_materialization_event(dg.AssetKey("orders")) is not None


def test_dagsters_own_storage_reads_the_same_files(tmp_path: Path) -> None:
    with open_instance(read_settings()) as instance:
        report(instance, "orders")

    plain = SqliteEventLogStorage(str(tmp_path / "dagster" / "storage" / "history" / "runs"))

    assert [str(key) for key in plain.all_asset_keys()] == [str(dg.AssetKey("orders"))]


def test_state_persists_between_starts() -> None:
    with open_instance(read_settings()) as instance:
        report(instance, "orders", "revenue")

    with open_instance(read_settings()) as again:
        assert {key.to_user_string() for key in again.all_asset_keys()} == {"orders", "revenue"}


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_a_batch_of_events_is_stored_like_single_ones(tmp_path: Path) -> None:
    weeks = dg.StaticPartitionsDefinition(["2024-01-01", "2024-01-08"])

    @dg.multi_asset(
        specs=[dg.AssetSpec("orders", partitions_def=weeks)],
        check_specs=[dg.AssetCheckSpec("positive", asset="orders")],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def orders():  # type: ignore[no-untyped-def]  # Dagster wants a generator or no annotation
        yield dg.AssetCheckResult(asset_key="orders", check_name="positive", passed=True)
        yield dg.MaterializeResult("orders")

    job = dg.Definitions(assets=[orders]).resolve_implicit_global_asset_job_def()
    tags = {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-08",
    }
    with open_instance(read_settings()) as instance:
        run = job.execute_in_process(instance=instance, tags=tags)
        events = [event.dagster_event_type for event in instance.all_logs(run.run_id)]

    plain = SqliteEventLogStorage(str(tmp_path / "dagster" / "storage" / "history" / "runs"))
    key = dg.AssetKey("orders")
    assert plain.get_materialized_partitions(key) == {"2024-01-01", "2024-01-08"}
    assert events.count(dg.DagsterEventType.ASSET_MATERIALIZATION) == 2
    assert events.count(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == 2
    checks = plain.get_asset_check_execution_history(dg.AssetCheckKey(key, "positive"), limit=5)
    assert [check.status.value for check in checks] == ["SUCCEEDED"]


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_instance(read_settings()) as instance:
        report(instance, "orders")
        log = instance.event_log_storage
        (stored,) = instance.fetch_materializations(dg.AssetKey("orders"), limit=1).records
        single = PooledSqliteEventLog.store_event
        seen: list[object] = []

        def second_fails(self: PooledSqliteEventLog, event: dg.EventLogEntry) -> None:
            if seen:
                raise OSError("the disk is full")
            seen.append(event)
            single(self, event)

        monkeypatch.setattr(PooledSqliteEventLog, "store_event", second_fails)
        with pytest.raises(OSError, match="full"):
            log.store_event_batch([stored.event_log_entry, stored.event_log_entry])
        monkeypatch.undo()

        assert len(instance.fetch_materializations(dg.AssetKey("orders"), limit=5).records) == 1
