"""A recipe that says which columns it reads is given no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities.lineage.columns import How, column_lineage
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.lineage_out import Target, emit
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import MeshError, RecipeMalformed
from mesh_assets.words.names import product_name
from mesh_assets.words.versions import Version
from tests.shop import Shop, make_shop

RECIPE = """from mesh_assets import mesh


@mesh.recipe(inputs=["shop.orders"], columns={"shop.orders": ["%s"]})
def revenue(run):
    %s
    return "select count(*) as order_count, sum(amount)::decimal(38,0) as revenue from shop.orders"
"""
REVENUE = product_name("books.revenue")


def write(shop: Shop, column: str = "amount", line: str = "pass") -> None:
    folder = shop.folder("books.revenue")
    (folder / "recipe.sql").unlink(missing_ok=True)
    (folder / "recipe.py").write_text(RECIPE % (column, line), encoding="utf-8")


def test_declared_columns_are_what_is_read(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    write(shop)

    found = column_lineage(shop.settings, read_mesh(shop.settings), REVENUE)

    assert found.how is How.DECLARED
    assert found.reads == {product_name("shop.orders"): frozenset({"amount"})}


def test_no_other_column_is_there_and_the_certificate_tells(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    shop.build("shop.orders")
    write(shop, line='run.con.sql("select order_id from shop.orders")')
    with pytest.raises(MeshError, match="order_id"):
        shop.build("books.revenue", run_id="run-2")

    write(shop, line='assert run.read("shop.orders").polars().columns == ["amount"]')
    shop.build("books.revenue", run_id="run-3")

    with open_registry(shop.settings) as registry:
        version = registry.head(REVENUE)
    assert version is not None
    assert version.certificate.lineage["reads"] == {"shop.orders": ["amount"]}
    assert drawn_by_dagster(version) == {
        "order_count": ["shop.orders.amount"],
        "revenue": ["shop.orders.amount"],
    }
    assert told_by_openlineage(shop)["dataset"] == [
        {
            "namespace": "mesh",
            "name": "shop.orders",
            "field": "amount",
            "transformations": [{"type": "INDIRECT"}],
        }
    ]


def drawn_by_dagster(version: Version) -> dict[str, list[str]]:
    from mesh_assets.capabilities.orchestration.steps import version_metadata

    found = version_metadata(version, "published", None)
    assert found["column lineage"].startswith("declared")
    deps = found["dagster/column_lineage"].deps_by_column
    return {
        name: [f"{'.'.join(each.asset_key.path)}.{each.column_name}" for each in origins]
        for name, origins in deps.items()
    }


def told_by_openlineage(shop: Shop) -> dict[str, Any]:
    path = shop.root / "lineage.ndjson"
    with open_registry(shop.settings) as registry:
        emit(registry, read_mesh(shop.settings), Target(file=str(path), namespace="mesh"))
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    told: dict[str, Any] = last["outputs"][0]["facets"]["columnLineage"]
    return told


def test_a_column_that_is_not_promised_is_refused_by_name(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    write(shop, column="amunt")

    with pytest.raises(RecipeMalformed, match="did you mean amount"):
        read_mesh(shop.settings)
