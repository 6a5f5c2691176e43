"""What the fork server imports once before it forks a process per run; nothing that starts a thread.

DuckDB, polars, pyarrow and pandas start threads when they are imported: each run imports what it needs.
"""

import alembic.config
import dagster
import dagster._core.execution.execute_in_process
import dagster._core.execution.plan.active
import dagster._core.executor.in_process
import dagster._core.instance.factory
import dagster._core.instance.runs.run_domain
import dagster._core.secrets.env_file
import dagster._core.storage.legacy_storage
import dagster._core.storage.local_compute_log_manager
import dagster._core.storage.root
import dagster._core.storage.schedules
import sqlalchemy
import upath.implementations.local

import mesh_assets.capabilities.checks.guests
import mesh_assets.capabilities.checks.split
import mesh_assets.capabilities.orchestration.batch
import mesh_assets.capabilities.orchestration.event_log
import mesh_assets.capabilities.orchestration.run_storage
import mesh_assets.capabilities.publishing.build
import mesh_assets.capabilities.publishing.dbt
import mesh_assets.capabilities.registry.open

__all__ = ["alembic", "dagster", "mesh_assets", "sqlalchemy", "upath"]
