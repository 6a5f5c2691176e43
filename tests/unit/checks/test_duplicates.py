"""Keys that repeat: every way to find them, or to prove that there are none, agrees with a count by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.distinct import PROBED_ROWS, Proof, prove
from mesh_assets.capabilities.checks.subject import Subject, look_at
from tests.unit.checks.conftest import contract_of, draft, one_column, rule

FEW = settings(max_examples=60, deadline=None)


def whole(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


VALUES = {
    "BIGINT": st.one_of(whole(0, 9), whole(-(2**63), 2**63 - 1), whole(2**63 - 9, 2**63 - 1)),
    "UBIGINT": st.one_of(whole(0, 9), whole(2**64 - 9, 2**64 - 1)),
    "TINYINT": whole(-128, 127),
    "HUGEINT": st.one_of(whole(0, 9), whole(-(10**30), 10**30)),
    "DATE": whole(0, 40).map(lambda days: date(2024, 1, 1) + timedelta(days=days)),
    "VARCHAR": st.one_of(
        st.sampled_from(["", "a", "A", "b", "\u00e9", "e\u0301", "a ", "aa"]),
        st.sampled_from(["x01", "x02", "y01", "x1", "01", "1", "+1", " 1", "1e0", "\u0661", "-1", "1_0"]),
        st.integers(0, 40).map("x{:02}".format),
    ),
    "DOUBLE": st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), 2.5, 1e300]),
    "DECIMAL(6,2)": whole(-9, 9).map(lambda cents: f"{cents / 100:.2f}"),
    "BOOLEAN": st.booleans(),
    "VARCHAR[]": st.sampled_from([[], ["a"], ["a", "b"], ["b", "a"]]),
}


def table(kinds: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    values = ", ".join("(" + ", ".join(map(literal, row, kinds)) + ")" for row in rows)
    names = ", ".join(f"c{n}" for n in range(len(kinds)))
    if not rows:
        return (
            "(SELECT " + ", ".join(f"NULL::{kind} AS c{n}" for n, kind in enumerate(kinds)) + " WHERE FALSE)"
        )
    return f"(SELECT * FROM (VALUES {values}) AS rows({names}))"


def literal(value: object, kind: str) -> str:
    if value is None:
        return f"NULL::{kind}"
    quoted = str(value).replace("'", "''")
    return f"{value}::{kind}" if isinstance(value, list) else f"'{quoted}'::{kind}"


def alike(row: tuple[object, ...]) -> tuple[object, ...]:
    """Equal exactly where SQL groups rows together: any NaN is any other, and zero has no sign."""
    return tuple(
        "nan" if value != value else str(value + 0.0 if isinstance(value, float) else value) for value in row
    )


def counted_by_hand(rows: list[tuple[object, ...]]) -> int:
    keys = Counter(alike(row) for row in rows if None not in row)
    return sum(count for count in keys.values() if count > 1)


@st.composite
def keyed_rows(draw):
    kinds = tuple(draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3)))
    row = st.tuples(*(st.one_of(st.none(), VALUES[kind]) for kind in kinds))
    return kinds, draw(st.lists(row, max_size=30)), draw(st.lists(row, max_size=30))


@FEW
@given(keyed_rows())
def test_rows_of_repeated_keys_are_counted_whatever_the_types(made):
    kinds, rows, _ = made
    key = tuple(f"c{n}" for n in range(len(kinds)))

    with duckdb.connect() as con:
        result = audit(con, table(kinds, rows), contract_of(rule("unique", *key))).results[0]

    assert result.failed_rows == counted_by_hand(rows)
    assert len(result.sample) == min(20, counted_by_hand(rows))


@FEW
@given(keyed_rows())
def test_keys_are_counted_over_the_draft_and_the_partitions_beside_it(made):
    kinds, rows, published = made
    key = tuple(f"c{n}" for n in range(len(kinds)))

    with duckdb.connect() as con:
        result = audit(
            con, table(kinds, rows), contract_of(rule("unique", *key)), whole_sql=table(kinds, published)
        ).results[0]

    assert result.failed_rows == counted_by_hand(rows + published)
    assert result.checked_rows == len(rows) + len(published)


@FEW
@given(keyed_rows())
def test_where_published_keys_are_known_to_differ_only_those_of_the_draft_are_looked_for(made):
    kinds, rows, published = made
    once = list({alike(row): row for row in published}.values())
    key = tuple(f"c{n}" for n in range(len(kinds)))
    unique = rule("unique", *key)

    with duckdb.connect() as con:
        result = audit(
            con,
            table(kinds, rows),
            contract_of(unique),
            whole_sql=table(kinds, once),
            kept_elsewhere={unique.id},
        ).results[0]

    assert result.failed_rows == counted_by_hand(rows + once)


#: Ten digits in no order.
SHUFFLED = "lpad((i * 31337 % 50000)::VARCHAR, 10, '0')"


def proof(relation: str, *columns: str, con: duckdb.DuckDBPyConnection) -> Proof:
    subject = look_at(Subject(con, relation, contract_of()))
    return prove(subject, columns, [subject.relation])


@pytest.mark.parametrize(
    ("relation", "columns", "said"),
    [
        ("(SELECT (i * 7919) % 1000 AS a FROM range(1000) AS rows(i))", ("a",), Proof.DISTINCT),
        ("(SELECT i % 999 AS a FROM range(1000) AS rows(i))", ("a",), Proof.REPEATED),
        (
            "(SELECT i // 40 AS a, DATE '2024-01-01' + (i % 40)::INTEGER AS b FROM range(1000) AS rows(i))",
            ("a", "b"),
            Proof.DISTINCT,
        ),
        ("(SELECT lpad(i::VARCHAR, 9, '0') AS a FROM range(50000) AS rows(i))", ("a",), Proof.DISTINCT),
        ("(SELECT i * 1000000007 AS a FROM range(50000) AS rows(i))", ("a",), Proof.DISTINCT),
        ("(SELECT md5(i::VARCHAR) AS a FROM range(50000) AS rows(i))", ("a",), Proof.UNKNOWN),
        (f"(SELECT 'k-' || {SHUFFLED} AS a FROM range(50000) AS rows(i))", ("a",), Proof.DISTINCT),
        (
            f"(SELECT ['k', 'l'][1 + i % 2] || {SHUFFLED} AS a FROM range(50000) AS rows(i))",
            ("a",),
            Proof.DISTINCT,
        ),
        (f"(SELECT 'k-' || {SHUFFLED} || 'x' AS a FROM range(50000) AS rows(i))", ("a",), Proof.UNKNOWN),
        ("(SELECT ['k1', 'l1', 'k0', 'l0'][1 + i] AS a FROM range(4) AS rows(i))", ("a",), Proof.UNKNOWN),
        ("(SELECT ['k1', 'k01', 'k+1', 'k 1'][1 + i] AS a FROM range(4) AS rows(i))", ("a",), Proof.UNKNOWN),
        (
            "(SELECT i * 1000000007 % 1000000009 * 999999937 AS a FROM range(50000) AS rows(i))",
            ("a",),
            Proof.UNKNOWN,
        ),
        (one_column("BIGINT"), ("x",), Proof.DISTINCT),
        (one_column("BIGINT", "NULL", "NULL"), ("x",), Proof.DISTINCT),
        (one_column("DATE", "'infinity'", "'-infinity'", "'infinity'"), ("x",), Proof.UNKNOWN),
    ],
)
def test_proofs_apply_to_dense_and_to_sorted_keys(con, relation, columns, said):
    assert proof(relation, *columns, con=con) is said


def test_a_run_that_falls_late_is_no_proof(con):
    late = PROBED_ROWS + 5_000
    relation = (
        f"(SELECT CASE i WHEN {late} THEN '000000001' ELSE lpad(i::VARCHAR, 9, '0') END AS a "
        f"FROM range({late + 100}) AS rows(i))"
    )

    assert proof(relation, "a", con=con) is Proof.UNKNOWN
    assert audit(con, relation, contract_of(rule("unique", "a"))).results[0].failed_rows == 2


def test_keys_of_many_files_meet_each_other(con, tmp_path):
    for name, rows in {"a": "range(0, 300000)", "b": "range(299999, 500000)"}.items():
        con.execute(f"COPY (SELECT 'k' || i AS x FROM {rows} AS rows(i)) TO '{tmp_path}/{name}.parquet'")

    result = audit(con, f"read_parquet('{tmp_path}/*.parquet')", contract_of(rule("unique", "x"))).results[0]

    assert (result.failed_rows, result.sample) == (2, ({"x": "k299999"}, {"x": "k299999"}))


def test_the_least_repeated_keys_are_shown_together(verdict_on):
    rows = draft(*((f"{n % 30}", "'x'") for n in range(60)), columns="id, name")

    sample = verdict_on(rows, rule("unique", "id")).results[0].sample

    assert [row["id"] for row in sample] == [n // 2 for n in range(20)]


def test_keys_in_an_arrow_table_are_found(con):
    con.register("held", pa.table({"x": [1, 2, 2]}))

    assert audit(con, "held", contract_of(rule("unique", "x"))).results[0].failed_rows == 2
