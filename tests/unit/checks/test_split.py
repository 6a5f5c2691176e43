"""A draft in two: rows that break a rule, with the rules that they break, and all others."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.checks.expectations import declared_expectations
from mesh_assets.capabilities.checks.split import split, write_aside
from mesh_assets.words.names import ProductName
from tests.unit.checks.conftest import contract_of, draft, rule

ZIPS = ProductName("geography", "zip_area")
ROWS = draft(("1", "10"), ("2", "-5"), ("2", "NULL"), ("NULL", "7"), columns="id, x")
KEY = rule("primary_key", "id", id="key")
POSITIVE = rule("minimum", "x", id="positive", value=0)


@pytest.fixture
def parts(con):
    def parts(relation, *rules, key=(), **more):
        found = split(con, relation, contract_of(*rules, key=key), rules, **more)
        if found is None:
            return None
        return con.execute(found.kept).fetchall(), con.execute(found.aside).fetchall()

    return parts


def test_each_row_aside_names_every_rule_that_it_breaks(parts):
    kept, aside = parts(ROWS, KEY, POSITIVE, key=("id",))

    assert kept == [(1, 10)]
    assert sorted(aside, key=str) == [
        (2, -5, ["key", "positive"]),
        (2, None, ["key"]),
        (None, 7, ["key"]),
    ]


def test_a_null_condition_is_no_broken_rule(parts):
    kept, aside = parts(ROWS, POSITIVE)

    assert len(kept) == 3
    assert aside == [(2, -5, ["positive"])]


def test_rows_that_point_at_nothing_go_and_nulls_stay(parts):
    link = rule("foreign_key", "x", id="link", to_product=str(ZIPS), to_columns=["zip"])

    kept, aside = parts(ROWS, link, references={ZIPS: draft(("10",), ("7",), columns="zip")})

    assert [row[1] for row in kept] == [10, None, 7]
    assert aside == [(2, -5, ["link"])]


def test_a_key_that_another_partition_has_goes(parts):
    kept, aside = parts(
        draft(("1",), ("2",), columns="id"), KEY, key=("id",), whole_sql=draft(("2",), columns="id")
    )

    assert (kept, aside) == ([(1,)], [(2, ["key"])])


def test_rules_about_the_table_part_nothing(parts):
    assert parts(ROWS, rule("row_count", operator="mustBe", value=1)) is None


def test_a_rule_that_cannot_run_parts_nothing(parts):
    assert parts(ROWS, rule("minimum", "nowhere", value=0)) is None


def test_rows_that_python_found_bad_go_wherever_they_stand(parts, con, tmp_path):
    path = tmp_path / "expectations.py"
    path.write_text(
        "from mesh_assets.capabilities.checks.expectations import expectation\n"
        "@expectation(columns=['x'], batches=True)\n"
        "def x_is_no_seventh(frame):\n    return frame['x'] % 7 != 0\n"
    )
    for number in range(3):
        file = tmp_path / f"{number}.parquet"
        con.execute(f"COPY (SELECT i AS x FROM range({number}00000, {number + 1}00000) t(i)) TO '{file}'")
    relation = f"SELECT * FROM read_parquet('{tmp_path}/*.parquet')"

    kept, aside = parts(relation, *declared_expectations(path), expectations=path)

    assert len(kept) + len(aside) == 300_000
    assert {row[0] % 7 for row in aside} == {0}
    assert len(aside) == 42_858


def test_all_rows_aside_are_written_with_the_key_first_and_personal_columns_masked(con, tmp_path):
    contract = contract_of(POSITIVE, key=("id",), personal=("name",))
    relation = draft(("'Ann'", "-1", "1"), ("'Bob'", "1", "2"), columns="name, x, id")
    found = split(con, relation, contract, [POSITIVE])
    assert found is not None

    for masked, expected in ((True, (1, -1, "***")), (False, (1, -1, "Ann"))):
        path = tmp_path / f"{masked}.parquet"
        rows = write_aside(con, found, contract, path, first=("x",), masked=masked)

        assert rows == 1
        assert con.sql(f"SELECT * FROM '{path}'").fetchall() == [expected]
