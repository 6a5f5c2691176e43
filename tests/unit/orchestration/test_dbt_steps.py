"""A dbt model that fails inside a Dagster run: dbt as dagster-dbt starts it, on a project of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.lineage.dbt_files import dbt_property_files
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import PROJECT
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop, make_shop, write_product
from tests.unit.orchestration.test_steps import run

TILL = product_name("shop.till")
GOOD = "select cast(order_id as bigint) as order_id from {{ source('shop_sources', 'order_log') }}\n"
#: Fails when it runs, on the data: dbt compiles it without a complaint.
BAD = GOOD.replace("order_id as bigint", "order_id || '?' as bigint")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def dbt_shop(tmp_path: Path) -> Shop:
    """The shop with a product made by dbt, in a project with the example's macros and profile."""
    project = tmp_path / "dbt_project"
    shutil.copytree(
        PROJECT / "dbt_project", project, ignore=shutil.ignore_patterns("models", "target", "logs")
    )
    (project / "models" / "shop").mkdir(parents=True)
    shop = make_shop(tmp_path, MESH_DBT_PROJECT=str(project))
    folder = write_product(shop, "shop.till", columns=(("order_id", "BIGINT"),), recipe="")
    (folder / "recipe.sql").unlink()
    write_model(shop, GOOD)
    for path, text in dbt_property_files(shop.settings).items():
        path.write_text(text, encoding="utf-8")
    return shop


@pytest.fixture
def instance(dbt_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in dbt_shop.environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def write_model(shop: Shop, text: str) -> Path:
    path = shop.settings.dbt_project / "models" / "shop" / "till.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_model_that_fails_is_told_in_dbts_words_and_readers_keep_their_version(
    dbt_shop: Shop, instance: dg.DagsterInstance
) -> None:
    first = run(dbt_shop, instance, "shop.till")
    assert first.success
    model = write_model(dbt_shop, BAD)

    result = run(dbt_shop, instance, "shop.till", "shop.orders")

    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = str(failure.step_failure_data.user_failure_data)
    assert failure.step_key == "shop__till"
    assert "The recipe of shop.till raised" in told
    assert "Conversion Error" in told
    assert f"{model}:1" in told
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert result.asset_materializations_for_node("shop__till") == []
    # Whoever does not need it goes on.
    assert (dbt_shop.head("shop.till"), dbt_shop.head("shop.orders")) == (1, 1)
    with open_registry(dbt_shop.settings) as registry:
        last = registry.last_build(TILL)
    assert last is not None
    assert last.outcome is BuildOutcome.FAILED
    assert "Conversion Error" in last.message


def test_a_model_that_dbt_cannot_read_is_told_as_well(dbt_shop: Shop, instance: dg.DagsterInstance) -> None:
    write_model(dbt_shop, GOOD + "{{ no_such_macro() }}\n")

    result = run(dbt_shop, instance, "shop.till")

    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = str(failure.step_failure_data.user_failure_data)
    assert "no_such_macro" in told
    assert dbt_shop.head("shop.till") is None
