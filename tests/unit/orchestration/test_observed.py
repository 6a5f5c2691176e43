"""Promises of events and alerts in Dagster: they follow the registry by themselves."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.observed import EVENTS, observed_definitions
from mesh_assets.words.errors import MeshError, SettingMalformed
from mesh_assets.words.settings import read_settings
from tests.shop import Shop

RULES = """receivers:
  - {name: log, kind: file}
rules:
  - {name: refused, to: log, any: [{state: refused}]}
"""


def test_a_tick_sends_lineage_and_tells_of_a_refusal_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage, told = shop.root / "lineage.ndjson", shop.settings.home / "alerts.ndjson"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(lineage))
    (shop.root / "alerts.yaml").write_text(RULES, encoding="utf-8")
    shop.deliver("order_id,amount\n1,-5\n")
    with pytest.raises(MeshError, match="amount_positive"):
        shop.build("shop.orders")

    for _ in range(2):
        tick(observed_definitions(shop.settings))

    assert [event["eventType"] for event in lines(lineage)] == ["START", "FAIL"]
    assert [message["rules"] for message in lines(told)] == [["refused"]]


def test_the_asset_moves_events_into_the_lake(shop: Shop) -> None:
    shop.build("shop.orders")
    found = observed_definitions(shop.settings)
    assets = [each for each in found.assets or () if isinstance(each, dg.AssetsDefinition)]

    done = dg.materialize(assets, selection=[EVENTS])

    (event,) = done.asset_materializations_for_node("mesh__events")
    assert event.metadata["events moved"].value == 9


def test_one_setting_makes_the_sensors_of_the_mesh_look_more_often_and_never_less(shop: Shop) -> None:
    def between(seconds: str) -> list[int | None]:
        settings = read_settings({**shop.environment, "MESH_LOOK_SECONDS": seconds})
        repository = observed_definitions(settings).get_repository_def()
        names = ("mesh_lineage", "mesh_alerts")
        return [repository.get_sensor_def(name).minimum_interval_seconds for name in names]

    assert (between(""), between("20"), between("1"), between("600")) == (
        [15, 30],
        [15, 20],
        [1, 1],
        [15, 30],
    )
    with pytest.raises(SettingMalformed, match="MESH_LOOK_SECONDS"):
        between("0")


def tick(found: dg.Definitions) -> None:
    repository = found.get_repository_def()
    with dg.instance_for_test() as instance:
        for sensor in ("mesh_lineage", "mesh_alerts"):
            with dg.build_sensor_context(instance=instance, sensor_name=sensor) as context:
                repository.get_sensor_def(sensor).evaluate_tick(context)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
