"""Where a domain's versions live: a DuckLake of its own, used as a ledger of whole Parquet files.

Here: connections, drafts, commits, reading at a version, fingerprints, manifests.
Not here: which version is current (registry), what a draft must fulfil (contracts, checks), publishing.
"""

from __future__ import annotations

from mesh_assets.capabilities.lake.commit import Committed, commit
from mesh_assets.capabilities.lake.connection import CATALOG_THREADS, attach, connect
from mesh_assets.capabilities.lake.fingerprint import combined, fingerprint_sql
from mesh_assets.capabilities.lake.known import Known, known
from mesh_assets.capabilities.lake.lock import commit_lock, waiting
from mesh_assets.capabilities.lake.manifest import manifests, write_manifest
from mesh_assets.capabilities.lake.places import LakePlace, lake_of
from mesh_assets.capabilities.lake.read import (
    Handle,
    files,
    relation,
    relation_sql,
    version_files,
    version_sql,
)
from mesh_assets.capabilities.lake.stage import draft_sql, files_sql, stage
from mesh_assets.capabilities.lake.sweep import sweep
from mesh_assets.capabilities.lake.turns import Turn

__all__ = [
    "CATALOG_THREADS",
    "Committed",
    "Handle",
    "Known",
    "LakePlace",
    "Turn",
    "attach",
    "combined",
    "commit",
    "commit_lock",
    "connect",
    "draft_sql",
    "files",
    "files_sql",
    "fingerprint_sql",
    "known",
    "lake_of",
    "manifests",
    "relation",
    "relation_sql",
    "stage",
    "sweep",
    "version_files",
    "version_sql",
    "waiting",
    "write_manifest",
]
