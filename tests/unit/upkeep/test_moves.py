"""A lake that moves: the same versions before and after, readers and writers meanwhile, moves that die."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake import moves
from mesh_assets.capabilities.lake.moves import drop, move, places_before
from mesh_assets.capabilities.lake.places import keep_record
from mesh_assets.capabilities.lake.upkeep import holdings
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.moves import FilesLost, MoveUnderWay, PlaceTaken, StillRead
from mesh_assets.words.stores import LakeElsewhere
from mesh_assets.words.versions import StagedFile
from tests.killed import started
from tests.objects import ObjectStore
from tests.postgres import Postgres
from tests.shop import ORDERS, ORDERS_NAME, Shop, make_shop
from tests.unit.upkeep.keeping import expire, findings, keep, publish


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """In files; each test takes it elsewhere."""
    return make_shop(tmp_path)


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    return object_store.prefix()


def every_version(shop: Shop) -> dict[int, list[tuple[object, ...]]]:
    with open_registry(shop.settings) as registry:
        numbers = [each.number for each in registry.versions(ORDERS_NAME)]
    return {number: shop.rows("shop.orders", number) for number in numbers}


def is_whole(shop: Shop) -> bool:
    """Fingerprints of every version are those of their certificates, and no other finding."""
    return findings(shop, deep=True) == []


@pytest.mark.objects
@pytest.mark.postgres
def test_a_lake_goes_to_a_bucket_and_postgresql_and_back_and_every_version_stays(
    shop: Shop, bucket: str, postgres: Postgres
) -> None:
    publish(shop, 2)
    before, snapshots = every_version(shop), holdings(shop.settings, "shop").snapshots

    move(shop.settings, "shop", to=bucket, catalog=f"postgres:{postgres.database()}")
    assert lake.lake_of(shop.settings, "shop").data == f"{bucket}/shop/data"
    assert every_version(shop) == before and is_whole(shop)
    assert holdings(shop.settings, "shop").snapshots == snapshots
    publish(shop, 3)
    there = every_version(shop)
    drop(shop.settings, "shop", who="tester")
    assert every_version(shop) == there and is_whole(shop)

    move(shop.settings, "shop", to="local", catalog="sqlite")
    drop(shop.settings, "shop", who="tester")
    publish(shop, 4)
    assert {number: every_version(shop)[number] for number in there} == there
    assert is_whole(shop)


@pytest.mark.postgres
def test_a_schema_that_is_still_read_is_not_waited_for_and_goes_later(
    shop: Shop, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    publish(shop, 1)
    database = postgres.database()
    move(shop.settings, "shop", catalog=f"postgres:{database}")
    schema = lake.lake_of(shop.settings, "shop").metadata_schema
    move(shop.settings, "shop", catalog="sqlite")
    monkeypatch.setattr(moves, "PATIENCE", 0.1)

    with psycopg.connect(database) as reader:
        reader.execute(f'SELECT count(*) FROM "{schema}".ducklake_snapshot'.encode())
        with pytest.raises(StillRead, match="shop"):
            drop(shop.settings, "shop", who="tester")

    assert len(places_before(shop.settings, "shop")) == 1
    gone = drop(shop.settings, "shop", who="tester")
    assert gone == [(f"schema {schema}", 0)] and is_whole(shop)


def test_data_goes_to_another_folder_by_hard_link_and_the_rest_of_the_mesh_stays(
    shop: Shop, tmp_path: Path
) -> None:
    publish(shop, 1)
    shop.build("books.revenue")
    file = next((shop.settings.lakes / "shop/data").rglob("*.parquet"))

    move(shop.settings, "shop", to=str(tmp_path / "disk"))

    moved = next((tmp_path / "disk/shop/data").rglob("*.parquet"))
    assert moved.samefile(file)
    assert shop.rows("books.revenue") == [(2, 30)]
    drop(shop.settings, "shop", who="tester")
    assert not file.exists() and shop.rows("shop.orders") == [(1, 10), (2, 20)]
    assert is_whole(shop)


@pytest.mark.objects
def test_whoever_reads_the_old_place_reads_on_until_it_is_dropped(shop: Shop, bucket: str) -> None:
    publish(shop, 1)
    with open_registry(shop.settings) as registry:
        version = registry.version(ORDERS_NAME, 1)
    handle = lake.Handle(shop.settings, ORDERS_NAME, number=1, snapshot=version.snapshot)
    assert handle.relation.fetchall()

    move(shop.settings, "shop", to=bucket)

    assert sorted(handle.relation.fetchall()) == [(1, 10), (2, 20)]
    handle.close()
    assert len(places_before(shop.settings, "shop")) == 1
    keep(shop, "{versions: 2}")
    gone = expire(shop)  # a year from now
    assert any(file.path.endswith(".parquet") for file in gone.files)
    assert places_before(shop.settings, "shop") == []
    assert shop.rows("shop.orders") == [(1, 10), (2, 20)]


def test_who_waits_for_the_lock_commits_in_the_new_place(shop: Shop, tmp_path: Path) -> None:
    publish(shop, 1)
    shop.deliver(ORDERS + "3,30\n")
    place, disk = lake.lake_of(shop.settings, "shop"), str(tmp_path / "disk")
    moved = threading.Thread(target=move, args=(shop.settings, "shop"), kwargs={"to": disk})
    built = threading.Thread(target=shop.build, args=("shop.orders",), kwargs={"run_id": "run-2"})
    with lake.commit_lock(shop.settings, place):
        for count, thread in ((2, moved), (3, built)):
            thread.start()
            deadline = time.monotonic() + 60
            while len(lake.waiting(shop.settings, place)) < count and time.monotonic() < deadline:
                time.sleep(0.02)
    moved.join(60)
    built.join(60)

    assert len(shop.rows("shop.orders")) == 3
    assert sorted(path.name for path in Path(disk).rglob("*.parquet")) == ["run-1.parquet", "run-2.parquet"]
    assert is_whole(shop)


MOVER = """
import os, signal, sys
from pathlib import Path
from mesh_assets.capabilities.lake import moves
from tests.shop import Shop

