# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Relationships and keys counted to the row, over a draft and over the published partitions beside it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import PRODUCT, contract_of, draft, one_column, rule

ZIPS = ProductName("geography", "zip_area")
Key = tuple[int | None, ...]


def table(rows: list[Key], columns: str) -> str:
    names = columns.split(", ")
    values = [
        "(" + ", ".join("NULL::BIGINT" if v is None else f"{v}::BIGINT" for v in row) + ")" for row in rows
    ]
    none = "(" + ", ".join(["NULL::BIGINT"] * len(names)) + ")"
    listed = ", ".join(values or [none])
    return f"(SELECT * FROM (VALUES {listed}) AS rows({columns}) {'' if rows else 'WHERE FALSE'})"


def some(chance: random.Random, width: int, most: int) -> list[Key]:
    values = (None, 1, 2, 3, 4)
    return [tuple(chance.choice(values) for _ in range(width)) for _ in range(chance.randint(0, most))]


def orphans(rows: list[Key], targets: list[Key]) -> int:
    """A key with a null points at nothing; a target with a null is no key that anybody could point at."""
    known = {key for key in targets if None not in key}
    return sum(None not in row and row not in known for row in rows)


def repeated(rows: list[Key]) -> int:
    times = Counter(row for row in rows if None not in row)
    return sum(count for count in times.values() if count > 1)


@pytest.mark.parametrize("partitioned", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_rows_that_point_at_nothing_are_counted_whatever_is_null_or_twice(con, seed, width, partitioned):
    chance = random.Random(f"{seed} {width} {partitioned}")
    rows, targets = some(chance, width, 30), some(chance, width, 8) * 2
    published = some(chance, width, 30) if partitioned else []
    names, theirs = ["a", "b", "c"][:width], ["x", "y", "z"][:width]
    link = rule("foreign_key", *names, to_product=str(ZIPS), to_columns=theirs)

    result = audit(
        con,
        table(rows, ", ".join(names)),
        contract_of(link),
        references={ZIPS: table(targets, ", ".join(theirs))},
        whole_sql=table(published, ", ".join(names)) if partitioned else None,
    ).results[0]

    wanted = orphans(rows + published, targets)
    assert (result.failed_rows, result.checked_rows) == (wanted, len(rows) + len(published))
    assert len(result.sample) == min(20, wanted)
    assert result.outcome is (Outcome.FAILED if wanted else Outcome.PASSED)


@pytest.mark.parametrize("seed", range(6))
def test_a_product_that_points_at_itself_is_counted_with_its_published_rows(con, seed):
    chance = random.Random(seed)
    rows, published = some(chance, 2, 12), some(chance, 2, 12)
    parent = rule("foreign_key", "parent", to_product=str(PRODUCT), to_columns=["id"])

    result = audit(
        con, table(rows, "id, parent"), contract_of(parent), whole_sql=table(published, "id, parent")
    ).results[0]

    every = rows + published
    assert result.failed_rows == orphans([(row[1],) for row in every], [(row[0],) for row in every])


#: own type and value, the target's type and value, whether they are the same; None if they cannot be compared.
PAIRS: list[tuple[str, str, str, str, bool | None]] = [
    ("TINYINT", "1", "BIGINT", "1", True),
    ("BIGINT", "9223372036854775807", "UBIGINT", "9223372036854775807", True),
    ("BIGINT", "-1", "UBIGINT", "18446744073709551615", False),
    ("BIGINT", "9007199254740993", "DECIMAL(18,0)", "9007199254740992", False),
    ("INTEGER", "1", "DECIMAL(9,2)", "1.00", True),
    ("INTEGER", "1", "DECIMAL(9,2)", "1.01", False),
    ("DECIMAL(9,4)", "0.1000", "DECIMAL(9,1)", "0.1", True),
    ("DECIMAL(9,4)", "0.1001", "DECIMAL(9,1)", "0.1", False),
    ("DOUBLE", "-0.0", "DOUBLE", "0.0", True),
    ("DOUBLE", "'nan'", "DOUBLE", "'nan'", True),
    ("DOUBLE", "'inf'", "DOUBLE", "'-inf'", False),
    ("VARCHAR", "'a '", "VARCHAR", "'a'", False),
    ("VARCHAR", "''", "VARCHAR", "''", True),
    ("VARCHAR", "chr(233)", "VARCHAR", "'e' || chr(769)", False),
    ("DATE", "'2024-01-01'", "DATE", "'2024-01-01'", True),
    ("DATE", "'infinity'", "DATE", "'infinity'", True),
    ("UUID", "'123e4567-e89b-12d3-a456-426614174000'", "UUID", "'123E4567-E89B-12D3-A456-426614174000'", True),
    ("BIGINT", "1", "DOUBLE", "1", None),
    ("VARCHAR", "'1'", "BIGINT", "1", None),
    ("BOOLEAN", "TRUE", "INTEGER", "1", None),
    ("DATE", "'2024-01-01'", "TIMESTAMP", "'2024-01-01'", None),
    ("TIMESTAMP", "'2024-01-01'", "TIMESTAMPTZ", "'2024-01-01'", None),
    ("UUID", "'123e4567-e89b-12d3-a456-426614174000'", "VARCHAR", "'123e4567-e89b-12d3-a456-426614174000'", None),
]  # fmt: skip


@pytest.mark.parametrize(("own", "value", "theirs", "target", "same"), PAIRS)
def test_a_key_is_the_same_value_and_never_a_cast_of_one(result_of, own, value, theirs, target, same):
    link = rule("foreign_key", "x", to_product=str(ZIPS), to_columns=["y"])

    result = result_of(
        one_column(own, value, "NULL"), link, references={ZIPS: one_column(theirs, target, name="y")}
    )

    wanted = {True: (Outcome.PASSED, 0), False: (Outcome.FAILED, 1), None: (Outcome.ERROR, None)}[same]
    assert (result.outcome, result.failed_rows) == wanted, result


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [1, 2])
def test_a_primary_key_is_counted_over_the_product_and_its_nulls_in_the_draft(con, seed, width):
    chance = random.Random(f"{seed} {width}")
    rows, published = some(chance, width, 6), some(chance, width, 6)
    names = ["a", "b"][:width]

    result = audit(
        con,
        table(rows, ", ".join(names)),
        contract_of(rule("primary_key", *names)),
        whole_sql=table(published, ", ".join(names)),
    ).results[0]

    every = rows + published
    wanted = repeated(every) + sum(None in row for row in rows)
    assert (result.failed_rows, result.checked_rows) == (wanted, len(every))


