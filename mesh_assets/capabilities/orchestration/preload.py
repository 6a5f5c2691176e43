"""What the fork server imports once before it forks a process per run; nothing that starts a thread."""

import dagster
import sqlalchemy

import mesh_assets.capabilities.orchestration.batch

__all__ = ["dagster", "mesh_assets", "sqlalchemy"]