root, to, dies_at, after = sys.argv[1:]
calls = iter(range(1000))
step = getattr(moves, dies_at)
def dying(*given, **more):
    done = None if next(calls) < int(after) else os.kill(os.getpid(), signal.SIGKILL)
    return step(*given, **more)
setattr(moves, dies_at, dying)
moves.move(Shop(Path(root)).settings, "shop", to=to)
"""


@pytest.mark.objects
@pytest.mark.parametrize(
    ("dies_at", "after"),
    [("transfer", 1), ("set_data_path", 0), ("_finish", 0)],
)
def test_a_move_that_was_killed_leaves_a_lake_that_reads_and_goes_on(
    shop: Shop, bucket: str, dies_at: str, after: int
) -> None:
    publish(shop, 2)
    before = every_version(shop)
    with started(shop, ["-c", MOVER, str(shop.root), bucket, dies_at, str(after)]) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stdout and process.stdout.read()

    assert every_version(shop) == before
    move(shop.settings, "shop", to=bucket)

    assert every_version(shop) == before
    drop(shop.settings, "shop", who="tester")
    publish(shop, 3)
    assert lake.lake_of(shop.settings, "shop").root == f"{bucket}/shop"
    assert is_whole(shop)


@pytest.mark.objects
@pytest.mark.postgres
def test_another_machine_that_waits_or_has_the_old_settings_commits_nothing_to_the_old_place(
    shop: Shop, bucket: str, postgres: Postgres
) -> None:
    database = postgres.database()
    more = {"MESH_CATALOG": f"postgres:{database}", "MESH_REGISTRY": postgres.url(database)}
    here = replace(shop, more={**more, "MESH_DATA": f"{bucket}/a"})
    publish(here, 1)
    there = replace(here, more={**here.more, "MESH_HOME": str(shop.root / "there")})
    assert there.rows("shop.orders") == [(1, 10), (2, 20)]
    keep_record(lake.lake_of(there.settings, "shop"))
    there.deliver(ORDERS + "3,30\n")

    def guard() -> None:
        move(here.settings, "shop", to=f"{bucket}/b")

    with pytest.raises(LakeElsewhere, match=f"Set MESH_DATA_SHOP={bucket}/b"):
        overtaken(there, guard)
    knows = replace(there, more={**there.more, "MESH_DATA_SHOP": f"{bucket}/b"})
    knows.build("shop.orders", run_id="run-2")
    assert len(here.rows("shop.orders")) == 3
    assert is_whole(here)


def overtaken(shop: Shop, meanwhile: Callable[[], None]) -> None:
    """Commit, with something happening when the lake is attached and before the lock is had."""
    connection = lake.connect(shop.settings)
    with closing(connection):
        query = "SELECT 9 AS order_id, 9 AS amount"
        name = {"product": ORDERS_NAME, "run_id": "late", "settings": shop.settings}
        draft = lake.stage(connection, query, **name)
    files = draft.files
    draft = replace(draft, files=Later(files, meanwhile))
    lake.commit(shop.settings, draft, who="tester", extra={})


class Later(tuple[StagedFile, ...]):
    """A draft's files; whoever looks at them first, before the lock, is held up by what happens then."""

    meanwhile: Callable[[], None] | None

    def __new__(cls, files: Iterable[StagedFile], meanwhile: Callable[[], None]) -> Later:
        made = super().__new__(cls, files)
        made.meanwhile = meanwhile
        return made

    def __iter__(self) -> Iterator[StagedFile]:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().__iter__()


def test_a_place_that_is_not_empty_is_refused(shop: Shop, tmp_path: Path) -> None:
    publish(shop, 1)
    (tmp_path / "disk/shop/data/shop").mkdir(parents=True)
    (tmp_path / "disk/shop/data/shop/other.parquet").write_bytes(b"somebody's")

    with pytest.raises(PlaceTaken, match="is not empty"):
        move(shop.settings, "shop", to=str(tmp_path / "disk"))


def test_a_lake_that_misses_a_file_stays_and_another_target_is_refused_until_it_is_mended(
    shop: Shop, tmp_path: Path
) -> None:
    publish(shop, 2)
    file = next((shop.settings.lakes / "shop/data").rglob("run-1*.parquet"))
    aside = file.rename(tmp_path / "aside")

    with pytest.raises(FilesLost, match="mesh lake check shop --deep"):
        move(shop.settings, "shop", to=str(tmp_path / "disk"))
    assert len(shop.rows("shop.orders")) == 3
    with pytest.raises(MoveUnderWay, match=r"mesh lake move shop --to .*disk"):
        move(shop.settings, "shop", to=str(tmp_path / "other"))
    aside.rename(file)
    move(shop.settings, "shop", to=str(tmp_path / "disk"))
    assert is_whole(shop)
