"""What is kept beside versions: a refused draft with its failing rows, the artifacts of a version."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.checks.failures import write_failures
from mesh_assets.capabilities.contracts.model import Contract
from mesh_assets.capabilities.lake import draft_sql, lake_of
from mesh_assets.capabilities.publishing.workshop import Bench, Workshop
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import Draft

if TYPE_CHECKING:
    import duckdb


def draft_folder(settings: Settings, name: ProductName) -> Path:
    """Where the last refused draft of a product is kept."""
    return settings.home / "drafts" / name.domain / name.product


def keep_draft(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    draft: Draft,
    *,
    contract: Contract,
    verdict: Verdict,
    references: Mapping[ProductName, str],
    whole_sql: str | None,
) -> Path:
    """Keep the draft and, per broken rule, its failing rows as Parquet. The draft before it goes."""
    folder = draft_folder(settings, draft.product)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rows").mkdir(parents=True)
    write_failures(
        con,
        draft_sql(draft),
        contract,
        verdict,
        folder / "rows",
        references=references,
        whole_sql=whole_sql,
    )
    for index, file in enumerate(draft.files):
        shutil.copyfile(file.path, folder / f"draft-{index}.parquet")
    return folder


def keep_artifacts(workshop: Workshop, bench: Bench) -> Path | None:
    """Move what the recipe left in `run.artifacts` beside the lake's data, under the run's id."""
    if not any(bench.artifacts.iterdir()):
        return None
    folder = artifact_folder(workshop.settings, bench.asset.name, workshop.run_id)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)  # an earlier attempt of this very run
    shutil.copytree(bench.artifacts, folder)
    return folder


def artifact_folder(settings: Settings, name: ProductName, run_id: str) -> Path:
    """Where a version's artifacts are: `run_id` is in its certificate."""
    return lake_of(settings, name.domain).folder / "artifacts" / name.product / run_id
