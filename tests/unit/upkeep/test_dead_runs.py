"""What runs left that died before their release, beside data files: nothing of it stays past its grace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesh_assets.capabilities.lake import connect, lake_of
from mesh_assets.capabilities.lake.connection import has_lake
from mesh_assets.capabilities.lake.lock import commit_lock
from mesh_assets.capabilities.lake.manifest import manifest_file
from mesh_assets.capabilities.lake.told import told
from mesh_assets.capabilities.lake.upkeep import logged
from mesh_assets.capabilities.publishing.keep import artifact_folder, draft_folder
from mesh_assets.capabilities.upkeep.check import Kind
from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.stores import DiskRefused
from tests.shop import ORDERS_NAME, Shop, make_shop
from tests.stores import Held, on_every_store
from tests.unit.upkeep.keeping import expire, kinds, later, mend, publish


def manifest_of(shop: Shop, run: str) -> Held:
    return Held(manifest_file(shop.settings, ORDERS_NAME, run))


def leave_manifest(shop: Shop, run: str) -> Held:
    """As a run leaves it that dies between its commit and its release, before version 2's commit."""
    document = json.loads(manifest_of(shop, "run-1").read())
    left = manifest_of(shop, run)
    left.write(json.dumps({**document, "run_id": run, "number": None, "published": None}).encode())
    return left


@on_every_store("shop")
def test_the_manifest_of_a_run_that_released_nothing_goes_past_its_grace_and_is_logged(shop: Shop) -> None:
    publish(shop, 2)
    left = leave_manifest(shop, "died")

    assert kinds(shop) == []
    assert kinds(shop, now=later(days=2)) == [Kind.LEFTOVER]
    assert any("died.json" in action for action in mend(shop, now=later(days=2)))

    assert not left.exists()
    assert manifest_of(shop, "run-1").exists()
    assert list(logged(shop.settings, "shop"))[-1]["file"] == "manifests/orders/died.json"
    assert kinds(shop, now=later(days=2)) == []


@on_every_store("shop")
def test_expiry_takes_artifacts_of_a_run_that_released_nothing_and_no_others(shop: Shop) -> None:
    publish(shop, 1)
    folder = artifact_folder(shop.settings, ORDERS_NAME, "died")
    left = Held(f"{folder}/report.txt")
    kept = Held(f"{artifact_folder(shop.settings, ORDERS_NAME, 'run-1')}/report.txt")
    for each in (left, kept):
        each.write(b"...")
    shop.deliver("order_id,amount\n7,70\n")
    shop.build("shop.orders", run_id="run-2")

    assert [file.path for file in expire(shop).files if "artifacts" in file.path] == [left.path]
    assert not left.exists()
    assert kept.exists()


def test_a_refused_draft_goes_a_week_after_a_later_version_was_released(shop: Shop) -> None:
    publish(shop, 1)
    shop.deliver("order_id,amount\n1,10\n1,10\n")
    with pytest.raises(PromiseBroken):
        shop.build("shop.orders", run_id="refused")
    kept = draft_folder(shop.settings, ORDERS_NAME)
    assert (kept / "draft.json").is_file()
    assert kinds(shop, now=later()) == []  # nobody has mended it yet

    shop.deliver("order_id,amount\n7,70\n")
    shop.build("shop.orders", run_id="run-2")
    assert kinds(shop, now=later(days=6)) == []
    mend(shop, now=later(days=8))

    assert not kept.exists()
    assert str(kept / "draft.json") in [each.get("file") for each in logged(shop.settings, "shop")]
    assert kinds(shop, now=later(days=8)) == []


def test_a_half_written_manifest_goes_past_its_grace(shop: Shop) -> None:
    publish(shop, 1)
    half = Path(manifest_file(shop.settings, ORDERS_NAME, "run-1")).with_suffix(".4711.half")
    half.write_text("{")

    assert kinds(shop) == []
    assert kinds(shop, now=later(days=2)) == [Kind.LEFTOVER]
    mend(shop, now=later(days=2))

    assert not half.exists()


def test_a_full_disk_is_told_in_words_of_ours(tmp_path: Path) -> None:
    settings = make_shop(tmp_path).settings
    with connect(settings) as con, pytest.raises(DiskRefused, match="shop"), told("shop"):
        con.execute("COPY (SELECT 1) TO '/dev/full' (FORMAT csv, USE_TMP_FILE false)")


def test_a_folder_that_cannot_be_written_is_one_clear_error_of_the_command(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    publish(shop, 1)

    command = [sys.executable, "-m", "mesh_assets.cli", "lake", "backup", "/sys/kernel/mesh"]
    ended = subprocess.run(command, env={**os.environ, **shop.environment}, capture_output=True, text=True)

    assert ended.returncode == 1
    assert "/sys/kernel/mesh" in ended.stderr
    assert "Nothing is half done" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_nothing_of_an_unknown_run_goes_while_the_registry_misses_versions(shop: Shop) -> None:
    publish(shop, 2)
    left = leave_manifest(shop, "died")
    released = json.loads(manifest_of(shop, "run-1").read())
    manifest_of(shop, "lost").write(json.dumps({**released, "run_id": "lost", "number": 7}).encode())

    assert kinds(shop, now=later(days=2)) == [Kind.REGISTRY_INCOMPLETE]
    assert left.exists()


def test_the_manifest_of_the_newest_commit_stays_because_its_run_may_have_been_released(shop: Shop) -> None:
    publish(shop, 1)
    leave_manifest(shop, "died")  # of version 1's snapshot: nothing later was released

    assert kinds(shop, now=later(days=2)) == []


def test_a_run_that_died_while_it_made_the_lake_leaves_a_domain_that_can_be_checked_and_built(
    shop: Shop,
) -> None:
    """Its lock and folders are there, and no catalog."""
    place = lake_of(shop.settings, "shop")
    place.folder.mkdir(parents=True)
    with commit_lock(shop.settings, place), connect(shop.settings) as con:
        con.execute("SELECT 1")
    if not place.postgres:
        Path(place.data).mkdir(parents=True)
        (place.folder / "catalog.fresh").write_bytes(b"SQLite format 3")

    assert not has_lake(shop.settings, place)
    assert kinds(shop) == []
    publish(shop, 1)
    assert kinds(shop) == []
