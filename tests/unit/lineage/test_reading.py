"""The mesh as its folders say it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesh_assets.capabilities.lineage.dbt_models import dbt_calls
from mesh_assets.capabilities.lineage.model import RecipeKind
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_domain_assets, read_mesh, stray_ports
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import product_name
from mesh_assets.words.settings import PROJECT, read_settings
from tests.shop import Shop


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_is_in_order_and_its_ports_tell_the_truth() -> None:
    mesh = read_mesh(read_settings({}))

    assert len(mesh.domains) == 8
    assert len(in_order(mesh, list(mesh.assets))) == len(mesh.assets)
    assert stray_ports(mesh) == []


def test_what_another_domain_makes_is_an_input(shop: Shop) -> None:
    mesh = read_mesh(shop.settings)

    revenue = mesh.asset(product_name("books.revenue"))
    assert [str(need) for need in revenue.needs] == ["shop.orders"]
    assert mesh.upstream([revenue.name]) == {revenue.name, product_name("shop.orders")}


def test_an_input_that_nobody_makes_is_told_with_its_file(shop: Shop) -> None:
    replace(shop.folder("books.revenue") / "recipe.sql", "-- input: shop.orders", "-- input: shop.order")

    with pytest.raises(
        MeshError, match=r"recipe\.sql:1: books\.revenue needs shop\.order, which no domain makes"
    ):
        read_mesh(shop.settings)


def test_a_private_asset_of_another_domain_is_refused(shop: Shop) -> None:
    private = shop.root / "domains/shop/_till"
    private.mkdir()
    (private / "recipe.sql").write_text("select 1 as id\n")
    replace(shop.folder("books.revenue") / "recipe.sql", "-- input: shop.orders", "-- input: shop._till")

    with pytest.raises(MeshError, match=r"recipe\.sql:1: shop\._till is private to shop"):
        read_mesh(shop.settings)


def test_a_private_asset_of_the_own_domain_is_an_asset_without_a_contract(shop: Shop) -> None:
    private = shop.root / "domains/shop/_till"
    private.mkdir()
    (private / "recipe.sql").write_text("-- source: order_log\nselect * from source.order_log\n")
    replace(shop.folder("shop.orders") / "recipe.sql", "-- source: order_log", "-- input: shop._till")

    mesh = read_mesh(shop.settings)

    assert mesh.asset(product_name("shop._till")).contract is None
    assert product_name("shop._till") not in {asset.name for asset in mesh.products}


def test_a_source_that_the_domain_does_not_receive_is_told(shop: Shop) -> None:
    replace(shop.folder("shop.orders") / "recipe.sql", "-- source: order_log", "-- source: orders")

    with pytest.raises(MeshError, match=r"'orders' is not a source of shop; domain\.yaml has order_log"):
        read_mesh(shop.settings)


def test_an_input_that_nobody_makes_is_told_with_the_one_that_was_meant(shop: Shop) -> None:
    replace(shop.folder("books.revenue") / "recipe.sql", "-- input: shop.orders", "-- input: shop.order")

    with pytest.raises(MeshError, match=r"did you mean shop\.orders\?"):
        read_mesh(shop.settings)


def test_two_recipes_of_one_product_are_told(shop: Shop) -> None:
    (shop.folder("shop.orders") / "recipe.py").write_text("")

    with pytest.raises(MeshError, match=r"orders/recipe\.sql:1: shop\.orders has 2 recipes.*keep one"):
        read_mesh(shop.settings)


def test_a_recipe_without_a_contract_is_told(shop: Shop) -> None:
    (shop.folder("shop.orders") / "contract.yaml").unlink()

    with pytest.raises(MeshError, match=r"contract\.yaml:1:1: shop\.orders has a recipe and no contract"):
        read_mesh(shop.settings)


def test_a_contract_without_a_recipe_is_told(shop: Shop) -> None:
    (shop.folder("shop.orders") / "recipe.sql").unlink()

    with pytest.raises(MeshError, match=r"shop\.orders has no recipe: write orders/recipe\.py"):
        read_mesh(shop.settings)


def test_a_code_location_is_not_stopped_by_another_domains_mistake(shop: Shop) -> None:
    (shop.folder("books.revenue") / "contract.yaml").write_text("kind: [")

    assert [str(asset.name) for asset in read_domain_assets(shop.settings, "shop").assets] == ["shop.orders"]


def test_ports_that_do_not_tell_the_truth_are_named(shop: Shop) -> None:
    replace(shop.root / "domains/books/domain.yaml", "contractId: shop.orders", "contractId: shop.returns")
    replace(shop.root / "domains/shop/domain.yaml", "contractId: shop.orders", "contractId: shop.sales")

    told = "\n".join(stray_ports(read_mesh(shop.settings)))

    for words in (
        "books/domain.yaml: inputPorts lacks shop.orders",
        "books/domain.yaml: inputPorts names shop.returns, which it has not",
        "shop/domain.yaml: outputPorts lacks shop.orders",
        "shop/domain.yaml: outputPorts names shop.sales, which it has not",
    ):
        assert words in told


def test_dbt_reads_the_same_calls_as_we_do(tmp_path: Path) -> None:
    """dbt's own manifest is the truth on what a model depends on."""
    project = PROJECT / "dbt_project"
    (tmp_path / "inputs.json").write_text(json.dumps({"views": []}))
    arguments = ["--quiet", "parse", "--no-partial-parse", "--project-dir", str(project)]
    arguments += ["--profiles-dir", str(project), "--target-path", str(tmp_path), "--log-path", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments],
        env={
            **os.environ,
            "MESH_DBT_INPUTS": str(tmp_path / "inputs.json"),
            "MESH_DBT_SCRATCH": str(tmp_path / "scratch.duckdb"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    by_dbt = {
        node["name"]: {tuple(each.split(".")[2:]) for each in node["depends_on"]["nodes"]}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }

    by_us = {}
    for asset in read_mesh(read_settings({})).assets.values():
        if asset.recipe.kind is RecipeKind.DBT:
            refs, sources = dbt_calls(asset.recipe.path)
            by_us[asset.name.product] = {*((ref,) for ref in refs), *sources}

    assert by_us == by_dbt
    assert len(by_dbt) > 20


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("shop.orders.order_idd", "shop.orders has no column 'order_idd'. Did you mean order_id?"),
        ("shop.order.order_id", "no domain makes shop.order. Did you mean shop.orders?"),
    ],
)
def test_a_relationship_that_points_at_nothing_is_refused_where_it_stands(
    shop: Shop, to: str, told: str
) -> None:
    path = shop.folder("books.revenue") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    column = "      - name: order_count\n"
    assert column in text
    path.write_text(
        text.replace(column, f"{column}        relationships: [{{to: {to}}}]\n"), encoding="utf-8"
    )
    line = text[: text.index(column)].count("\n") + 2

    with pytest.raises(MeshError) as refused:
        read_mesh(shop.settings)

    assert str(refused.value).startswith(f"{path}:{line}:")
    assert told in str(refused.value)
