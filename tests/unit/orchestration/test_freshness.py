"""Service levels as freshness policies: Dagster's own daemon says whether they are kept."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.freshness import FreshnessDaemon

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.looks import tell_looked
from mesh_assets.capabilities.registry import open_registry
from tests.shop import Shop

KEY = dg.AssetKey(["shop", "orders"])

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")


def promise(shop: Shop, *levels: str) -> None:
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8").partition("\nslaProperties:")[0].rstrip("\n")
    written = "".join(f"\n  - {{{level}}}" for level in levels)
    path.write_text(f"{text}\nslaProperties:{written}\n", encoding="utf-8")


@pytest.fixture
def instance(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of this mesh, kept on disk as `mesh dev` has it."""
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    with open_instance(shop.settings) as instance:
        yield instance


def build(shop: Shop, instance: dg.DagsterInstance) -> None:
    """One Dagster run of the product."""
    job = domain_definitions("shop", shop.settings).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=instance, asset_selection=[KEY], raise_on_error=False).success


def state(shop: Shop, instance: dg.DagsterInstance, *, later: timedelta) -> FreshnessState:
    """What the freshness daemon finds and stores, so much later; its clock is the only thing that is set."""
    file = str(shop.root / "domains" / "shop" / "definitions.py")
    origin = LoadableTargetOrigin(executable_path=sys.executable, python_file=file, working_directory=None)
    target = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin))
    with WorkspaceProcessContext(instance, target) as workspace, freeze_time(datetime.now(UTC) + later):
        asyncio.run(FreshnessDaemon()._evaluate_assets(workspace))
    return instance.get_freshness_state_records([KEY])[KEY].freshness_state


def test_the_daemon_finds_a_promise_kept_and_then_broken(shop: Shop, instance: dg.DagsterInstance) -> None:
    promise(shop, "property: latency, value: 3, unit: d", "property: frequency, value: P1W")
    assert state(shop, instance, later=timedelta()) is FreshnessState.UNKNOWN
    build(shop, instance)

    assert state(shop, instance, later=timedelta(days=2)) is FreshnessState.PASS
    assert state(shop, instance, later=timedelta(days=3, minutes=1)) is FreshnessState.FAIL


def test_a_deadline_of_each_day_is_kept_and_then_missed(shop: Shop, instance: dg.DagsterInstance) -> None:
    promise(shop, "property: timeOfAvailability, value: '00:00Z'")
    build(shop, instance)

    assert state(shop, instance, later=timedelta()) is FreshnessState.PASS
    assert state(shop, instance, later=timedelta(days=2)) is FreshnessState.FAIL


def test_a_build_that_found_nothing_to_do_has_looked(shop: Shop, instance: dg.DagsterInstance) -> None:
    promise(shop, "property: latency, value: 3, unit: d")
    build(shop, instance)
    first = instance.get_latest_materialization_event(KEY)
    orders = read_domain_assets(shop.settings, "shop").assets[0]

    with open_registry(shop.settings) as registry:
        tell_looked(shop.settings, registry, [orders])
        early = instance.get_latest_materialization_event(KEY)
        old = {"shop.orders": "2024-01-01T00:00:00+00:00"}
        (shop.settings.dagster_home / "looked.json").write_text(json.dumps(old), encoding="utf-8")
        tell_looked(shop.settings, registry, [orders])
    second = instance.get_latest_materialization_event(KEY)

    assert first is not None
    assert early is not None
    assert second is not None
    assert early.timestamp == first.timestamp, "a tenth of the promise is not over: nobody is told"
    assert second.timestamp > first.timestamp
    tags = [each.asset_materialization.tags for each in (first, second) if each.asset_materialization]
    assert tags[0]["dagster/data_version"] == tags[1]["dagster/data_version"]


def test_the_page_of_an_asset_shows_what_is_promised_and_what_is_said(
    shop: Shop, instance: dg.DagsterInstance
) -> None:
    promise(shop, "property: latency, value: 3, unit: d", "property: endOfLife, value: '2042-05-12'")
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    said = "          - {type: text, description: The till is trusted.}\n          - name: amount_positive"
    path.write_text(text.replace("          - name: amount_positive", said), encoding="utf-8")

    specs = {spec.key: spec for spec in domain_definitions("shop", shop.settings).resolve_all_asset_specs()}
    spec = specs[KEY]

    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3))
    table = spec.metadata["service levels"]
    assert [dict(record.data) for record in table.records] == [
        {
            "property": "latency",
            "promise": "A build looks at it at least every 3 days",
            "watched": "a build looked within 3 days",
        },
        {"property": "endOfLife", "promise": "endOfLife: 2042-05-12", "watched": "no: said for readers"},
    ]
    assert "**Said, not checked**: amount: The till is trusted." in spec.description
    assert not [check for check in specs if "till" in str(check)]
