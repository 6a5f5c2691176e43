"""`mesh build --together`: several products as one release, in this process, and Dagster told afterwards.

A run of Dagster belongs to one code location and yields each product's materialization as it goes; a release
of several domains is decided at its end. So no run is started: the events are reported once there is
something to report. Of a group that was not released Dagster hears what the rules said, and of no
materialization.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.model import Asset, Mesh
from mesh_assets.capabilities.publishing.build import Built
from mesh_assets.capabilities.publishing.code import who
from mesh_assets.capabilities.publishing.dbt import run_dbt
from mesh_assets.capabilities.publishing.program import run_program
from mesh_assets.capabilities.publishing.together import Together, publish_together
from mesh_assets.capabilities.publishing.workshop import Tools, Workshop
from mesh_assets.capabilities.registry import Registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Verdict
from mesh_assets.words.settings import Settings
from mesh_assets.words.versions import WHOLE, BuildOutcome

if TYPE_CHECKING:
    import dagster as dg


def release_together(
    settings: Settings,
    registry: Registry,
    mesh: Mesh,
    names: Collection[ProductName],
    *,
    weeks: tuple[str, ...] = (),
    force: bool = False,
    on_start: Callable[[ProductName], None] = lambda _: None,
) -> Together:
    """Publish these products as one release, and tell Dagster of what readers are shown now."""
    run_id = str(uuid.uuid4())
    for domain in sorted({name.domain for name in names}):
        check_own_files(settings, mesh.domains[domain].domain)

    def workshop(domain: str, selected: frozenset[ProductName], view: Registry) -> Workshop:
        return Workshop(
            settings=settings,
            registry=view,
            domain=mesh.domains[domain],
            run_id=run_id,
            who=who(),
            tools=Tools(dbt=run_dbt, program=run_program),
            selected=selected,
            weeks=weeks or None,
            force=force,
        )

    ended = publish_together(mesh, names, registry, workshop, on_start=on_start)
    _tell(settings, mesh, ended)
    return ended


def _tell(settings: Settings, mesh: Mesh, ended: Together) -> None:
    """Materializations of what was released, and what the rules said of the rest."""
    events: list[dg.AssetMaterialization | dg.AssetCheckEvaluation] = []
    for built in ended.built:
        if built.record.outcome is BuildOutcome.PUBLISHED:
            events += _shown(mesh.assets[built.record.product], built, ended)
            events += _said(mesh.assets[built.record.product], built.verdict)
    for name, verdict in ended.refused.items():
        events += _said(mesh.assets[name], verdict)
    if not events:
        return
    from mesh_assets.capabilities.orchestration.instance import open_instance

    with open_instance(settings) as instance:
        for event in events:
            instance.report_runless_asset_event(event)


def _shown(asset: Asset, built: Built, ended: Together) -> Iterator[dg.AssetMaterialization]:
    """One materialization for each partition that the version changed."""
    import dagster as dg
    from dagster._core.definitions.data_version import DATA_VERSION_TAG

    from mesh_assets.capabilities.orchestration.steps import version_metadata

    version = built.version
    assert version is not None  # it was published
    others = len(ended.changed) - 1
    for partition in ended.changed[asset.name]:
        week = None if partition == WHOLE else partition
        yield dg.AssetMaterialization(
            asset_key=dg.AssetKey(list(asset.name.asset_key)),
            partition=week,
            description=f"Released by `mesh build --together`, with {others} others.",
            metadata={**version_metadata(version, str(built.record.outcome), week), "run": version.run_id},
            tags={DATA_VERSION_TAG: version.fingerprint or "empty"},
        )


def _said(asset: Asset, verdict: Verdict | None) -> Iterator[dg.AssetCheckEvaluation]:
    """What each rule said, for the asset's page."""
    import dagster as dg

    from mesh_assets.capabilities.orchestration.steps import check_results

    results = verdict.results if verdict else ()
    for each in check_results(asset, results, {result.rule.id for result in results}):
        assert each.asset_key is not None and each.check_name is not None
        yield dg.AssetCheckEvaluation(
            asset_key=each.asset_key,
            check_name=each.check_name,
            passed=each.passed,
            metadata=each.metadata,
            severity=each.severity,
            description=each.description,
        )
