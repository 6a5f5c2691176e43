"""Several writers, readers beside them, and writers that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.words.errors import LakeBusy
from mesh_assets.words.settings import Settings
from tests.stores import on_every_store
from tests.unit.lake.conftest import ORDERS, stage

ROOT = Path(__file__).parents[3]

#: Commits `count` versions, each of 50 rows that carry its number, and says so after each.
WRITER = """
import sys
from mesh_assets.capabilities import lake
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import read_settings
who, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings, orders = read_settings(), ProductName("shop", "orders")
print("ready", flush=True)
for number in range(first, first + count):
    run = f"{who}-{number}"
    with lake.connect(settings) as connection:
        query = f"SELECT '{run}' AS run, id FROM range(50) t(id)"
        draft = lake.stage(connection, query, product=orders, run_id=run, settings=settings)
    print(run, lake.commit(settings, draft, who=who, extra={}).snapshot, flush=True)
"""


def start(settings: Settings, who: str, first: int, count: int) -> subprocess.Popen[str]:
    environ = {**os.environ, "MESH_HOME": str(settings.home), "MESH_CATALOG": settings.catalog}
    command = [sys.executable, "-c", WRITER, who, str(first), str(count)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def acknowledged(output: str) -> dict[str, int]:
    said = [line.split() for line in output.splitlines() if line != "ready" and len(line.split()) == 2]
    return {run: int(snapshot) for run, snapshot in said}


def runs_at(settings: Settings, snapshot: int) -> list[tuple[str, int]]:
    with lake.connect(settings) as connection:
        seen = lake.relation(connection, settings, ORDERS, snapshot)
        return seen.aggregate("run, count(id)").fetchall()


def test_four_writers_lose_nothing_and_readers_see_whole_versions(settings):
    first = lake.commit(settings, stage(settings, seed("seed"), "seed"), who="seed", extra={})
    writers = [start(settings, f"w{number}", 0, 6) for number in range(4)]

    seen = []
    with lake.connect(settings) as connection:
        table = f"{lake.attach(connection, settings, 'shop')}.shop.orders"
        while any(writer.poll() is None for writer in writers):
            seen += connection.execute(f"SELECT run, count(id) FROM {table} GROUP BY run").fetchall()
            time.sleep(0.05)

    commits: dict[str, int] = {}
    for writer in writers:
        output, errors = writer.communicate()
        assert writer.returncode == 0, errors
        commits |= acknowledged(output)
    assert len(commits) == len(set(commits.values())) == 24
    assert {rows for _, rows in seen} == {50}
    for run, snapshot in commits.items():
        assert snapshot > first.snapshot
        assert runs_at(settings, snapshot) == [(run, 50)]


def seed(run: str) -> str:
    return f"SELECT '{run}' AS run, id FROM range(50) t(id)"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_writer_killed_anywhere_leaves_a_lake_that_the_same_run_can_finish(settings):
    kept: dict[str, int] = {}
    for attempt in range(10):
        writer = start(settings, "w", attempt * 100, 100)
        assert writer.stdout is not None
        writer.stdout.readline()
        # Spread over staging, moving, committing and whatever lies between.
        time.sleep(0.05 + 0.037 * attempt)
        writer.send_signal(signal.SIGKILL)
        output, _ = writer.communicate()
        done = acknowledged(output)
        kept |= done

        # The run that was under way is asked for again, by the one who retries it.
        run = f"w-{attempt * 100 + len(done)}"
        draft = stage(settings, seed(run), run)
        kept[run] = lake.commit(settings, draft, who="again", extra={}).snapshot

    for run, snapshot in kept.items():
        assert runs_at(settings, snapshot) == [(run, 50)]
        assert lake.files(settings, ORDERS, snapshot)


def test_files_moved_by_a_commit_that_died_are_taken_by_its_retry(settings):
    from mesh_assets.capabilities.lake.commit import move

    lake.commit(settings, stage(settings, seed("first"), "first"), who="ann", extra={})
    draft = stage(settings, seed("second"), "second")
    move(lake.lake_of(settings, "shop"), draft)

    again = lake.commit(settings, draft, who="ann", extra={})

    assert runs_at(settings, again.snapshot) == [("second", 50)]


def test_the_lock_is_free_again_when_its_holder_is_killed(embedded):
    holder = hold(embedded)
    holder.kill()
    holder.communicate()

    with lake.commit_lock(embedded, lake.lake_of(embedded, "shop"), patience=5):
        pass


def test_who_waits_too_long_is_told_who_holds_the_lake(embedded):
    holder = hold(embedded)
    try:
        with (
            pytest.raises(LakeBusy, match=f"process {holder.pid} since"),
            lake.commit_lock(embedded, lake.lake_of(embedded, "shop"), patience=0.1),
        ):
            pass
    finally:
        holder.kill()
        holder.communicate()


def hold(settings: Settings) -> subprocess.Popen[str]:
    script = """
import time
from mesh_assets.capabilities import lake
from mesh_assets.words.settings import read_settings
settings = read_settings()
with lake.commit_lock(settings, lake.lake_of(settings, "shop")):
    print("held", flush=True)
    time.sleep(60)
"""
    environ = {**os.environ, "MESH_HOME": str(settings.home)}
    holder = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_threads_of_one_process_commit_and_read_side_by_side(settings):
    from concurrent.futures import ThreadPoolExecutor

    def work(number: int) -> tuple[str, int]:
        run = f"t-{number}"
        return run, lake.commit(settings, stage(settings, seed(run), run), who="t", extra={}).snapshot

    with ThreadPoolExecutor(4) as pool:
        commits = list(pool.map(work, range(8)))

    assert [runs_at(settings, snapshot) for _, snapshot in commits] == [[(run, 50)] for run, _ in commits]


@on_every_store("settings")
def test_a_manifest_is_found_again(settings):
    content = {"product": "shop.orders", "snapshot": 3, "when": "2024-01-01"}
    lake.write_manifest(settings, ORDERS, "run1", content)

    assert list(lake.manifests(settings, "shop")) == [content]


def test_what_dead_runs_left_in_staging_is_swept_after_an_hour(embedded):
    for run in ("old", "kept", "new"):
        stage(embedded, "SELECT 1 AS id", run)
    past = time.time() - 7200
    for run in ("old", "kept"):
        for path in (embedded.staging / run, *(embedded.staging / run).rglob("*")):
            os.utime(path, (past, past))

    lake.sweep(embedded, keep=frozenset({"kept"}))

    assert sorted(path.name for path in embedded.staging.iterdir()) == ["kept", "new"]


def test_a_run_that_comes_again_with_other_rows_commits_them_beside_what_it_had(settings):
    """It lost its release, or died before it; a file that the ledger has is never written over."""
    first = lake.commit(settings, stage(settings, seed("first"), "run"), who="ann", extra={"fingerprint": 1})
    same = lake.commit(settings, stage(settings, seed("first"), "run"), who="ann", extra={"fingerprint": 1})
    other = lake.commit(settings, stage(settings, seed("other"), "run"), who="ann", extra={"fingerprint": 2})

    assert same.snapshot == first.snapshot
    assert runs_at(settings, first.snapshot) == [("first", 50)]
    assert runs_at(settings, other.snapshot) == [("other", 50)]


def test_a_guard_that_objects_ends_the_commit_before_anything_is_moved(settings):
    draft = stage(settings, seed("first"), "run")

    def objects() -> None:
        raise RuntimeError("somebody was quicker")

    with pytest.raises(RuntimeError):
        lake.commit(settings, draft, who="ann", extra={}, guard=objects)

    assert lake.commit(settings, draft, who="ann", extra={}).files
