"""What is let go of in Dagster's records, and what stays: after real runs of a small mesh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test, environ

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.records import RECORDS, records_definitions
from mesh_assets.capabilities.orchestration.retention import prune
from tests.shop import Shop

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
MONTH = timedelta(days=30)
ORDERS = dg.AssetKey(["shop", "orders"])


@pytest.fixture
def built(shop: Shop) -> Iterator[str]:
    """The id of a run that published shop.orders, with Dagster's events on disk."""
    with environ({**shop.environment, "DAGSTER_HOME": ""}), open_instance(shop.settings) as instance:
        job = domain_definitions("shop", shop.settings).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, asset_selection=[ORDERS])
        yield result.run_id


def later(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def kinds(shop: Shop, run_id: str) -> list[str]:
    with open_instance(shop.settings) as instance:
        return [
            entry.dagster_event.event_type_value if entry.dagster_event else "log"
            for entry in instance.all_logs(run_id)
        ]


def test_plain_steps_go_after_a_month_and_what_was_made_and_checked_stays(shop: Shop, built: str) -> None:
    before = kinds(shop, built)
    assert {"log", "STEP_START", "ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"} <= set(before)
    assert prune(shop.settings, older_than=MONTH, now=later(20)).runs == 0

    done = prune(shop.settings, older_than=MONTH, now=later(31))

    after = kinds(shop, built)
    assert done.runs == 1 and done.events == len(before) - len(after) > 0
    assert "STEP_START" not in after and "log" not in after
    assert after.count("ASSET_CHECK_EVALUATION") == before.count("ASSET_CHECK_EVALUATION")
    with open_instance(shop.settings) as instance:
        record = instance.get_run_record_by_id(built)
        assert record is not None and record.dagster_run.is_success  # its page opens
        assert instance.get_run_stats(built).materializations == 1
        assert instance.get_latest_materialization_event(ORDERS) is not None
        key = dg.AssetCheckKey(ORDERS, "amount_positive")
        (check,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
        assert check.status.value == "SUCCEEDED"


def test_a_second_round_finds_nothing_and_a_dry_one_takes_nothing(shop: Shop, built: str) -> None:
    before = kinds(shop, built)

    told = prune(shop.settings, older_than=MONTH, now=later(31), dry_run=True)

    assert told.events > 0 and kinds(shop, built) == before
    assert prune(shop.settings, older_than=MONTH, now=later(31)).events == told.events
    assert prune(shop.settings, older_than=MONTH, now=later(32)).runs == 0


def test_a_run_under_way_is_never_touched(shop: Shop, built: str) -> None:
    with open_instance(shop.settings) as instance:
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)

    done = prune(shop.settings, older_than=MONTH, now=later(400))

    assert done.runs == 1  # the finished one alone
    with open_instance(shop.settings) as instance:
        found = instance.get_run_by_id(run.run_id)
        assert found is not None and found.status is dg.DagsterRunStatus.STARTED and not found.tags


def test_logs_of_steps_and_of_commands_go_and_their_bytes_are_told(shop: Shop, built: str) -> None:
    printed = shop.settings.dagster_home / "logs" / built / "compute_logs" / "step.out"
    printed.parent.mkdir(parents=True, exist_ok=True)
    printed.write_text("x" * 5000, encoding="utf-8")
    own = shop.settings.home / "logs" / "shop-1.log"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("y" * 700, encoding="utf-8")

    done = prune(shop.settings, older_than=MONTH, now=later(31))

    assert not printed.exists() and not own.exists()
    assert done.logs >= 2 and done.bytes >= 5700


def test_the_scheduled_asset_says_what_it_reclaimed(shop: Shop, built: str) -> None:
    definitions = records_definitions(shop.settings)
    with open_instance(shop.settings) as instance:
        result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)

    (event,) = result.asset_materializations_for_node(RECORDS.to_python_identifier())
    assert event.metadata["runs pruned"].value == 0  # the run is of today
    (schedule,) = definitions.schedules or ()
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
