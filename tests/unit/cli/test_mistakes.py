"""What a person gets wrong is told in a message, with an exit code and no traceback (`mesh` sees to that)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.shop import Shop

from .conftest import Command

HUGE = "9" * 30


@pytest.mark.parametrize(
    "typed",
    [
        ("versions", "shop.orders", "--limit", HUGE),
        ("read", "shop.orders", "--limit", HUGE),
        ("read", "shop.orders", "--release", HUGE),
        ("arrivals", "--limit", HUGE),
        ("status", "--days", HUGE),
        ("journey", "show", "weekly", "--history", HUGE),
        ("kitchen", "undo", HUGE),
        ("withdraw", HUGE),
        ("dev", "--port", "99999"),
        ("kitchen", "dev", "try", "--port", "0"),
    ],
)
def test_a_number_that_nothing_counts_to_is_told(mesh: Command, typed: tuple[str, ...]) -> None:
    said = mesh(*typed)

    assert (said.code, "Invalid value" in said.err) == (2, True)


@pytest.mark.parametrize(
    "typed",
    [
        ("read", "shop.orders", "--format", "csv", "--output"),
        ("why", "shop.orders", "--rule", "primary_key", "--rows"),
        ("diff", "shop.orders", "1", "2", "--rows"),
        ("quarantine", "show", "shop.orders", "--rows"),
        ("impact", "--output"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_told_first(
    mesh: Command, tmp_path: Path, typed: tuple[str, ...]
) -> None:
    nowhere, folder = mesh(*typed, str(tmp_path / "gone" / "file.csv")), mesh(*typed, str(tmp_path))

    assert (nowhere.code, "there is no folder" in nowhere.err) == (2, True)
    assert (folder.code, "is a folder" in folder.err) == (2, True)


def test_a_domain_that_is_not_there_is_told(mesh: Command) -> None:
    said = mesh("products", "books2")

    assert (said.code, "There is no domain books2; there are books, shop" in said.err) == (2, True)


def test_a_rule_that_is_not_there_is_told(shop: Shop, mesh: Command) -> None:
    shop.build("shop.orders")

    said = mesh("why", "shop.orders", "--rule", "amount_positiv")

    assert (said.code, "Did you mean amount_positive?" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("MESH_DOMAINS", "/gone", "mesh new-domain"),
        ("MESH_HOME", "/dev/null/home", "set MESH_HOME to a folder of yours"),
        ("MESH_REGISTRY", "nonsense", "write sqlite:///FILE or postgresql://"),
        ("MESH_REGISTRY", "oracle://here/it", "kept in sqlite or postgresql"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(
    mesh: Command, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    monkeypatch.setenv(setting, value)

    said = mesh("products")

    assert (said.code, f"The setting {setting} is" in said.err, told in said.err) == (2, True, True)


def test_a_password_in_what_is_no_address_is_not_told(mesh: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_REGISTRY", "postgresql//reader:opensesame@host/mesh")

    assert "opensesame" not in mesh("products").err


def test_a_registry_that_is_no_registry_is_told_with_its_repair(shop: Shop, mesh: Command) -> None:
    (shop.root / ".mesh").mkdir()
    (shop.root / ".mesh/registry.sqlite").write_bytes(b"no database" * 100)

    said = mesh("products")

    assert (said.code, "mesh lake check --repair" in said.err) == (1, True)


def test_a_workspace_with_a_slip_is_told_before_dagster_starts(shop: Shop, mesh: Command) -> None:
    (shop.root / "workspace.yaml").write_text("load_from:\n  - python_fiel: a.py\n")

    said = mesh("dev")

    assert (said.code, "workspace.yaml:2:5: 'python_fiel' is no kind" in said.err) == (2, True)


@pytest.mark.parametrize("typed", [("lake", "grants"), ("lake", "grant")])
def test_roles_of_a_mesh_without_a_server_are_refused_before_its_driver_is_needed(
    mesh: Command, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    said = mesh(*typed)

    assert (said.code, "MESH_CATALOG is sqlite" in said.err) == (2, True)


def test_an_extra_that_is_not_installed_is_told(mesh: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("MESH_REGISTRY", "postgresql://127.0.0.1:1/mesh")

    said = mesh("products")

    assert (said.code, "pip install 'mesh-assets[postgres]'" in said.err) == (2, True)


@pytest.mark.parametrize("record", [b"{", b"{}", b"[]", b"\xff"])
def test_a_kitchen_whose_record_is_damaged_is_told(shop: Shop, mesh: Command, record: bytes) -> None:
    kitchen = shop.root / ".mesh/kitchens/try"
    kitchen.mkdir(parents=True)
    (kitchen / "kitchen.json").write_bytes(record)

    said = mesh("--kitchen", "try", "products")

    assert (said.code, "kitchens/try/kitchen.json cannot be read" in said.err) == (2, True)
