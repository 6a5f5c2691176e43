"""What the fork server imports once before it forks a process per run; nothing that starts a thread.

DuckDB, polars, pyarrow and pandas start threads when they are imported: each run imports what it needs.
"""

import alembic.config
import dagster
import dagster._core.storage.schedules
import sqlalchemy

import mesh_assets.capabilities.orchestration.batch
import mesh_assets.capabilities.orchestration.event_log
import mesh_assets.capabilities.orchestration.run_storage
import mesh_assets.capabilities.publishing.build

__all__ = ["alembic", "dagster", "mesh_assets", "sqlalchemy"]
