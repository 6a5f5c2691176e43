"""A kitchen in Dagster: nothing looks stale, locations say where they are, nothing starts by itself."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
import yaml

from mesh_assets.capabilities.orchestration.definitions import everything
from mesh_assets.capabilities.orchestration.instance import open_instance
from mesh_assets.capabilities.orchestration.kitchen_home import kitchen_workspace, seed_dagster, tell_built
from mesh_assets.capabilities.orchestration.kitchen_schedules import (
    dry_run,
    end_live,
    go_live,
    live_until,
    of_environment,
)
from mesh_assets.capabilities.registry import open_registry
from tests.shop import Shop
from tests.unit.kitchens.conftest import edit, opened

REVENUE = dg.AssetKey(["books", "revenue"])


def statuses(definitions: dg.Definitions) -> set[str]:
    ours = (dg.SensorDefinition, dg.ScheduleDefinition)
    all_of_them = [*(definitions.sensors or ()), *(definitions.schedules or ())]
    return {each.default_status.value for each in all_of_them if isinstance(each, ours)}


def test_dagster_knows_what_a_kitchen_was_opened_with_and_what_it_made(
    built: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    inside = opened(built)

    count = seed_dagster(inside.settings)
    again = seed_dagster(inside.settings)
    edit(inside, "books.revenue", "sum(amount)", "sum(amount) * 2")
    tell_built(inside.settings, [inside.build("books.revenue", run_id="in-kitchen")])

    assert count > 2 and again == 0
    with open_instance(inside.settings) as instance:
        event = instance.get_latest_materialization_event(REVENUE)
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(dg.AssetKey(["shop", "orders"]), "amount_positive")]
        )
    with open_registry(inside.settings) as registry:
        heads = {str(name): each.fingerprint for name, each in registry.head_versions().items()}
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.tags["dagster/data_version"] == heads["books.revenue"]
    assert len(checks) == 1


def test_locations_carry_the_name_of_the_kitchen(built: Shop) -> None:
    module = {"python_module": {"module_name": "a.b", "location_name": "shop"}}
    file = {"python_file": {"relative_path": "domains/shop/definitions.py", "location_name": "books"}}
    inside = opened(built)
    path = inside.settings.workspace
    path = inside.settings.domains.parent / "workspace.yaml"
    path.write_text(yaml.safe_dump({"load_from": [module, file]}))
    from dataclasses import replace

    settings = replace(inside.settings, workspace=path)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)

    found = yaml.safe_load(kitchen_workspace(settings).read_text())["load_from"]

    assert found[0]["python_module"]["location_name"] == "shop in kitchen try"
    assert found[1]["python_file"]["relative_path"] == str(path.parent / "domains/shop/definitions.py")


def test_nothing_starts_by_itself_in_a_kitchen_unless_it_is_live_and_then_for_a_bounded_time(
    built: Shop,
) -> None:
    inside = opened(built)

    off = of_environment(everything(inside.settings), inside.settings)
    go_live(inside.settings, timedelta(hours=1))
    live = of_environment(everything(inside.settings), inside.settings)
    end_live(inside.settings)

    assert statuses(off) == {"STOPPED"}
    assert statuses(live) == {"RUNNING"}
    assert live_until(inside.settings) is None
    sensor = next(each for each in live.sensors or () if isinstance(each, dg.SensorDefinition))
    with dg.build_sensor_context() as context:
        told = sensor.evaluate_tick(context).skip_message
    assert told is not None and "are off" in told
    assert statuses(of_environment(everything(built.settings), built.settings)) != {"STOPPED"}


def test_a_dry_run_shows_what_would_run_and_keeps_nothing(built: Shop) -> None:
    inside = opened(built)
    before = (inside.settings.home / "registry.sqlite").read_bytes()

    ticks = dry_run(inside.settings)

    names = {each.name for each in ticks}
    assert {"shop_automation", "shop_arrivals", "books_upkeep"} <= names
    assert not [each for each in ticks if each.told.startswith("fails")]
    assert next(each for each in ticks if each.name == "books_upkeep").runs
    assert (inside.settings.home / "registry.sqlite").read_bytes() == before
