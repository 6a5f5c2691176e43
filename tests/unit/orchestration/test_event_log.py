"""The event log with open connections is Dagster's own to everybody who reads it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

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
