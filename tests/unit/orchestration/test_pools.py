"""The queue of runs is fair between domains: Dagster's own instance and daemon, as dagster.yaml says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.test_utils import create_run_for_test, environ
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.pools import DOMAIN_TAG, DomainQueue, domain_of
from tests.shop import Shop

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def instance(shop: Shop) -> Iterator[dg.DagsterInstance]:
    with environ({**shop.environment, "DAGSTER_HOME": ""}), open_instance(shop.settings) as instance:
        yield instance


def queue(instance: dg.DagsterInstance, domain: str, count: int) -> None:
    """Runs that wait, as whoever submitted them left them."""
    for _ in range(count):
        create_run_for_test(
            instance,
            status=dg.DagsterRunStatus.QUEUED,
            tags={DOMAIN_TAG: domain},
            remote_job_origin=origin(domain),
        )


def origin(location: str) -> RemoteJobOrigin:
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
    return RemoteJobOrigin(place, "__ASSET_JOB")


def let_in(instance: dg.DagsterInstance) -> list[str]:
    """The domains whose runs the daemon would start now."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=5)
    runs = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), fixed_iteration_time=None)
    return [run.tags[DOMAIN_TAG] for run in runs]


def test_the_shipped_queue_is_the_one_that_knows_domains(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_coordinator, DomainQueue)
    limits = instance.get_concurrency_config().run_queue_config
    assert limits is not None and limits.tag_concurrency_limits[0]["key"] == DOMAIN_TAG


def test_a_domain_with_twenty_waiting_runs_does_not_hold_back_another_one(
    instance: dg.DagsterInstance,
) -> None:
    queue(instance, "shop", 20)
    queue(instance, "books", 1)

    assert Counter(let_in(instance)) == {"shop": 1, "books": 1}


def test_a_domain_whose_run_is_under_way_waits_with_its_next_one(instance: dg.DagsterInstance) -> None:
    create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags={DOMAIN_TAG: "shop"})
    queue(instance, "shop", 20)

    assert let_in(instance) == []
    queue(instance, "books", 1)
    assert let_in(instance) == ["books"]


def test_a_run_without_a_tag_gets_the_domain_of_what_it_makes(instance: dg.DagsterInstance) -> None:
    keys = frozenset({dg.AssetKey(["shop", "orders"]), dg.AssetKey(["shop", "stock"])})

    assert domain_of(create_run_for_test(instance, asset_selection=keys)) == "shop"
    both = frozenset({*keys, dg.AssetKey(["books", "revenue"])})
    assert domain_of(create_run_for_test(instance, asset_selection=both)) == ""
    mixed = create_run_for_test(instance, asset_selection=both, remote_job_origin=origin("everything"))
    assert domain_of(mixed) == "everything"
