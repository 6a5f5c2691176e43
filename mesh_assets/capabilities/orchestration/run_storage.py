"""Dagster's SQLite run storage, with runs over weeks announced as they are.

A run over weeks keeps their subset, and Dagster then announces every week for everything in the run: also for
assets and checks that have no weeks. Such an announcement is never followed by an event that settles it (a
check of 104 weeks left 104 executions "planned" for ever), and each costs what an event costs. A run without
the subset falls back to its tags and to what each asset is partitioned by, which is right for all of them.

Opening a database that is there asks alembic nothing: Dagster reads its 88 scripts, compares two numbers and
does nothing with the answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self, cast

from dagster import DagsterRun
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster_shared.record import replace


class WeeklySqliteRunStorage(SqliteRunStorage):
    """The same tables and files as Dagster's own; a run's weeks are in its tags alone."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: Any = None) -> Self:
        if _stamped(base_dir, "runs", tables={"runs", "instance_info"}):
            return cls(create_db_conn_string(base_dir, "runs"), inst_data)
        return super().from_local(base_dir, inst_data)

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        return super().add_run(replace(dagster_run, partitions_subset=None))


class KnownSqliteScheduleStorage(SqliteScheduleStorage):
    """Dagster's own, opened without alembic."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: Any = None) -> Self:
        if _stamped(base_dir, "schedules", tables={"jobs"}):
            return cls(create_db_conn_string(base_dir, "schedules"), inst_data)
        # Of this class, which Dagster's annotation does not say.
        return cast("Self", super().from_local(base_dir, inst_data))


def _stamped(folder: str, name: str, tables: set[str]) -> bool:
    """Is the database there, with these tables and the number of the migration that it is at?"""
    file = Path(folder) / f"{name}.db"
    if not file.is_file():
        return False
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as session:
        found = {row[0] for row in session.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not found >= {*tables, "alembic_version"}:
            return False
        return session.execute("SELECT 1 FROM alembic_version").fetchone() is not None
