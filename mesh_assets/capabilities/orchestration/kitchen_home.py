"""A kitchen in Dagster: its own home, told of what it was opened with, and its locations by name.

Here: what a first `mesh kitchen dev` does. Not here: opening (kitchens), which does not wait for Dagster.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mesh_assets.capabilities.lineage.workspace import Location, code_locations
from mesh_assets.capabilities.orchestration.instance import (
    EVENTS_AT_ONCE,
    open_instance,
    prepare_dagster_home,
)
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, BuildOutcome, Version

if TYPE_CHECKING:
    import dagster as dg
    from dagster import DagsterInstance, EventLogEntry

    from mesh_assets.capabilities.publishing.build import Built

#: Says in Dagster's home that it knows what the kitchen was opened with.
SEEDED = "seeded.json"


def serve_kitchen(settings: Settings, port: int) -> None:
    """Become `dagster dev` over the kitchen."""
    from mesh_assets.capabilities.orchestration.alive import tell_of_dead_runs
    from mesh_assets.capabilities.orchestration.server import become_dagster_dev

    seed_dagster(settings)
    tell_of_dead_runs(settings)
    become_dagster_dev(settings, port, "-w", str(kitchen_workspace(settings)))


def seed_dagster(settings: Settings) -> int:
    """Tell the kitchen's Dagster once of every version that it was opened with; how many events that were."""
    done = prepare_dagster_home(settings) / SEEDED
    if done.is_file():
        return 0
    with open_registry(settings) as registry:
        versions = list(registry.head_versions().values())
    with open_instance(settings) as instance:
        count = _store(instance, (entry for version in versions for entry in _entries(version)))
    done.write_text(json.dumps({"versions": len(versions), "events": count}), encoding="utf-8")
    return count


def tell_built(settings: Settings, built: Sequence[Built]) -> None:
    """Tell the kitchen's Dagster of products that a run made, as it knows those of the opening."""
    made = [each.version for each in built if each.version and each.record.outcome is BuildOutcome.PUBLISHED]
    with open_instance(settings) as instance:
        _store(instance, (entry for version in made for entry in _entries(version)))


def kitchen_workspace(settings: Settings) -> Path:
    """The workspace of the kitchen's code, each location under the kitchen's name as well."""
    entries = [_renamed(location, settings) for location in code_locations(settings.workspace)]
    target = settings.dagster_home / "workspace.yaml"
    target.write_text(yaml.safe_dump({"load_from": entries}, sort_keys=False), encoding="utf-8")
    return target


def _renamed(location: Location, settings: Settings) -> dict[str, Any]:
    """Paths in it are beside the kitchen's own file."""
    facts = dict(location.facts)
    for word in ("relative_path", "working_directory"):
        if word in facts:
            facts[word] = str((settings.workspace.parent / facts[word]).resolve())
    return {location.kind: {**facts, "location_name": f"{location.name} in kitchen {settings.kitchen}"}}


def _store(instance: DagsterInstance, entries: Iterator[EventLogEntry]) -> int:
    """In batches, each one transaction."""
    count = 0
    while batch := list(islice(entries, EVENTS_AT_ONCE)):
        instance.event_log_storage.store_event_batch(batch)
        count += len(batch)
    return count


def _entries(version: Version) -> Iterator[EventLogEntry]:
    from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
    from dagster._core.instance.utils import RUNLESS_JOB_NAME

    for materialization in _materializations(version):
        yield _entry(
            DagsterEvent(
                event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
                event_specific_data=StepMaterializationData(materialization),
                job_name=RUNLESS_JOB_NAME,
            )
        )
    for evaluation in _evaluations(version):
        yield _entry(
            DagsterEvent(
                event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
                event_specific_data=evaluation,
                job_name=RUNLESS_JOB_NAME,
            )
        )


def _entry(event: Any) -> EventLogEntry:
    from dagster import EventLogEntry
    from dagster._core.instance.utils import RUNLESS_RUN_ID

    return EventLogEntry(  # type: ignore[no-untyped-call]
        user_message="",
        level=logging.INFO,
        job_name=event.job_name,
        run_id=RUNLESS_RUN_ID,
        error_info=None,
        timestamp=time.time(),
        dagster_event=event,
    )


def _materializations(version: Version) -> Iterator[dg.AssetMaterialization]:
    import dagster as dg
    from dagster._core.definitions.data_version import DATA_VERSION_TAG

    from mesh_assets.capabilities.orchestration.steps import version_metadata

    partitions: Sequence[str] = sorted(version.certificate.partitions) or (WHOLE,)
    for partition in partitions:
        week = None if partition == WHOLE else partition
        yield dg.AssetMaterialization(
            asset_key=dg.AssetKey(list(version.product.asset_key)),
            partition=week,
            description=_about(version),
            metadata=version_metadata(version, "opened with" if version.stored else "published", week),
            tags={DATA_VERSION_TAG: version.fingerprint or "empty"},
        )


def _about(version: Version) -> str:
    if version.stored:
        return f"The kitchen was opened with it; its rows are in {version.stored}."
    return "Made in the kitchen."


def _evaluations(version: Version) -> Iterator[dg.AssetCheckEvaluation]:
    import dagster as dg

    for said in version.certificate.rule_results:
        warns = said["severity"] != "error" or said.get("quarantined_rows")
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(list(version.product.asset_key)),
            check_name=said["id"],
            passed=said["outcome"] == "passed",
            severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
            description=f"{said['summary']} (certificate of version {version.number})",
        )
