"""Partitions across code locations: what each shows of its neighbours, and backfills over all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.remote_asset_graph import RemoteWorkspaceAssetGraph
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration

from mesh_assets.capabilities.orchestration.definitions import domain_definitions, everything
from mesh_assets.words.partitions import MONTH, WEEK, overlapping
from tests.cuts import drop, file_plans, make_cuts
from tests.shop import Shop

FILL, SALE, PERFORMANCE = (
    dg.AssetKey(each.split("/")) for each in ("till/fill", "facts/sale", "brand/performance")
)
START = date(2023, 1, 2)
LONG = tuple(str(START + timedelta(weeks=n)) for n in range(104))


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = make_cuts(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def alone(mesh: Shop, domain: str) -> dg.AssetGraph:
    return domain_definitions(domain, mesh.settings).resolve_asset_graph()


def parents(graph: dg.AssetGraph, child: dg.AssetKey, parent: dg.AssetKey, key: str) -> set[str]:
    """The partitions of the parent that Dagster says one of the child is made of."""
    with dg.DagsterInstance.ephemeral() as instance:
        cut, theirs = graph.get(child).partitions_def, graph.get(parent).partitions_def
        assert cut is not None and theirs is not None
        with _context(instance):
            found = graph.get_partition_mapping(
                child, parent_asset_key=parent
            ).get_upstream_mapped_partitions_result_for_partitions(
                cut.subset_with_partition_keys([key]), cut, theirs
            )
        return set(found.partitions_subset.get_partition_keys())


@contextmanager
def _context(instance: dg.DagsterInstance) -> Iterator[None]:
    from dagster._core.definitions.partitions.context import partition_loading_context

    with partition_loading_context(dynamic_partitions_store=instance):
        yield


def test_a_location_shows_what_it_needs_of_others_with_partitions_and_owners(mesh: Shop) -> None:
    stub = alone(mesh, "brand").get(SALE)

    assert isinstance(stub.partitions_def, dg.WeeklyPartitionsDefinition)
    assert not stub.is_executable
    assert stub.group_name == "facts" and stub.owners and "external" in stub.kinds


@pytest.mark.parametrize("month", ["2024-12-01", "2025-01-01"])
def test_dagster_takes_the_same_weeks_for_a_month_as_the_mesh_does(mesh: Shop, month: str) -> None:
    assert parents(alone(mesh, "brand"), PERFORMANCE, SALE, month) == set(overlapping(month, MONTH, WEEK))


def test_the_month_in_which_the_weeks_begin_takes_those_that_there_are(mesh: Shop) -> None:
    assert parents(alone(mesh, "brand"), PERFORMANCE, SALE, "2024-11-01") == {"2024-11-25"}


def test_a_neighbour_whose_contract_is_broken_is_shown_with_the_reason_and_breaks_nobody(mesh: Shop) -> None:
    (mesh.folder("facts.sale") / "contract.yaml").write_text("no: contract\n")

    stub = alone(mesh, "brand").get(SALE)

    assert stub.partitions_def is None
    assert "contract.yaml" in str(stub.metadata["its contract cannot be read"])


def test_in_one_process_every_product_is_there_once_and_no_stub(mesh: Shop) -> None:
    graph = everything(mesh.settings).resolve_asset_graph()

    assert all(graph.get(key).is_executable for key in (FILL, SALE, PERFORMANCE))


class Locations(WorkspaceLoadTarget):
    """A code location for each domain."""

    def __init__(self, mesh: Shop, domains: tuple[str, ...]) -> None:
        self.files = {name: mesh.root / "domains" / name / "definitions.py" for name in domains}

    def create_origins(self):  # type: ignore[no-untyped-def]  # Dagster's own classes
        return [
            InProcessCodeLocationOrigin(
                loadable_target_origin=LoadableTargetOrigin(python_file=str(file)), location_name=name
            )
            for name, file in self.files.items()
        ]


@contextmanager
def workspace(
    mesh: Shop, instance: dg.DagsterInstance, *domains: str
) -> Iterator[tuple[WorkspaceProcessContext, RemoteWorkspaceAssetGraph]]:
    with create_test_daemon_workspace_context(Locations(mesh, domains), instance) as context:
        yield context, context.create_request_context().asset_graph


def two_years(mesh: Shop) -> None:
    """104 weeks with a fill each, and 24 months."""
    for product, first, until in (
        ("till.fill", "2023-01-02", "2024-12-30"),
        ("facts.sale", "2023-01-02", "2024-12-30"),
        ("brand.performance", "2023-01-01", "2025-01-01"),
    ):
        path = mesh.folder(product) / "contract.yaml"
        text = path.read_text(encoding="utf-8")
        for written in ("2024-11-25", "2024-11-01"):
            text = text.replace(f"first: {written}", f"first: {first}")
        for written in ("2025-02-03", "2025-02-01"):
            text = text.replace(f"until: {written}", f"until: {until}")
        path.write_text(text, encoding="utf-8")
    for number, week in enumerate(LONG):
        drop(mesh, week, [(number, date.fromisoformat(week), 10)])


def test_a_backfill_of_104_weeks_over_three_locations_is_three_runs(
    mesh: Shop, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    two_years(mesh)
    with (
        instance_for_test(
            temp_dir=str(tmp_path),
            overrides={
                "run_launcher": {
                    "module": "dagster._core.launcher.sync_in_memory_run_launcher",
                    "class": "SyncInMemoryRunLauncher",
                },
                "run_coordinator": {
                    "module": "dagster._core.run_coordinator",
                    "class": "DefaultRunCoordinator",
                },
            },
        ) as instance,
        workspace(mesh, instance, "brand", "facts", "till") as (context, graph),
    ):
        # The stub's location stands first, and the owner's asset is the truth all the same.
        assert graph.get(FILL).is_materializable and graph.get(SALE).is_materializable
        assert graph.get(SALE).backfill_policy is not None
        instance.add_backfill(
            PartitionBackfill.from_asset_partitions(
                backfill_id="two-years",
                asset_graph=graph,
                partition_names=list(LONG),
                asset_selection=[FILL, SALE, PERFORMANCE],
                backfill_timestamp=time.time(),
                tags={},
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            errors = [each for each in execute_backfill_iteration(context, logging.getLogger("test")) if each]
            assert not errors, errors
            backfill = instance.get_backfill("two-years")
            assert backfill is not None
            if backfill.status not in (BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING):
                break
            time.sleep(0.5)

        told = [(run.status, run.tags) for run in instance.get_runs()]
        assert backfill.status is BulkActionStatus.COMPLETED_SUCCESS, told
        runs = instance.get_runs()
        assert len(runs) == 3
    assert len(mesh.rows("brand.performance")) == 24
    assert not [each for each in recwarn if "node is allowed per asset key" in str(each.message)]


def test_files_become_partitions_that_dagster_knows(mesh: Shop) -> None:
    from mesh_assets.capabilities.lineage.read import read_domain_assets
    from mesh_assets.capabilities.orchestration.partitions import range_tags, tell_of_files

    plans = read_domain_assets(mesh.settings, "plans").assets
    with dg.DagsterInstance.ephemeral() as instance:
        file_plans(mesh, "best_2024", ("B", 20))
        assert list(tell_of_files(instance, plans).values()) == [("best_2024",)]
        file_plans(mesh, "acme_2024", ("A", 10))
        tags = range_tags(instance, plans, ["acme_2024", "best_2024"])
        job = domain_definitions("plans", mesh.settings).resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(instance=instance, tags=tags)

        assert done.success
        assert instance.get_materialized_partitions(dg.AssetKey(["plans", "plan"])) == {
            "best_2024",
            "acme_2024",
        }
    assert mesh.rows("plans.plan") == [("A", 10, "acme_2024"), ("B", 20, "best_2024")]