def test_duplicate_values_with_the_partition_column_are_a_measure_of_the_whole_product(result_of):
    measure = rule("duplicate_values", "id", "week", operator="mustBe", value=50, unit="percent")

    result = result_of(
        draft(("1", "2"), ("2", "2"), columns="id, week"),
        measure,
        whole_sql=draft(("1", "1"), ("1", "1"), columns="id, week"),
        partition_column="week",
    )

    assert (result.value, result.outcome, result.checked_rows) == ("50%", Outcome.PASSED, 4)


@pytest.mark.parametrize(
    ("stored", "values"),
    [
        ("BIGINT", ["-9223372036854775808", "9223372036854775807"]),
        ("UBIGINT", ["0", "18446744073709551615"]),
        ("HUGEINT", ["-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"]),
        ("DOUBLE", ["'nan'", "'inf'", "'-inf'", "5e-324"]),
        ("VARCHAR", ["'e' || chr(769)", "chr(233)", "''", "' '"]),
    ],
)
def test_keys_at_the_ends_of_their_type_repeat_exactly_where_they_are_equal(result_of, stored, values):
    unique = rule("unique", "x")

    assert result_of(one_column(stored, *values, "NULL", "NULL"), unique).failed_rows == 0
    assert result_of(one_column(stored, *values, values[0], "NULL"), unique).failed_rows == 2
    assert (
        result_of(one_column(stored, *values), unique, whole_sql=one_column(stored, values[1])).failed_rows
        == 2
    )
