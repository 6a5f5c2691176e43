"""From an asset in Dagster to its pages in the portal."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.orchestration.describe import asset_spec
from tests.shop import Shop


@pytest.mark.parametrize("url", ["http://127.0.0.1:3010", "https://mesh.example/data"])
def test_every_asset_in_dagster_links_to_its_pages(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not url.startswith("http://127"):
        monkeypatch.setenv("MESH_PORTAL_URL", url)
    domain = read_domain_assets(shop.settings, "shop")
    (orders,) = [asset for asset in domain.assets if asset.name.product == "orders"]

    told = asset_spec(domain, orders).metadata["portal"].value

    for question in ("what", "where", "when", "with", "how"):
        assert f"({url}/shop/orders/{question})" in told
