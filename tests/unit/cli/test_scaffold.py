"""`mesh new-domain`, `mesh new-product`: what they make builds and passes as it stands."""

from __future__ import annotations

import shutil

import pytest
import yaml

from mesh_assets.capabilities.lineage.read import read_mesh, stray_ports
from mesh_assets.words.settings import PROJECT
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop

from .conftest import Command


def test_a_new_domain_builds_as_it_stands(shop: Shop, mesh: Command) -> None:
    said = mesh("new-domain", "bakery", "--owner", "bakers@example.com")

    assert "mesh build bakery" in said.out
    built = shop.build("bakery.first_product")
    assert (built.record.outcome, built.record.warned) == (BuildOutcome.PUBLISHED, 0)
    locations = yaml.safe_load((shop.root / "workspace.yaml").read_text())["load_from"]
    assert [next(iter(each.values()))["location_name"] for each in locations] == ["bakery"]


@pytest.mark.parametrize("made_with", ["sql", "python"])
def test_a_new_product_builds_as_it_stands(shop: Shop, mesh: Command, made_with: str) -> None:
    mesh("new-product", "shop.returns", "--with", made_with)

    assert shop.build("shop.returns").record.outcome is BuildOutcome.PUBLISHED
    assert shop.rows("shop.returns") == [(1, "row 1"), (2, "row 2"), (3, "row 3")]
    assert stray_ports(read_mesh(shop.settings)) == []


def test_a_new_dbt_product_builds_as_it_stands(
    shop: Shop, mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop.root / "dbt_project"
    shutil.copytree(
        PROJECT / "dbt_project", project, ignore=shutil.ignore_patterns("models", "target", "logs")
    )
    monkeypatch.setenv("MESH_DBT_PROJECT", str(project))
    mesh("new-product", "shop.returns", "--with", "dbt")

    said = mesh("build", "shop.returns", "--json")

    assert '"outcome": "published"' in said.out, said.out + said.err
    assert shop.rows("shop.returns") == [(1, "row 1"), (2, "row 2"), (3, "row 3")]


def test_ports_keep_their_order_and_comments(shop: Shop, mesh: Command) -> None:
    path = shop.root / "domains/shop/domain.yaml"
    path.write_text(path.read_text() + "# ours\n")

    mesh("new-product", "shop.returns")

    ports = yaml.safe_load(path.read_text())["outputPorts"]
    assert [port["contractId"] for port in ports] == ["shop.returns", "shop.orders"]
    assert path.read_text().endswith("# ours\n")


def test_a_name_that_is_no_name_leaves_nothing_behind(shop: Shop, mesh: Command) -> None:
    before = sorted(shop.root.rglob("*"))

    assert mesh("new-domain", "Bakery").code == 2
    assert mesh("new-product", "shop.Returns").code == 2

    assert sorted(shop.root.rglob("*")) == before
