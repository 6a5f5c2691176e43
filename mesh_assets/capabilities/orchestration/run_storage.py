"""Dagster's SQLite run storage, with runs over weeks announced as they are.

A run over weeks keeps their subset, and Dagster then announces every week for everything in the run: also for
assets and checks that have no weeks. Such an announcement is never followed by an event that settles it (a
check of 104 weeks left 104 executions "planned" for ever), and each costs what an event costs. A run without
the subset falls back to its tags and to what each asset is partitioned by, which is right for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from dagster import DagsterRun
from dagster._core.storage.runs import SqliteRunStorage
from dagster_shared.record import replace


class WeeklySqliteRunStorage(SqliteRunStorage):
    """The same tables and files as Dagster's own; a run's weeks are in its tags alone."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        return super().add_run(replace(dagster_run, partitions_subset=None))
