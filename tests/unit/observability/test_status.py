"""How every product stands: version, rows, and how its last build ended."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.observability.status import product_rows
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import PromiseBroken
from tests.shop import ORDERS, Shop


def rows(shop: Shop) -> dict[str, dict[str, object]]:
    with open_registry(shop.settings) as registry:
        return {row["product"]: row for row in product_rows(read_mesh(shop.settings), registry)}


def test_what_was_never_built_is_listed(shop: Shop) -> None:
    row = rows(shop)["books.revenue"]

    assert [row[name] for name in ("version", "rows", "published", "last_build")] == [None] * 4
    assert isinstance(row["rules"], int)


def test_a_refused_build_leaves_the_version_that_readers_see(shop: Shop) -> None:
    shop.build("shop.orders")
    shop.deliver(ORDERS + "3,-5\n")
    with pytest.raises(PromiseBroken):
        shop.build("shop.orders", run_id="run-2")

    row = rows(shop)["shop.orders"]

    assert (row["version"], row["rows"], row["last_build"]) == (1, 2, "refused")


def test_private_assets_are_nobody_elses_business(shop: Shop) -> None:
    private = shop.root / "domains/shop/_till"
    private.mkdir()
    (private / "recipe.sql").write_text("select 1 as id\n")

    assert set(rows(shop)) == {"books.revenue", "shop.orders"}
