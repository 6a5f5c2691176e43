"""What a commit promises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mesh_assets.capabilities import lake
from mesh_assets.capabilities.lake.commit import SMALL
from mesh_assets.capabilities.lake.ledger import open_ledger
from mesh_assets.words.errors import PartitionsLeftBehind
from mesh_assets.words.names import ProductName
from tests.stores import on_every_store
from tests.unit.lake.conftest import ORDERS, stage

WEEKS = ("2023-01-02", "2023-01-09", "2023-01-16")
WEEKLY = {"partition_column": "week", "partitions": WEEKS}


def weekly(*rows: tuple[int, str]) -> str:
    values = ", ".join(f"({number}, DATE '{week}')" for number, week in rows)
    return f"SELECT * FROM (VALUES {values}) t(id, week)"


def test_committed_rows_are_read_at_their_snapshot(committed, rows):
    done = committed("SELECT 1 AS id, 'a' AS name", "run1")

    assert rows(done.snapshot) == [(1, "a")]


def test_a_commit_replaces_the_rows_before_and_the_old_snapshot_keeps_them(committed, rows):
    first = committed("SELECT 1 AS id", "run1")
    second = committed("SELECT 2 AS id", "run2")

    assert (rows(first.snapshot), rows(second.snapshot)) == ([(1,)], [(2,)])


def test_a_commit_lists_the_files_that_make_up_the_product(committed, settings):
    committed("SELECT 1 AS id", "run1")
    (file,) = committed("SELECT 2 AS id", "run2").files

    with lake.connect(settings) as connection:
        assert connection.sql(f"FROM '{file}'").fetchall() == [(2,)]


@on_every_store("settings")
def test_a_run_that_commits_again_gets_what_it_committed_before(committed, rows, settings):
    first = committed("SELECT 1 AS id", "run1")
    committed("SELECT 2 AS id", "run2")
    again = committed("SELECT 3 AS id", "run1")

    assert again == first
    assert lake.files(settings, ORDERS, first.snapshot + 1) != first.files


def test_partitions_are_replaced_alone(committed, rows):
    committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    done = committed(weekly((20, WEEKS[1])), "run2", **WEEKLY | {"partitions": WEEKS[1:2]})

    assert [number for number, _ in rows(done.snapshot)] == [1, 20]
    assert len(done.files) == 2


def test_a_partition_that_has_no_rows_any_more_is_emptied(committed, rows):
    committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    done = committed(weekly((1, WEEKS[0])) + " WHERE false", "run2", **WEEKLY | {"partitions": WEEKS[1:2]})

    assert [number for number, _ in rows(done.snapshot)] == [1]


@on_every_store("settings")
def test_a_hundred_partitions_are_a_hundred_files_and_one_snapshot(committed, rows):
    days = [f"2023-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 10)]
    query = weekly(*enumerate(days))
    first = committed(query, "run1", partition_column="week", partitions=days)
    second = committed(query, "run2", partition_column="week", partitions=days)

    assert len(first.files) == len(second.files) == len(days)
    assert len(rows(second.snapshot)) == len(days)


def test_replacing_partitions_leaves_no_delete_files(committed, settings):
    committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    done = committed(weekly((2, WEEKS[1])), "run2", **WEEKLY | {"partitions": WEEKS[1:2]})

    with lake.connect(settings) as connection:
        alias = lake.attach(connection, settings, "shop")
        listed = connection.execute(
            "SELECT count(delete_file) FROM ducklake_list_files(?, 'orders', schema => 'shop')", [alias]
        ).fetchone()
    assert listed == (0,)
    assert len(done.files) == 2


def test_plain_parquet_readers_find_the_partition_column_in_the_file(committed, settings):
    done = committed(weekly((1, WEEKS[0])), "run1", **WEEKLY)
    with lake.connect(settings) as connection:
        relation = connection.sql(f"FROM read_parquet('{done.files[0]}', hive_partitioning = false)")

        assert relation.columns == ["id", "week"]


def test_a_new_column_is_null_in_partitions_built_before_it(committed, rows):
    committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    query = f"SELECT *, 'x' AS note FROM ({weekly((2, WEEKS[1]))})"
    done = committed(query, "run2", **WEEKLY | {"partitions": WEEKS[1:2]})

    assert [(number, note) for number, _, note in rows(done.snapshot)] == [(1, None), (2, "x")]


def test_a_column_of_another_type_makes_the_table_anew_and_old_versions_keep_theirs(committed, rows):
    first = committed("SELECT 1 AS id, 2 AS amount", "run1")
    second = committed("SELECT 'one' AS id", "run2")

    assert (rows(first.snapshot), rows(second.snapshot)) == ([(1, 2)], [("one",)])


def test_a_broken_column_is_refused_while_partitions_would_stay_in_the_old_form(committed, rows):
    first = committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    query = weekly((2, WEEKS[1])).replace("SELECT *", "SELECT CAST(id AS VARCHAR) AS id, week")

    with pytest.raises(PartitionsLeftBehind, match="id was INTEGER and is VARCHAR"):
        committed(query, "run2", **WEEKLY | {"partitions": WEEKS[1:2]})

    assert len(rows(first.snapshot)) == 2


def test_all_partitions_together_may_change_a_column(committed, rows):
    committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run1", **WEEKLY)
    query = weekly((2, WEEKS[1])).replace("SELECT *", "SELECT CAST(id AS VARCHAR) AS id, week")
    done = committed(query, "run2", **WEEKLY)

    assert [number for number, _ in rows(done.snapshot)] == ["2"]


def test_a_product_can_become_partitioned_and_whole_again(committed, rows):
    query = weekly((1, WEEKS[0]), (2, WEEKS[1]))
    whole = committed(query, "run1")
    cut = committed(query, "run2", **WEEKLY)
    again = committed(query, "run3")

    assert rows(whole.snapshot) == rows(cut.snapshot) == rows(again.snapshot)
    assert (len(whole.files), len(cut.files), len(again.files)) == (1, 2, 1)


def test_an_empty_draft_is_a_version_without_files(committed, rows):
    first = committed("SELECT 1 AS id WHERE false", "run1")
    second = committed("SELECT 1 AS id WHERE false", "run2")

    assert (first.files, second.files, rows(second.snapshot)) == ((), (), [])


LARGE = f"SELECT * FROM range({SMALL + 1}) t(id)"


def test_a_large_table_is_replaced_without_a_look_at_its_file_and_keeps_what_was_said_of_it(staged, settings):
    """DuckLake empties a table by reading it, under the lock: this file could not be read."""
    about = {"who": "ann", "extra": {}, "comments": {"": "What people bought.", "id": "The order's number"}}
    first = lake.commit(settings, staged(LARGE, "run1"), **about)
    (file,) = first.files
    whole = Path(file).read_bytes()
    Path(file).write_bytes(bytes(len(whole)))

    second = lake.commit(settings, staged("SELECT 7 AS id", "run2"), **about)

    Path(file).write_bytes(whole)
    assert len(lake.Handle(settings, ORDERS, number=1, snapshot=first.snapshot).relation.fetchall()) > SMALL
    with lake.connect(settings) as connection:
        assert lake.relation(connection, settings, ORDERS, second.snapshot).fetchall() == [(7,)]
        query = "SELECT comment FROM duckdb_tables() UNION ALL SELECT comment FROM duckdb_columns()"
        assert {"What people bought.", "The order's number"} <= {
            comment for (comment,) in connection.execute(query).fetchall()
        }


def test_a_large_table_stays_partitioned_and_loses_only_what_is_replaced(committed, rows, settings):
    days = f"SELECT id, DATE '{WEEKS[0]}' + CAST(id % 2 * 7 AS INTEGER) AS week FROM ({LARGE})"
    weeks = {**WEEKLY, "partitions": WEEKS[:2]}
    first = committed(days, "run1", **weeks)
    second = committed(weekly((1, WEEKS[0]), (2, WEEKS[1])), "run2", **weeks)
    third = committed(weekly((3, WEEKS[1])), "run3", **WEEKLY | {"partitions": WEEKS[1:2]})

    assert [len(rows(each.snapshot)) for each in (first, second, third)] == [SMALL + 1, 2, 2]
    with lake.connect(settings) as connection:
        assert open_ledger(connection, settings, "shop").tables([ORDERS])[ORDERS].partition_column == "week"


def test_descriptions_are_kept_with_the_table(staged, settings):
    draft = staged("SELECT 1 AS id", "run1")
    comments = {"": "What people bought.", "id": "The order's number: it's ours"}
    lake.commit(settings, draft, who="ann", extra={}, comments=comments)

    with lake.connect(settings) as connection:
        lake.attach(connection, settings, "shop")
        query = "SELECT comment FROM duckdb_tables() UNION ALL SELECT comment FROM duckdb_columns()"
        kept = {comment for (comment,) in connection.execute(query).fetchall()}
    assert set(comments.values()) <= kept


def test_a_snapshot_says_who_made_it_and_in_which_run(staged, settings):
    draft = staged("SELECT 1 AS id", "run1")
    done = lake.commit(settings, draft, who="ann", extra={"git": "abc"})

    with lake.connect(settings) as connection:
        alias = lake.attach(connection, settings, "shop")
        query = f"SELECT author, commit_extra_info FROM ducklake_snapshots('{alias}') WHERE snapshot_id = ?"
        author, extra = connection.execute(query, [done.snapshot]).fetchone()
    assert author == "ann"
    assert json.loads(extra) == {"git": "abc", "product": "shop.orders", "run_id": "run1"}


def test_products_of_a_domain_share_its_lake_and_other_domains_have_their_own(committed, settings):
    committed("SELECT 1 AS id", "run1")
    committed("SELECT 1 AS id", "run1", product=ProductName("shop", "customers"))
    committed("SELECT 1 AS id", "run1", product=ProductName("farm", "fields"))

    assert sorted(path.name for path in settings.lakes.iterdir()) == ["farm", "shop"]


def test_a_mesh_that_moved_to_another_folder_still_reads(embedded, tmp_path):
    done = lake.commit(embedded, stage(embedded, "SELECT 1 AS id", "run1"), who="ann", extra={})
    moved = replace(embedded, home=tmp_path / "elsewhere")
    embedded.home.rename(moved.home)

    (file,) = lake.files(moved, ORDERS, done.snapshot)
    assert Path(file).is_relative_to(moved.home)
    assert lake.Handle(moved, ORDERS, number=1, snapshot=done.snapshot).arrow().num_rows == 1


def test_a_draft_on_another_disk_is_copied_first(embedded):
    memory = Path("/dev/shm")
    if not memory.exists() or memory.stat().st_dev == embedded.home.parent.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    draft = stage(embedded, "SELECT 1 AS id", "run1")
    far = memory / f"{embedded.home.parent.name}.parquet"
    far.write_bytes(Path(draft.files[0].path).read_bytes())
    draft = replace(draft, files=(replace(draft.files[0], path=str(far)),))

    done = lake.commit(embedded, draft, who="ann", extra={})
    far.unlink()

    assert lake.Handle(embedded, ORDERS, number=1, snapshot=done.snapshot).arrow().num_rows == 1
