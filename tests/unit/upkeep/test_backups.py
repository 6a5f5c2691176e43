"""Backups and restores: one moment of the whole mesh, copied once, proved, and put back."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.upkeep.backups import Backup, backup, backups, read_backup, wrong_files
from mesh_assets.capabilities.upkeep.check import check
from mesh_assets.capabilities.upkeep.restores import restore
from mesh_assets.words.moves import BackupMissing, FilesLost, WouldGoBack
from tests.killed import started
from tests.objects import ObjectStore
from tests.shop import ORDERS_NAME, Shop, make_shop
from tests.stores import on_every_store
from tests.unit.upkeep.keeping import expire, findings, keep, publish


def keep_backup(shop: Shop, place: Path | str) -> Backup:
    with open_registry(shop.settings) as registry:
        return backup(shop.settings, registry, ["shop", "books"], str(place), who="tester")


def damage(shop: Shop) -> None:
    """Nothing of the home is left."""
    shutil.rmtree(shop.settings.home)


def is_whole(shop: Shop) -> bool:
    with open_registry(shop.settings) as registry:
        return check(shop.settings, registry, ["shop", "books"], deep=True) == []


@on_every_store("shop")
def test_an_empty_home_becomes_what_was_backed_up(shop: Shop, tmp_path: Path) -> None:
    publish(shop, 2)
    shop.build("books.revenue")
    made = keep_backup(shop, tmp_path / "kept")
    assert wrong_files(str(tmp_path / "kept"), made, deep=True) == []
    elsewhere = replace(shop, root=tmp_path / "new", more={})
    shutil.copytree(shop.root / "domains", elsewhere.root / "domains")

    restore(elsewhere.settings, str(tmp_path / "kept"))

    assert elsewhere.rows("shop.orders", 1) == [(1, 10), (2, 20)]
    assert elsewhere.rows("shop.orders") == shop.rows("shop.orders")
    assert elsewhere.rows("books.revenue") == shop.rows("books.revenue")
    assert is_whole(elsewhere)
    publish(elsewhere, 3)
    assert elsewhere.head("shop.orders") == 3


@pytest.mark.objects
def test_a_mesh_in_files_is_backed_up_in_a_bucket_and_a_second_time_only_what_is_new(
    tmp_path: Path, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    shop, place = make_shop(tmp_path), object_store.prefix()
    publish(shop, 1)
    first = keep_backup(shop, place)
    publish(shop, 2)
    second = keep_backup(shop, place)
    damage(shop)

    data = {path for path in second.domains["shop"].files if path.startswith("data/")}
    assert (len(data), backups(place)) == (2, [first.name, second.name])
    assert second.present == 2  # the file and the manifest of version 1
    restore(shop.settings, place)
    assert shop.head("shop.orders") == 2 and is_whole(shop)
    with pytest.raises(WouldGoBack, match=r"shop\.orders has version 2"):
        restore(shop.settings, place, at=first.name)
    restore(shop.settings, place, at=first.name, yes=True)
    assert shop.head("shop.orders") == 1


def test_one_domain_goes_back_and_the_rest_of_the_mesh_stays(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    publish(shop, 1)
    shop.build("books.revenue")
    keep_backup(shop, tmp_path / "kept")
    publish(shop, 2)
    shop.build("books.revenue", run_id="run-2")

    with pytest.raises(WouldGoBack, match="say --yes"):
        restore(shop.settings, str(tmp_path / "kept"), ["shop"])
    restore(shop.settings, str(tmp_path / "kept"), ["shop"], yes=True)

    assert (shop.head("shop.orders"), shop.head("books.revenue")) == (1, 2)
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
    with open_registry(shop.settings) as registry:
        assert registry.version(ORDERS_NAME, 2).expired is not None
    shop.build("books.revenue", run_id="run-3")
    assert shop.rows("books.revenue") == [(2, 30)]
    publish(shop, 3)
    assert shop.head("shop.orders") == 3


def test_damaged_files_and_a_lost_registry_come_back_and_whole_ones_are_left_alone(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    publish(shop, 2)
    place = str(tmp_path / "kept")
    with open_registry(shop.settings) as registry:
        backup(shop.settings, registry, ["shop"], place, who="tester", link=False)
    first, second = sorted((shop.settings.lakes / "shop/data").rglob("*.parquet"))
    first.write_bytes(bytes(first.stat().st_size))
    before = second.stat().st_ino
    for path in shop.settings.home.glob("registry.sqlite*"):
        path.unlink()
    (shop.settings.lakes / "shop/catalog.sqlite").write_bytes(b"garbage" * 1000)

    restore(shop.settings, place)

    assert findings(shop, deep=True) == []
    assert second.stat().st_ino == before


def test_a_backup_keeps_what_the_mesh_has_expired_since(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    keep_backup(shop, tmp_path / "kept")
    expire(shop)
    expire(shop)
    assert not list((shop.settings.lakes / "shop/data").rglob("run-1*"))

    restore(shop.settings, str(tmp_path / "kept"), yes=True)

    assert shop.rows("shop.orders", 1) == [(1, 10), (2, 20)]
    assert findings(shop, deep=True) == []


def test_a_backup_of_a_damaged_lake_says_what_it_misses_and_a_damaged_backup_is_refused(
    tmp_path: Path,
) -> None:
    shop = make_shop(tmp_path)
    publish(shop, 2)
    next((shop.settings.lakes / "shop/data").rglob("run-1*")).unlink()
    place = tmp_path / "kept"

    made = keep_backup(shop, place)
    assert made.missing == ["shop: data/shop/orders/run-1.parquet is missing"]
    kept = place / "lakes/shop/data/shop/orders/run-2.parquet"
    content = kept.read_bytes()
    kept.unlink()
    kept.write_bytes(bytes(len(content)))
    assert wrong_files(str(place), made) == []
    assert wrong_files(str(place), made, deep=True) == [
        "lakes/shop/data/shop/orders/run-2.parquet is not what it was: its content changed"
    ]
    damage(shop)
    with pytest.raises(FilesLost, match=r"run-2\.parquet is not what was backed up"):
        restore(shop.settings, str(place))
    with pytest.raises(BackupMissing, match="There is no backup of farm"):
        restore(shop.settings, str(place), ["farm"])


ACTOR = """
import os, signal, sys
from pathlib import Path
from mesh_assets.capabilities.upkeep import backups, restores
from tests.shop import Shop
from tests.unit.upkeep.test_backups import keep_backup

