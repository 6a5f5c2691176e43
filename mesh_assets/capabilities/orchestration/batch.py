"""One Dagster run over assets of one domain, in this process: what the coordinator's children do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.alive import alive
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.partitions import range_tags
from mesh_assets.capabilities.orchestration.tools import WARM_DBT
from mesh_assets.words.settings import read_settings


@dataclass(frozen=True)
class Batch:
    """What one run is to build. Plain data: it crosses to another process."""

    domain: str
    #: `domain/product`, private dbt models included.
    assets: tuple[str, ...]
    run_id: str
    weeks: tuple[str, ...]
    tags: Mapping[str, str]
    log: str
    #: Address of a warm dbt; "" without one.
    dbt: str = ""
    #: MESH_… as they are now: a fork server keeps the environment that it was started in.
    environment: Mapping[str, str] = field(default_factory=dict)


def run_batch(batch: Batch) -> None:
    """Execute the run; how each product ended is in the registry, its events in Dagster's instance."""
    _log_to(Path(batch.log))
    os.environ.update(batch.environment)
    os.environ[WARM_DBT] = batch.dbt
    settings = read_settings()
    definitions = domain_definitions(batch.domain, settings)
    job = definitions.resolve_implicit_global_asset_job_def()
    assets = read_domain_assets(settings, batch.domain).assets if batch.weeks else ()
    chosen = [asset for asset in assets if str(asset.name).replace(".", "/") in batch.assets]
    with alive(settings, batch.run_id), open_instance(settings) as instance:
        result = job.execute_in_process(
            instance=instance,
            run_id=batch.run_id,
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in batch.assets],
            tags={**batch.tags, **range_tags(instance, chosen, batch.weeks)},
            raise_on_error=False,
        )
    shutil.rmtree(settings.scratch / batch.run_id, ignore_errors=True)
    sys.exit(0 if result.success else 1)


def _log_to(path: Path) -> None:
    """Everything that the run prints goes to its log: the terminal belongs to the progress bars."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
