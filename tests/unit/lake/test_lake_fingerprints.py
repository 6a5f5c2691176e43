"""What a fingerprint tells apart, and what it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities import lake

COLUMNS = (("a", "BIGINT"), ("b", "VARCHAR"), ("c", "DOUBLE"))

ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-3, 3),
        st.none() | st.sampled_from(["", "0", "x", "NULL"]),
        st.none() | st.sampled_from([0.0, -0.0, 1.5, -1.5, 1e300, 5e-324, float("inf"), float("nan")]),
    ),
    max_size=6,
)


def fingerprint(rows: Sequence[tuple[Any, ...]], columns: Sequence[tuple[str, str]] = COLUMNS) -> str:
    with duckdb.connect() as connection:
        shape = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        connection.execute(f"CREATE TABLE t ({shape})")
        if rows:
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)
        answer = connection.execute(f"SELECT {lake.fingerprint_sql(columns)} FROM t").fetchone()
    assert answer is not None
    return str(answer[0])


def plain(row: tuple[Any, ...]) -> str:
    return repr(tuple(0.0 if value == 0 and isinstance(value, float) else value for value in row))


@settings(deadline=None, max_examples=60)
@given(first=ROWS, second=ROWS)
def test_fingerprints_are_equal_when_and_only_when_the_rows_are(first, second):
    same = sorted(map(plain, first)) == sorted(map(plain, second))

    assert (fingerprint(first) == fingerprint(second)) == same


@settings(deadline=None, max_examples=30)
@given(data=st.data(), rows=ROWS)
def test_the_order_of_rows_does_not_matter(data, rows):
    assert fingerprint(rows) == fingerprint(data.draw(st.permutations(rows)))


@settings(deadline=None, max_examples=30)
@given(first=ROWS, second=ROWS)
def test_fingerprints_of_partitions_add_up_to_that_of_the_whole(first, second):
    assert lake.combined([fingerprint(first), fingerprint(second)]) == fingerprint([*first, *second])


def test_the_order_of_columns_does_not_matter():
    swapped = (COLUMNS[2], COLUMNS[0], COLUMNS[1])

    assert fingerprint([(1, "x", 1.5)]) == fingerprint([(1.5, 1, "x")], swapped)


def test_a_row_that_comes_twice_counts_twice():
    row = (1, "x", 1.5)

    assert len({fingerprint([row] * count) for count in range(5)}) == 5


def test_values_that_change_their_columns_are_seen():
    columns = (("a", "BIGINT"), ("b", "BIGINT"))

    assert fingerprint([(1, 2)], columns) != fingerprint([(2, 1)], columns)
    assert fingerprint([(1, 1)], columns) != fingerprint([(2, 2)], columns)


def test_another_name_or_type_is_another_content():
    kinds = [fingerprint([(1,)], ((name, kind),)) for name in ("a", "b") for kind in ("BIGINT", "INTEGER")]

    assert len(set(kinds)) == 4


def test_the_noise_of_parallel_sums_is_not_content():
    assert fingerprint([(1, "x", 0.1 + 0.2)]) == fingerprint([(1, "x", 0.3)])
    assert fingerprint([(1, "x", 0.30000000001)]) != fingerprint([(1, "x", 0.3)])


def test_an_empty_relation_has_a_fingerprint():
    assert fingerprint([]).endswith(":0:0")


def test_fingerprints_of_different_columns_do_not_add_up():
    other = fingerprint([(1,)], (("a", "BIGINT"),))

    with pytest.raises(ValueError, match="do not add up"):
        lake.combined([fingerprint([]), other])


def test_a_million_rows_have_the_same_fingerprint_with_one_thread_and_with_several():
    seen = set()
    for threads in (1, 4):
        with duckdb.connect(config={"threads": threads}) as connection:
            query = "SELECT id, id / 7 AS share, 'x' || id AS name FROM range(1000000) t(id)"
            columns = (("id", "BIGINT"), ("share", "DOUBLE"), ("name", "VARCHAR"))
            seen.add(connection.execute(f"SELECT {lake.fingerprint_sql(columns)} FROM ({query})").fetchone())

    assert len(seen) == 1
