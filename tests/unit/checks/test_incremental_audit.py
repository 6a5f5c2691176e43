"""A draft of some partitions: what the others are known to keep is not looked at again, all else is."""

from __future__ import annotations

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import PRODUCT, contract_of, draft, one_column, rule

ZIPS = ProductName("geography", "zip_area")
POINTS = rule("foreign_key", "zip", to_product=str(ZIPS), to_columns=["zip5"])


def test_a_row_of_an_unchanged_partition_fails_when_its_target_is_gone(result_of):
    result = result_of(
        draft(("1", "'10001'"), columns="id, zip"),
        POINTS,
        key=("id",),
        references={ZIPS: one_column("VARCHAR", "'10001'", name="zip5")},
        whole_sql=draft(("2", "'99999'"), ("3", "'10001'"), columns="id, zip"),
    )

    assert (result.outcome, result.failed_rows, result.checked_rows) == (Outcome.FAILED, 1, 3)
    assert result.sample == ({"id": 2, "zip": "99999"},)


def test_an_unchanged_partition_is_not_read_when_its_target_is_the_same(result_of):
    result = result_of(
        one_column("VARCHAR", "'10001'", name="zip"),
        POINTS,
        references={ZIPS: one_column("VARCHAR", "'10001'", name="zip5")},
        whole_sql="(SELECT error('it was read') AS zip)",
        kept_elsewhere={POINTS.id},
    )

    assert (result.outcome, result.checked_rows) == (Outcome.PASSED, 1)


def test_a_product_that_points_at_itself_is_looked_at_as_a_whole(result_of):
    parent = rule("foreign_key", "parent", to_product=str(PRODUCT), to_columns=["id"])

    result = result_of(
        draft(("1", "NULL::INTEGER"), columns="id, parent"),
        parent,
        whole_sql=draft(("2", "1"), ("3", "7"), columns="id, parent"),
        kept_elsewhere={parent.id},
    )

    assert result.failed_rows == 1  # 7 was in the partition that this draft replaces


def test_a_repeat_among_published_keys_is_found_unless_they_are_known_to_differ(result_of):
    unique = rule("unique", "x")
    about = {"whole_sql": one_column("BIGINT", "5", "5", "1")}

    assert result_of(one_column("BIGINT", "1", "2"), unique, **about).failed_rows == 4


def test_a_key_with_the_partition_column_is_looked_at_in_the_draft_alone(result_of):
    key = rule("primary_key", "id", "week")

    result = result_of(
        draft(("1", "DATE '2024-01-08'"), columns="id, week"),
        key,
        whole_sql="(SELECT error('it was read') AS id, DATE '2024-01-01' AS week)",
        partition_column="week",
    )

    assert (result.outcome, result.checked_rows) == (Outcome.PASSED, 1)


ZIP = st.one_of(st.none(), st.sampled_from(["1", "2", "3", "4"]))
ROWS = st.lists(st.tuples(ZIP, ZIP), max_size=20)


def values(rows: list[tuple[str | None, str | None]]) -> str:
    listed = ", ".join(f"({_text(a)}, {_text(b)})" for a, b in rows)
    empty = "(SELECT NULL::VARCHAR AS a, NULL::VARCHAR AS b WHERE FALSE)"
    return f"(SELECT * FROM (VALUES {listed}) AS rows(a, b))" if rows else empty


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else f"'{value}'"


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, published=ROWS, targets=st.sets(st.sampled_from(["1", "2", "3"])))
def test_rules_with_one_target_are_counted_together_as_each_alone(rows, published, targets):
    rules = [
        rule("foreign_key", name, id=f"{name}_known", to_product=str(ZIPS), to_columns=["zip5"])
        for name in ("a", "b")
    ]

    with duckdb.connect() as con:
        verdict = audit(
            con,
            values(rows),
            contract_of(*rules),
            whole_sql=values(published),
            references={ZIPS: one_column("VARCHAR", *(f"'{each}'" for each in targets), name="zip5")},
        )

    every = rows + published
    wanted = [sum(row[n] is not None and row[n] not in targets for row in every) for n in (0, 1)]
    assert [result.failed_rows for result in verdict.results] == wanted
    assert [len(result.sample) for result in verdict.results] == [min(20, count) for count in wanted]


def test_rules_with_one_target_and_other_types_are_answered_each_alone(verdict_on):
    rules = [
        rule("foreign_key", name, id=name, to_product=str(ZIPS), to_columns=["zip5"])
        for name in ("small", "large", "words")
    ]
    rows = draft(("1::TINYINT", "9::BIGINT", "'1'"), columns="small, large, words")

    verdict = verdict_on(rows, *rules, references={ZIPS: one_column("INTEGER", "1", name="zip5")})

    told = [result.outcome for result in verdict.results]
    assert told == [Outcome.PASSED, Outcome.FAILED, Outcome.ERROR]
