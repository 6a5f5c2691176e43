"""A domain's folder as Dagster definitions. Loading them reads YAML and syntax trees; no engine is
imported.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import domain_names, read_domain_assets, read_mesh
from mesh_assets.capabilities.orchestration.announced import with_announcements
from mesh_assets.capabilities.orchestration.arrivals import arrivals_sensor
from mesh_assets.capabilities.orchestration.automation import automation_sensor
from mesh_assets.capabilities.orchestration.journeys import journey_definitions
from mesh_assets.capabilities.orchestration.neighbours import stubs
from mesh_assets.capabilities.orchestration.steps import model_step, product_step
from mesh_assets.capabilities.orchestration.surroundings import SURROUNDINGS, surroundings
from mesh_assets.words.settings import Settings


def domain_definitions(name: str, settings: Settings, *, alone: bool = True) -> dg.Definitions:
    """Products, private assets, checks, a job and the automation sensor of one domain; `alone` with stubs of
    what it needs of others.
    """
    domain = read_domain_assets(settings, name)
    check_own_files(settings, domain.domain)
    stored = [asset for asset in domain.assets if asset.in_lake]
    models = [asset for asset in domain.assets if not asset.in_lake]
    steps = [product_step(domain, asset) for asset in stored]
    if models:
        steps.append(model_step(domain, models))
    arrivals = arrivals_sensor(domain, settings)
    return dg.Definitions(
        assets=[
            *with_announcements(settings, domain, steps),
            *(stubs(domain) if alone else []),
        ],
        jobs=_jobs(name, steps),
        sensors=[
            *([arrivals] if arrivals else []),
            automation_sensor(domain, settings),
        ]
        if stored
        else [],
        # DuckDB uses every core inside one step; a process per step costs 4-6 CPU seconds
        # (docs/orchestration.md).
        executor=dg.in_process_executor,
        metadata={SURROUNDINGS: surroundings()},
    )


def _jobs(name: str, steps: list[dg.AssetsDefinition]) -> list[UnresolvedAssetJobDefinition]:
    """One button for the domain; one for each kind of partitions where it has several, as a run has one."""
    kinds: dict[str, list[dg.AssetKey]] = {}
    for step in steps:
        for spec in step.specs:
            kind = type(spec.partitions_def).__name__.removesuffix("PartitionsDefinition").lower()
            kinds.setdefault("" if spec.partitions_def is None else f"_{kind}", []).append(spec.key)
    several = len(kinds.keys() - {""}) > 1
    chosen = kinds if several else {"": [key for keys in kinds.values() for key in keys]}
    return [
        dg.define_asset_job(
            f"build_{name}{kind}",
            selection=dg.AssetSelection.assets(*keys),
            description=f"Builds products of {name} whose inputs changed."
            + (f" Those that are{kind.replace('_', ' ')}." if kind else ""),
            tags={"mesh/domain": name},
        )
        for kind, keys in chosen.items()
    ]


def everything(settings: Settings) -> dg.Definitions:
    """The whole mesh in one process: for laptops, tests and validation before a reload."""
    mesh = read_mesh(settings)
    # Together they refuse what no single domain can see: unknown and private inputs, circles.
    in_order(mesh, list(mesh.assets))
    domains = [domain_definitions(name, settings, alone=False) for name in domain_names(settings)]
    return dg.Definitions.merge(*domains, journey_definitions(settings))
