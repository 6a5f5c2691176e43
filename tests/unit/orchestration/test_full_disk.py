"""A disk that is full in the middle of a run: one clear error, and readers on what they had."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mesh_assets.capabilities.orchestration.definitions import domain_definitions
from mesh_assets.capabilities.orchestration.kitchen_job import try_out
from mesh_assets.capabilities.orchestration.upkeep import one_round
from mesh_assets.capabilities.registry import open_registry
from tests.postgres import Postgres
from tests.shop import ORDERS_NAME, Shop, make_shop
from tests.unit.kitchens.conftest import in_git
from tests.unit.upkeep.keeping import keep, later, publish

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:dagster")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB, mounted for this test."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes of it."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - left)))
    return ballast


def failure(shop: Shop, instance: dg.DagsterInstance) -> dg.DagsterEvent:
    job = domain_definitions("shop", shop.settings).resolve_implicit_global_asset_job_def()
    key = dg.AssetKey(["shop", "orders"])
    ended = job.execute_in_process(instance=instance, asset_selection=[key], raise_on_error=False)
    assert not ended.success
    (event,) = [each for each in ended.all_events if each.is_step_failure]
    return event


@pytest.mark.parametrize("left", [0, 60_000], ids=["not a byte", "room for a part"])
def test_a_full_disk_is_one_clear_failure_of_the_step_and_the_next_run_goes_on(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    shop = make_shop(tmp_path, MESH_HOME=str(small_disk / ".mesh"))
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    shop.build("shop.orders")
    shop.deliver("order_id,amount\n" + "".join(f"{n},{n * 7919 % 100_003 + 1}\n" for n in range(40_000)))
    ballast = fill(small_disk, left)

    with dg.DagsterInstance.ephemeral() as instance:
        data = failure(shop, instance).step_failure_data
        assert data.error is not None
        told = data.user_failure_data.description if data.user_failure_data else data.error.message

        assert str(small_disk) in str(told) and "run it again" in str(told)
        ballast.unlink()
        assert shop.rows("shop.orders") == [(1, 10), (2, 20)]
        assert shop.build("shop.orders", run_id="run-2").record.version == 2
    with open_registry(shop.settings) as registry:
        assert registry.heads()[ORDERS_NAME] == 2


def test_upkeep_and_kitchens_on_a_full_disk_are_one_clear_failure_each(
    tmp_path: Path, small_disk: Path
) -> None:
    shop = in_git(make_shop(tmp_path, MESH_HOME=str(small_disk / ".mesh")))
    keep(shop, "{versions: 2}")
    publish(shop, 3)
    ballast = fill(small_disk, 0)

    with pytest.raises(dg.Failure) as upkeep:
        one_round("shop", shop.settings, now=later())
    with pytest.raises(dg.Failure) as kitchen:
        try_out(shop.settings, {"name": "full", "start": "main", "branch": ""}, logging.getLogger())

    for each in (upkeep, kitchen):
        said = str(each.value.description)
        assert str(small_disk) in said and "run it again" in said
    ballast.unlink()
    assert one_round("shop", shop.settings, now=later())["versions expired"] == 1


@pytest.mark.postgres
def test_upkeep_without_its_catalog_is_one_clear_failure(tmp_path: Path, postgres: Postgres) -> None:
    libpq = postgres.database()
    shop = make_shop(tmp_path, MESH_CATALOG=f"postgres:{libpq}")
    shop.build("shop.orders")
    postgres.drop(libpq)

    with pytest.raises(dg.Failure, match=r"catalog of shop did not answer.*Run it again") as lost:
        one_round("shop", shop.settings)

    assert lost.value.allow_retries
