"""`mesh lake backup`, `restore` and `move` as a person runs them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.moves import RegistryMoved
from tests.postgres import Postgres
from tests.shop import Shop
from tests.unit.cli.conftest import Command
from tests.unit.upkeep.keeping import publish


def test_a_backup_is_made_listed_and_brought_back(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)
    place = str(shop.root / "kept")

    made = mesh("lake", "backup", place, "shop", "--deep", "--json")
    assert (made.code, json.loads(made.out)["wrong"]) == (0, [])
    assert json.loads(made.out)["name"] in mesh("lake", "restore", place, "--list").out
    shutil.rmtree(shop.settings.home)
    said = mesh("lake", "restore", place)
    assert said.code == 0, said.err
    assert "restored shop and the registry" in said.out and "nothing is wrong" in said.out
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_a_backup_that_is_not_there_and_one_that_is_older_are_one_clear_error(
    mesh: Command, shop: Shop
) -> None:
    publish(shop, 1)
    place = str(shop.root / "kept")
    assert "There is no backup" in mesh("lake", "restore", place).err
    mesh("lake", "backup", place)
    publish(shop, 2)

    said = mesh("lake", "restore", place)

    assert said.code == 1
    assert "shop is newer than the backup of" in said.err and "say --yes" in said.err


def test_a_lake_moves_and_leaves_nothing_behind_when_it_is_told(mesh: Command, shop: Shop) -> None:
    publish(shop, 1)
    old = shop.settings.lakes / "shop/data/shop/orders/run-1.parquet"

    said = mesh("lake", "move", "shop", "--to", str(shop.root / "disk"))
    assert said.code == 0 and f"is in {shop.root}/disk/shop now" in said.out
    assert "is there already" in mesh("lake", "move", "shop", "--to", str(shop.root / "disk")).out
    assert "Nothing was changed" in mesh("lake", "move", "shop", "--drop-old").out and old.exists()
    assert mesh("lake", "move", "shop", "--drop-old", "--yes").code == 0 and not old.exists()
    assert mesh("lake", "check", "--deep").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("shoe", "--to", "/x"), "there is no domain 'shoe'"),
        (("shop",), "--to, --catalog or --drop-old"),
        (("books", "--to", "/x"), "books has no lake yet"),
        (("shop", "--catalog", "mysql:x"), "write sqlite, or postgres:"),
        (("shop", "--to", "s3://key@bucket"), "write s3://bucket or s3://bucket/prefix"),
        (("shop", "--catalog", "postgres:host=x password=y"), "leave the password out"),
        (("shop", "--registry", "sqlite:///x"), "stands alone"),
    ],
)
def test_what_cannot_be_moved_is_told_and_nothing_is_changed(
    mesh: Command, shop: Shop, arguments: tuple[str, ...], told: str
) -> None:
    publish(shop, 1)

    said = mesh("lake", "move", *arguments)

    assert said.code in (1, 2)
    assert told in said.err


@pytest.mark.postgres
def test_the_registry_moves_to_postgresql_and_the_old_one_refuses_whoever_still_uses_it(
    mesh: Command, shop: Shop, postgres: Postgres
) -> None:
    publish(shop, 2)
    url = postgres.url(postgres.database())
    with open_registry(shop.settings) as still_open:
        said = mesh("lake", "move", "--registry", url)
        assert said.code == 0 and f"MESH_REGISTRY={url}" in said.out

        with pytest.raises(RegistryMoved, match="MESH_REGISTRY=postgresql"):
            still_open.keep("somebody", next(iter(still_open.heads())), 1)
    with pytest.raises(RegistryMoved):
        shop.head("shop.orders")
    moved = replace(shop, more={"MESH_REGISTRY": url})
    publish(moved, 3)
    assert moved.head("shop.orders") == 3
    assert moved.rows("shop.orders", 1) == [(1, 10), (2, 20)]
