"""A registry of its own for each test, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import Certificate

ORDERS = ProductName("shop", "orders")
STOCK = ProductName("shop", "stock")
FIELDS = ProductName("farm", "fields")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    environ = {"MESH_HOME": str(tmp_path / "home")}
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        database = server.database()
        request.addfinalizer(lambda: server.drop(database))
        environ["MESH_REGISTRY"] = server.url(database)
    return read_settings(environ)


@pytest.fixture
def registry(settings: Settings) -> Iterator[Registry]:
    with open_registry(settings) as registry:
        yield registry


def certificate(product: ProductName = ORDERS, **facts: Any) -> Certificate:
    """A certificate with something in every field."""
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    return Certificate(
        **{
            "product": product,
            "number": None,
            "rows": 3,
            "fingerprint": "d1:00000000:3:abc",
            "partitions": {"": {"rows": 3, "fingerprint": "d1:00000000:3:abc"}},
            "contract_version": "1.0.0",
            "contract_text": "id: shop.orders\n",
            "rule_results": ({"id": "id_required", "outcome": "passed", "failed_rows": 0},),
            "snapshot": 7,
            "files": ("shop/orders/run1.parquet",),
            "started": moment,
            "finished": moment,
            "inputs": (),
            "sources": (),
            "packages": {"duckdb": "1.5.5"},
            "recipe": "recipe.sql",
            "recipe_hash": "abc",
            "git_commit": None,
            "git_dirty": False,
            "run_id": "run1",
            "who": "ann",
            **facts,
        }
    )


def release(registry: Registry, run: str, *products: ProductName, **options: Any) -> list[int]:
    """Release products as somebody who has just looked at their heads; the numbers that they got."""
    heads = registry.heads(options.get("environment", "prod"))
    expected = {product: heads.get(product) for product in products}
    made = [certificate(product, run_id=run) for product in products]
    options = {"expected": expected, "reads": {}, "who": "ann", "run_id": run, **options}
    return [version.number for version in registry.release(made, **options)]
