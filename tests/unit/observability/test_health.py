"""`mesh doctor`'s looks: what is wrong is named with what to do, and one bad look does not end the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import files
from mesh_assets.capabilities.observability.health import LOOKS, Finding, look_at_all
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.settings import Settings, read_settings
from mesh_assets.words.versions import BuildOutcome
from tests.shop import ORDERS_NAME, Shop

WORKSPACE = """load_from:
  - python_module: {module_name: mesh_assets.domains.shop.definitions, location_name: shop}
  - python_file: {relative_path: domains/books/definitions.py, location_name: books}
"""


@pytest.fixture
def settings(shop: Shop) -> Settings:
    """The shop with both domains as code locations."""
    (shop.root / "workspace.yaml").write_text(WORKSPACE)
    return read_settings({**shop.environment, "MESH_WORKSPACE": str(shop.root / "workspace.yaml")})


def bad(settings: Settings) -> list[Finding]:
    return [finding for finding in look_at_all(settings) if not finding.good]


def files_of_orders(shop: Shop) -> list[Path]:
    with open_registry(shop.settings) as registry:
        head = registry.head(ORDERS_NAME)
    assert head is not None
    return [Path(path) for path in files(shop.settings, ORDERS_NAME, head.snapshot)]


def test_a_mesh_that_is_well_has_no_bad_finding(shop: Shop, settings: Settings) -> None:
    shop.build("shop.orders")
    shop.build("books.revenue")

    assert bad(settings) == []


def test_a_mesh_that_was_never_built_is_well(settings: Settings) -> None:
    assert bad(settings) == []


def test_every_look_says_something(settings: Settings) -> None:
    assert len(look_at_all(settings)) >= len(LOOKS)


def test_a_lost_file_is_named_with_the_way_to_make_it_again(shop: Shop, settings: Settings) -> None:
    shop.build("shop.orders")
    (lost,) = files_of_orders(shop)
    lost.unlink()

    (found,) = bad(settings)

    assert f"shop.orders version 1 has lost 1 of its files, first {lost}" in found.told
    assert "`mesh build shop.orders --force`" in found.told


def test_what_the_doctor_says_about_a_lost_file_helps(shop: Shop, settings: Settings) -> None:
    shop.build("shop.orders")
    for lost in files_of_orders(shop):
        lost.unlink()

    built = shop.build("shop.orders", run_id="run-2", force=True)

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
    assert bad(settings) == []


def test_a_truncated_file_is_found(shop: Shop, settings: Settings) -> None:
    shop.build("shop.orders")
    (half,) = files_of_orders(shop)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])

    (found,) = bad(settings)

    assert f"shop.orders version 1 has lost 1 of its files, first {half}" in found.told
    assert "Remove what is left of it" in found.told


def test_one_malformed_domain_does_not_hide_the_others(shop: Shop, settings: Settings) -> None:
    (shop.folder("shop.orders") / "contract.yaml").write_text("kind: [")

    findings = {finding.what: finding for finding in look_at_all(settings)}

    assert not findings["shop"].good
    assert "shop/orders/contract.yaml:" in findings["shop"].told
    assert findings["books"].good
    assert findings["workspace"].good


def test_ports_that_do_not_tell_the_truth_are_found(shop: Shop, settings: Settings) -> None:
    path = shop.root / "domains/books/domain.yaml"
    path.write_text(path.read_text().replace("contractId: shop.orders", "contractId: shop.returns"))

    assert sorted(finding.told.split(": ")[1] for finding in bad(settings)) == [
        "inputPorts lacks shop.orders",
        "inputPorts names shop.returns, which it has not",
    ]


def test_a_domain_that_dagster_does_not_load_is_found(shop: Shop, settings: Settings) -> None:
    settings.workspace.write_text(WORKSPACE.splitlines()[0] + "\n" + WORKSPACE.splitlines()[1] + "\n")

    (found,) = bad(settings)

    assert "no location for books" in found.told


def test_a_location_without_a_name_of_its_own_is_none_of_the_domain(settings: Settings) -> None:
    path = settings.workspace
    path.write_text(path.read_text().replace(", location_name: books", ""))

    (found,) = bad(settings)

    assert "no location for books" in found.told
    assert "location_name: books" in found.told


def test_a_workspace_that_is_gone_is_found(settings: Settings) -> None:
    settings.workspace.unlink()

    (found,) = bad(settings)

    assert (found.what, "workspace.yaml" in found.told) == ("workspace", True)


def test_a_home_that_cannot_be_written_is_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = read_settings({**shop.environment, "MESH_HOME": str(tmp_path / "file" / "home")})

    (found,) = [finding for finding in bad(settings) if finding.what == "home"]

    assert "set MESH_HOME to a folder of yours" in found.told


def test_a_registry_that_is_no_registry_is_told(settings: Settings) -> None:
    settings.home.mkdir(exist_ok=True)
    (settings.home / "registry.sqlite").write_text("not a database, and long enough to be looked at " * 100)

    assert {"registry", "lakes"} <= {finding.what for finding in bad(settings)}


def test_an_expectation_that_the_producers_contract_no_longer_has_is_a_finding(
    shop: Shop, settings: Settings
) -> None:
    column = "    properties:\n      - name: {}\n        required: true\n"
    shop.expects("books", "shop.orders", column.format("amount"))
    assert bad(settings) == []

    path = shop.expects("books", "shop.orders", column.format("price"))

    (found,) = bad(settings)
    assert found.what == "expects"
    assert found.told.startswith(f"shop.orders is audited without what books expects: {path}:9:")


def test_an_expectation_of_nothing_is_a_finding(shop: Shop, settings: Settings) -> None:
    shop.expects("books", "shop.stock", "    quality: [{metric: rowCount, mustBeGreaterThan: 0}]\n")

    (found,) = bad(settings)

    assert "there is no product shop.stock" in found.told
