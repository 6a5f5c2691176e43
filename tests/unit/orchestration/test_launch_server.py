"""What a run that Dagster's server starts is told of its partitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.orchestration.launch import Launch
from mesh_assets.capabilities.orchestration.launch_server import RunsOnServer
from mesh_assets.capabilities.orchestration.partitions import RANGE_END, RANGE_START
from mesh_assets.capabilities.orchestration.server import Server
from mesh_assets.words.names import ProductName, product_name
from tests.cuts import file_plans, make_cuts
from tests.shop import Shop


@pytest.fixture
def mesh(tmp_path: Path) -> Shop:
    return make_cuts(tmp_path)


def told(mesh: Shop, product: str, *partitions: str) -> list[str | None]:
    """First and last partition in the tags of a run, as Dagster has them."""
    name: ProductName = product_name(product)
    launch = Launch(name.domain, (name,), (f"{name.domain}/{name.product}",), partitions, {})
    tags = RunsOnServer(Server("http://127.0.0.1:9"), mesh.settings)._tags(launch)
    found = {each["key"]: each["value"] for each in tags}
    return [found.get(RANGE_START), found.get(RANGE_END)]


def test_a_run_over_weeks_has_the_first_and_the_last(mesh: Shop) -> None:
    assert told(mesh, "till.fill", "2024-11-25", "2024-12-02", "2024-12-09") == ["2024-11-25", "2024-12-09"]


def test_a_run_over_files_has_them_in_the_order_in_which_dagster_was_told_of_them(mesh: Shop) -> None:
    """Its ranges go by that order: from `acme` to `best` there is nothing where best came first."""
    file_plans(mesh, "best_2024", ("B", 20))
    assert told(mesh, "plans.plan", "best_2024") == ["best_2024", "best_2024"]
    file_plans(mesh, "acme_2024", ("A", 10))

    assert told(mesh, "plans.plan", "acme_2024", "best_2024") == ["best_2024", "acme_2024"]


def test_a_run_over_whole_products_has_no_partitions(mesh: Shop) -> None:
    assert told(mesh, "plans.plan") == [None, None]
