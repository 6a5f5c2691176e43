"""Differences of two states of a table: what is told is what a row-by-row comparison in Python finds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.lake.compare import DIFFERING, Difference, Side, compare
from mesh_assets.capabilities.lake.differing import differing_sql, few_differing_sql

COLUMNS = (("id", "BIGINT"), ("name", "VARCHAR"), ("amount", "DOUBLE"), ("day", "DATE"))
NAMES = [name for name, _ in COLUMNS]

Row = tuple[Any, ...]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def side(con: duckdb.DuckDBPyConnection, folder: Path, *files: list[Row], columns: Any = COLUMNS) -> Side:
    """Each list of rows as a Parquet file."""
    made = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(files):
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        con.execute(f"CREATE OR REPLACE TEMP TABLE made ({declared})")
        if rows:
            con.executemany(f"INSERT INTO made VALUES ({', '.join('?' * len(columns))})", rows)
        path = folder / f"run-{number}.parquet"
        con.execute(f"COPY made TO '{path}' (FORMAT parquet)")
        made.append(str(path))
    return Side(tuple(made), tuple(columns))


def equal(left: Any, right: Any, tolerance: float) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right or (tolerance > 0 and abs(left - right) <= tolerance)
    return bool(left == right)


def naive(before: list[Row], after: list[Row], tolerance: float) -> dict[str, Any]:
    """The same by a loop: rows by id."""
    old, new = {row[0]: row for row in before}, {row[0]: row for row in after}
    both = [(old[key], new[key]) for key in old.keys() & new.keys()]
    columns: Counter[str] = Counter()
    changed = 0
    for mine, other in both:
        differ = [name for name, a, b in zip(NAMES, mine, other, strict=True) if not equal(a, b, tolerance)]
        columns.update(differ)
        changed += bool(differ)
    return {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": changed,
        "columns": dict(columns),
        "rows": (len(before), len(after)),
    }


def told(found: Difference) -> dict[str, Any]:
    return {
        "added": found.added,
        "removed": found.removed,
        "changed": found.changed,
        "columns": dict(found.changed_columns),
        "rows": (found.rows_before, found.rows_after),
    }


names = st.sampled_from(["", "a", "b", "Zoë"]) | st.none()
amounts = st.sampled_from([0.0, -0.0, 1.0, 1.05, 1.2, math.nan, math.inf, -math.inf]) | st.none()
days = st.sampled_from(["2024-02-29", "2024-03-01"]) | st.none()
keys = st.integers(0, 12) | st.none()
table = st.dictionaries(keys, st.tuples(names, amounts, days), max_size=12)


@settings(max_examples=150, deadline=None)
@given(before=table, after=table, keep=st.sets(keys), shared=table, tolerance=st.sampled_from([0.0, 0.1]))
def test_it_tells_what_a_loop_over_all_rows_finds(
    before: Any, after: Any, keep: Any, shared: Any, tolerance: float
) -> None:
    """Some rows stay as they are, in their place; some stand in a file that both states have."""
    after = {**{key: row for key, row in before.items() if key in keep}, **after}
    common = [(None if key is None else key + 100, *row) for key, row in shared.items() if key is not None]
    old, new = ([(key, *row) for key, row in each.items()] for each in (before, after))
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as con:
        both = side(con, Path(folder) / "both", common)
        mine, other = (side(con, Path(folder) / name, rows) for name, rows in (("old", old), ("new", new)))
        mine, other = (Side((*both.files, *each.files), each.columns) for each in (mine, other))

        found = compare(con, mine, other, key=("id",), tolerance=tolerance)
        listed = con.execute(differing_sql(found)).fetchall()
        few = con.execute(few_differing_sql(con, found, 2)).fetchall()

    first = sorted(listed, key=lambda row: (row[1] is None, row[1]))[:2]
    assert sorted(map(repr, few)) == sorted(map(repr, first))
    assert told(found) == naive(common + old, common + new, tolerance)
    assert len(listed) == found.added + found.removed + found.changed
    assert set(found.unchanged_columns) == {*NAMES[1:]} - set(found.changed_columns)


@settings(max_examples=80, deadline=None)
@given(
    before=st.lists(st.tuples(st.integers(0, 2), names), max_size=10),
    after=st.lists(st.tuples(st.integers(0, 2), names), max_size=10),
    keyed=st.booleans(),
)
def test_rows_without_a_key_of_their_own_are_counted(before: Any, after: Any, keyed: bool) -> None:
    columns = COLUMNS[:2]
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as con:
        mine, other = (
            side(con, Path(folder) / name, rows, columns=columns)
            for name, rows in (("old", before), ("new", after))
        )
        found = compare(con, mine, other, key=("id",) if keyed else ())

    less, more = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if found.key:
        assert (found.added - found.removed) == (more.total() - less.total())
        assert found.same == (not less and not more)
    else:
        assert (found.removed, found.added) == (less.total(), more.total())


def test_values_that_change_places_are_changes(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [(1, "a", 1.0, None), (2, "b", 2.0, None)]
    swapped = [(1, "b", 1.0, None), (2, "a", 2.0, None)]

    found = compare(con, side(con, tmp_path / "a", rows), side(con, tmp_path / "b", swapped), key=("id",))

    assert found.changed_columns == {"name": 2}


def test_rows_in_another_order_are_the_same(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [(1, "a", 1.0, None), (2, "b", 2.0, None), (3, None, None, None)]

    found = compare(con, side(con, tmp_path / "a", rows), side(con, tmp_path / "b", rows[::-1]), key=("id",))

    assert found.same
    assert found.unchanged_columns == ("name", "amount", "day")


def test_columns_that_came_went_or_changed_type_are_told(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    before = side(
        con, tmp_path / "a", [(1, "a", 5)], columns=(("id", "BIGINT"), ("x", "VARCHAR"), ("n", "INTEGER"))
    )
    after = side(
        con, tmp_path / "b", [(1, 5, "a")], columns=(("id", "BIGINT"), ("n", "BIGINT"), ("y", "VARCHAR"))
    )

    found = compare(con, before, after, key=("id",))

    assert found.removed_columns == (("x", "VARCHAR"),)
    assert found.added_columns == (("y", "VARCHAR"),)
    assert found.retyped_columns == (("n", "INTEGER", "BIGINT"),)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert not found.same


def test_a_hard_link_is_the_same_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    before = side(con, tmp_path / "a", [(1, "a", 1.0, None)])
    link = tmp_path / "again.parquet"
    link.hardlink_to(before.files[0])

    found = compare(con, before, Side((str(link),), before.columns), key=("id",))

    assert found.same
    assert found.before.files == ()


def test_the_rows_that_differ_hide_what_is_personal(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    before = side(con, tmp_path / "a", [(1, "Ann", 1.0, None), (2, "Bob", 1.0, None)])
    after = side(con, tmp_path / "b", [(1, "Eve", 1.0, None), (3, None, 1.0, None)])
    found = compare(con, before, after, key=("id",))

    rows = con.execute(differing_sql(found, masked={"name"}) + " ORDER BY id").fetchall()

    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("changed", 1, ["name"]),
        ("removed", 2, []),
        ("added", 3, []),
    ]
    assert not {"Ann", "Bob", "Eve"} & {
        str(each) for row in rows for half in row[3:] for each in (half or {}).values()
    }
    assert rows[0][4]["name"] == "***"
    assert rows[2][4]["name"] is None


def test_columns_of_the_same_bytes_are_read_by_nobody(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [(number, "a", float(number), "2024-02-29") for number in range(5_000)]
    changed = [(*row[:2], row[2] + (row[0] == 77), row[3]) for row in rows]

    found = compare(con, side(con, tmp_path / "a", rows), side(con, tmp_path / "b", changed), key=("id",))

    assert found.flags == ("amount",), "name and day have the same bytes: no flag is asked of them"
    assert found.changed_columns == {"amount": 1}
    assert con.execute(f"SELECT k0 FROM {DIFFERING}").fetchall() == [(77,)]
