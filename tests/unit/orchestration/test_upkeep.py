"""Maintenance runs as an asset of each domain, and its schedule waits for an owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.upkeep import (
    one_round,
    upkeep_asset,
    upkeep_definitions,
    upkeep_key,
)
from tests.shop import Shop, make_shop
from tests.unit.upkeep.keeping import keep, publish


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)


def test_a_round_reports_what_it_found_and_the_bytes_that_it_got_back(shop: Shop) -> None:
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    a_year_on = datetime.now(UTC) + timedelta(days=365)

    told = one_round("shop", shop.settings, now=a_year_on)

    assert (told["findings"], told["versions expired"], told["files deleted"]) == (0, 1, 1)
    assert told["bytes reclaimed"] > 0


def test_the_asset_materializes_and_says_so(shop: Shop) -> None:
    publish(shop, 1)

    done = dg.materialize([upkeep_asset("shop", shop.settings)])

    (event,) = done.asset_materializations_for_node(upkeep_key("shop").to_python_identifier())
    assert event.metadata["bytes reclaimed"].value == 0


def test_its_schedule_is_off_until_somebody_turns_it_on(shop: Shop) -> None:
    schedules = [
        each
        for each in upkeep_definitions(shop.settings).schedules or ()
        if isinstance(each, dg.ScheduleDefinition)
    ]

    assert {each.name for each in schedules} >= {"shop_upkeep"}
    assert {each.default_status for each in schedules} == {dg.DefaultScheduleStatus.STOPPED}


def test_it_is_in_no_domains_location_so_that_materializing_all_of_one_deletes_nothing(shop: Shop) -> None:
    location = domain_definitions("shop", shop.settings)

    assert upkeep_key("shop") not in location.resolve_asset_graph().get_all_asset_keys()
