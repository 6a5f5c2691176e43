"""What Dagster's event log costs per event: its own SQLite log beside ours, interleaved.

`python -m benchmarks.events [--runs 5]`. Each run materializes one asset with 60 checks and 104 partitions in
process, the same for both; only the time inside the log's own methods counts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.tables import machine, median, table
from mesh_assets.capabilities.orchestration.instance import EVENTS_AT_ONCE

CHECKS = [f"rule_{n}" for n in range(60)]
WEEKS = dg.WeeklyPartitionsDefinition(
    start_date=datetime(2023, 1, 2),  # noqa: DTZ001  as Dagster takes it: the zone is the definition's
    end_date=datetime(2024, 12, 30),  # noqa: DTZ001
    day_offset=1,
)
#: Title -> (module, class, events at once).
LOGS = {
    "Dagster's own": ("dagster._core.storage.event_log", "SqliteEventLogStorage", 0),
    "ours, connections kept": ("mesh_assets.capabilities.orchestration.event_log", "PooledSqliteEventLog", 0),
    "ours, and batches": (
        "mesh_assets.capabilities.orchestration.event_log",
        "PooledSqliteEventLog",
        EVENTS_AT_ONCE,
    ),
}

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@dg.multi_asset(
    specs=[dg.AssetSpec("orders", partitions_def=WEEKS)],
    check_specs=[dg.AssetCheckSpec(name, asset="orders") for name in CHECKS],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def orders() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
    for name in CHECKS:
        yield dg.AssetCheckResult(asset_key="orders", check_name=name, passed=True)
    yield dg.MaterializeResult("orders")


class Meter:
    """CPU and wall seconds inside the log's methods, and events that they stored."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0
        self.events = self._deep = 0

    def around(self, method: Any, count: Any) -> Any:
        def measured(log: Any, events: Any) -> Any:
            if self._deep:
                return method(log, events)
            self._deep, cpu, wall = 1, time.process_time(), time.monotonic()
            try:
                return method(log, events)
            finally:
                self.cpu += time.process_time() - cpu
                self.wall += time.monotonic() - wall
                self.events += count(events)
                self._deep = 0

        return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print(machine())
    found: dict[str, list[Meter]] = {title: [] for title in LOGS}
    for _ in range(asked.runs):
        for title, how in LOGS.items():
            found[title].append(_run(*how))
    rows = [
        (
            title,
            meters[0].events,
            f"{median([m.cpu / m.events * 1000 for m in meters]):.2f}",
            f"{median([m.wall / m.events * 1000 for m in meters]):.2f}",
        )
        for title, meters in found.items()
    ]
    print(f"\nmedian of {asked.runs} interleaved runs\n")
    print(table(["event log", "events", "CPU ms each", "wall ms each"], rows))


def _run(module: str, name: str, at_once: int) -> Meter:
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(at_once)
    log_class = __import__(module, fromlist=[name]).__dict__[name]
    meter = Meter()
    single, batch = log_class.store_event, log_class.store_event_batch
    log_class.store_event = meter.around(single, lambda _: 1)
    log_class.store_event_batch = meter.around(batch, len)
    try:
        with tempfile.TemporaryDirectory(prefix="mesh-bench-") as home:
            _materialize(Path(home), module, name)
    finally:
        log_class.store_event = single
        if "store_event_batch" in log_class.__dict__:
            log_class.store_event_batch = batch
    return meter


def _materialize(home: Path, module: str, name: str) -> None:
    (home / "dagster.yaml").write_text(
        f"event_log_storage:\n  module: {module}\n  class: {name}\n  config:\n    base_dir: {home}/events\n"
        "telemetry:\n  enabled: false\n"
    )
    keys = WEEKS.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    job = dg.Definitions(assets=[orders]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        done = job.execute_in_process(run_config=QUIET, instance=instance, tags=tags)
        assert done.success
        assert len(instance.all_logs(done.run_id)) > len(CHECKS) + len(keys)


if __name__ == "__main__":
    main()
