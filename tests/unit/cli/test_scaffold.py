"""`mesh new-domain`, `mesh new-product`: what they make builds and passes as it stands."""

from __future__ import annotations

import shutil

import pytest
import yaml

from mesh_assets.capabilities.contracts import read_contract
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


def test_a_new_product_belongs_to_the_owner_of_its_domain(shop: Shop, mesh: Command) -> None:
    mesh("new-domain", "bakery", "--owner", "bakers@example.com")
    mesh("new-product", "bakery.bread")
    mesh("new-product", "bakery.cake", "--owner", "cakes@example.com")

    owners = {
        name: read_contract(shop.folder(name) / "contract.yaml").owners
        for name in ("bakery.bread", "bakery.cake")
    }
    assert owners["bakery.bread"][0].name == "bakers@example.com"
    assert owners["bakery.cake"][0].name == "cakes@example.com"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("outputPorts: # what we publish\n", "outputPorts: # what we publish\n"),
        ("outputPorts:  # what we publish\n    # the first\n", "# the first\n"),
        ('"outputPorts":\n', '"outputPorts":\n'),
    ],
)
def test_a_port_is_added_to_a_list_however_its_line_is_written(
    shop: Shop, mesh: Command, written: str, kept: str
) -> None:
    path = shop.root / "domains/shop/domain.yaml"
    path.write_text(path.read_text().replace("outputPorts:\n", written))

    assert mesh("new-product", "shop.returns").code == 0

    assert path.read_text().count("outputPorts") == 1
    assert kept in path.read_text()
    assert stray_ports(read_mesh(shop.settings)) == []


def test_a_port_is_added_to_an_empty_list(shop: Shop, mesh: Command) -> None:
    path = shop.root / "domains/shop/domain.yaml"
    before, after = path.read_text().split("outputPorts:\n")
    rest = after[after.index("customProperties") :]
    path.write_text(f"{before}outputPorts: []  # none yet\n{rest}")

    assert mesh("new-product", "shop.returns").code == 0

    assert "outputPorts:  # none yet\n  - name: returns\n" in path.read_text()


@pytest.mark.parametrize(
    ("file", "text", "arguments"),
    [
        ("domains/shop/domain.yaml", "outputPorts: [{name: a, version: 1.0.0}]", ("new-product", "shop.b")),
        ("workspace.yaml", "load_from: [{python_file: a.py}]\n", ("new-domain", "bakery")),
        ("workspace.yaml", "load_from:\n  - python_file: a.py\nmore: 1\n", ("new-domain", "bakery")),
        ("workspace.yaml", "load_from: [\n", ("new-domain", "bakery")),
        ("workspace.yaml", "load_from: here\n", ("new-domain", "bakery")),
    ],
)
def test_what_cannot_be_edited_as_text_is_told_before_anything_is_written(
    shop: Shop, mesh: Command, file: str, text: str, arguments: tuple[str, ...]
) -> None:
    path = shop.root / file
    if file.endswith("domain.yaml"):
        before, after = path.read_text().split("outputPorts:\n")
        text = f"{before}{text}\n{after[after.index('customProperties') :]}"
    path.write_text(text)
    before_it = sorted(shop.root.rglob("*"))

    said = mesh(*arguments)

    assert (said.code, file in said.err) == (2, True)
    assert sorted(shop.root.rglob("*")) == before_it
    assert path.read_text() == text


def test_a_model_that_is_there_is_left_alone_and_no_folder_is_left(
    shop: Shop, mesh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop.root / "dbt_project"
    (project / "models/shop").mkdir(parents=True)
    (project / "models/shop/returns.sql").write_text("select 1 as ours")
    monkeypatch.setenv("MESH_DBT_PROJECT", str(project))
    before = sorted(shop.root.rglob("*"))

    said = mesh("new-product", "shop.returns", "--with", "dbt")

    assert (said.code, "models/shop/returns.sql is there already" in said.err) == (2, True)
    assert sorted(shop.root.rglob("*")) == before
    assert (project / "models/shop/returns.sql").read_text() == "select 1 as ours"
