"""A journey in Dagster: a job whose steps give orders, an asset with promises, a schedule or a trigger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.journeys import journey_definitions
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.orders import JobReport
from mesh_assets.words.settings import Settings
from tests.shop import Shop

JOURNEY = """name: takings
description: What was taken.
targets: [books.revenue]
{when}
steps:
  - {{name: till, products: [shop.orders]}}
  - {{name: bank, external: bank_sync}}
  - {{name: count, products: [books.revenue]}}
expectations:
  steps_in_order: true
  rows: {{books.revenue: {{minimum: 1}}}}
"""
DAILY = 'schedule: {cron: "0 6 * * *", timezone: Europe/Vienna}'


@pytest.fixture
def settings(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    return shop.settings


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


def write(shop: Shop, when: str = DAILY) -> None:
    folder = shop.root / "journeys"
    folder.mkdir()
    (folder / "takings.yaml").write_text(JOURNEY.format(when=when), encoding="utf-8")


def report(settings: Settings) -> None:
    with open_registry(settings) as registry:
        assert registry.report_job(JobReport("bank_sync", "run 7", datetime.now(UTC), True))
        assert not registry.report_job(JobReport("bank_sync", "run 7", datetime.now(UTC), True))


def failed_steps(instance: dg.DagsterInstance, run: str) -> set[str]:
    stats = instance.get_run_step_stats(run)
    return {each.step_key for each in stats if each.status is not None and each.status.value == "FAILURE"}


def test_a_journeys_steps_run_in_order_across_domains_and_its_asset_keeps_its_promises(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    write(shop)
    report(settings)
    definitions = journey_definitions(settings)

    done = definitions.resolve_job_def("takings").execute_in_process(instance=instance)

    assert done.success
    assert shop.rows("books.revenue") == [(2, 30)]
    children = instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": done.run_id}))
    assert [run.tags["mesh/domain"] for run in children] == ["books", "shop"]
    assert {run.tags["mesh/journey"] for run in children} == {"takings"}

    looked = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(["journeys", "takings"])]
    )
    results = {each.check_name: each.passed for each in looked.get_asset_check_evaluations()}
    # The job was reported before the till was counted: out of sequence, and told so.
    assert results == {"complete": True, "steps_in_order": False, "rows_of_books_revenue": True}


def test_a_refused_step_is_red_and_its_consumers_are_left_out(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    write(shop)
    report(settings)
    shop.deliver("order_id,amount\n1,-10\n")
    job = journey_definitions(settings).resolve_job_def("takings")

    done = job.execute_in_process(instance=instance, raise_on_error=False)

    assert failed_steps(instance, done.run_id) == {"takings__till_green", "takings__count_green"}
    assert shop.head("books.revenue") is None


def test_what_comes_after_a_foreign_job_waits_for_its_report(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    write(shop)
    job = journey_definitions(settings).resolve_job_def("takings")

    done = job.execute_in_process(instance=instance, raise_on_error=False)

    assert failed_steps(instance, done.run_id) == {"takings__bank_green", "takings__count_green"}
    assert (shop.head("shop.orders"), shop.head("books.revenue")) == (1, None)


def test_a_trigger_begins_one_run_for_each_new_version(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    write(shop, "trigger: {published: shop.orders}")
    shop.build("shop.orders")
    sensor = journey_definitions(settings).resolve_sensor_def("takings_trigger")
    context = dg.build_sensor_context(instance=instance)

    def asked() -> list[str | None]:
        return [each.run_key for each in sensor.evaluate_tick(context).run_requests or ()]

    assert asked() == []  # what was published before anybody looked triggers nothing
    context.update_cursor("1")
    assert asked() == []
    shop.deliver("order_id,amount\n1,11\n")
    shop.build("shop.orders", run_id="run-2")
    assert asked() == ["takings-shop.orders-2"]


def test_states_are_reported_when_they_change_and_not_again(
    shop: Shop, settings: Settings, instance: dg.DagsterInstance
) -> None:
    write(shop)
    sensor = journey_definitions(settings).resolve_sensor_def("journey_states")

    first = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    again = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=first.cursor))

    names = {each.check_name for each in first.asset_events if isinstance(each, dg.AssetCheckEvaluation)}
    assert names == {"complete", "steps_in_order", "rows_of_books_revenue"}
    assert list(again.asset_events) == []


def test_a_schedule_keeps_its_time_zone(shop: Shop, settings: Settings) -> None:
    write(shop)

    schedule = journey_definitions(settings).resolve_schedule_def("takings_schedule")

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Europe/Vienna")


def test_a_domain_that_cannot_be_read_takes_away_its_own_journeys_and_no_others(
    shop: Shop, settings: Settings
) -> None:
    write(shop)
    till = "name: till\ndescription: The till.\ntargets: [shop.orders]\n" + DAILY
    (shop.root / "journeys" / "till.yaml").write_text(till, encoding="utf-8")
    (shop.folder("books.revenue") / "contract.yaml").write_text("kind: [", encoding="utf-8")

    definitions = journey_definitions(settings)

    assert {job.name for job in definitions.jobs or ()} == {"till", "mesh_kitchen"}
    assert {sensor.name for sensor in definitions.sensors or ()} >= {"mesh_alerts"}