root, place, action, dies_at, after = sys.argv[1:]
module = backups if action == "backup" else restores
calls, step = iter(range(1000)), getattr(module, dies_at)
def dying(*given, **more):
    done = None if next(calls) < int(after) else os.kill(os.getpid(), signal.SIGKILL)
    return step(*given, **more)
setattr(module, dies_at, dying)
shop = Shop(Path(root))
keep_backup(shop, place) if action == "backup" else restores.restore(shop.settings, place)
"""


@pytest.mark.parametrize(
    ("action", "dies_at", "after"),
    [
        ("backup", "transfer", 1),
        ("restore", "copy_catalog", 0),
    ],
)
def test_a_backup_and_a_restore_that_were_killed_go_on(
    tmp_path: Path, action: str, dies_at: str, after: int
) -> None:
    shop, place = make_shop(tmp_path), str(tmp_path / "kept")
    publish(shop, 2)
    if action == "restore":
        keep_backup(shop, place)
        damage(shop)
    with started(shop, ["-c", ACTOR, str(shop.root), place, action, dies_at, str(after)]) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stdout and process.stdout.read()

    if action == "backup":
        assert backups(place) == []
        keep_backup(shop, place)
        damage(shop)
    restore(shop.settings, place)
    assert shop.head("shop.orders") == 2 and is_whole(shop)
    assert read_backup(place).missing == []
    assert lake.lake_of(shop.settings, "shop").catalog.exists()
