"""SQL rules: what they can measure, and what they cannot do."""

from __future__ import annotations

import duckdb
import pytest

from mesh_assets.capabilities.checks.sandbox import measure, sandbox
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, draft, one_column, rule


@pytest.fixture
def parquet(con, tmp_path):
    path = tmp_path / "it's a draft.parquet"
    con.execute("COPY (SELECT i AS id, i % 3 AS x FROM range(9) AS rows(i)) TO " + literal(path))
    return path


def literal(path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def sql(query: str, *columns: str, operator: str = "mustBe", value: float = 0, reads: tuple[str, ...] = ()):
    return rule("sql", *columns, id="asked", query=query, operator=operator, value=value, reads=list(reads))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM {object} WHERE {property} = 1",
        "SELECT count(*) FROM ${object} WHERE ${property} = 1 -- and a remark",
        "select count(*) from ${table} where ${column} = 1;",
        "WITH a AS (SELECT * FROM orders WHERE x = 1) SELECT count(*) FROM a",
    ],
)
def test_a_query_measures_the_draft(result_of, parquet, query):
    for relation in (
        f"read_parquet([{literal(parquet)}])",
        f"SELECT * FROM read_parquet({literal(parquet)})",
    ):
        result = result_of(relation, sql(query, "x", value=3))
        assert (result.outcome, result.value) == (Outcome.PASSED, "3"), result


def test_a_query_reads_declared_relations_only_under_their_names(result_of):
    zips = {ProductName("geography", "zip_area"): one_column("VARCHAR", "'1'", name="zip5")}

    query = "SELECT count(*) FROM {object} AS o ANTI JOIN geography.zip_area AS z ON o.zip5 = z.zip5"
    rows = one_column("VARCHAR", "'1'", "'2'", name="zip5")

    declared = sql(query, reads=("geography.zip_area",))
    assert result_of(rows, declared, references=zips).value == "1"
    assert result_of(rows, declared).outcome is Outcome.ERROR


def test_a_query_does_not_read_what_only_another_rule_brings_along(result_of):
    """What a consumer's rule compares with is the consumer's, and nothing that the producer may read."""
    zips = {ProductName("geography", "zip_area"): one_column("VARCHAR", "'1'", name="zip5")}

    result = result_of(
        one_column("BIGINT", "1"), sql("SELECT count(*) FROM geography.zip_area"), references=zips
    )

    assert result.outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DROP TABLE orders", "one SELECT"),
        ("CREATE TABLE t AS SELECT 1", "one SELECT"),
        ("ATTACH 'other.db' AS other", "one SELECT"),
        ("COPY (SELECT 1) TO 'stolen.csv'", "one SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("SET lock_configuration = false", "one SELECT"),
        ("PRAGMA database_list", "could not run"),
        ("SELECT 1; DROP TABLE orders", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("UPDATE orders SET x = 1", "one SELECT"),
        ("", "no query"),
        ("SELEKT", "Parser Error"),
        ("SELECT * FROM read_csv('/etc/passwd')", "it reads from read_csv()"),
        ("SELECT count(*) FROM read_text('/etc/passwd')", "it reads from read_text()"),
        ("SELECT count(*) FROM '/etc/passwd'", "could not run"),
        ("SELECT count(*) FROM glob('/etc/*')", "it reads from glob()"),
        ("SELECT count(*) FROM visible_to_python", "does not exist"),
        ("SELECT count(*) FROM 'https://example.com/x.parquet'", "could not run"),
        ("SELECT x FROM orders", "one row with one number"),
        ("SELECT 1, 2", "one row with one number"),
        ("SELECT 1 WHERE FALSE", "one row with one number"),
        ("SELECT 'a'", "not a number"),
        ("SELECT NULL", "null"),
        ("SELECT 'nan'::DOUBLE", "nan"),
        ("SELECT {property}", "has none"),
        ("SELECT nothing FROM orders", "nothing"),
    ],
)
def test_anything_else_is_an_error_of_that_rule_alone(verdict_on, parquet, query, reason):
    visible_to_python = None  # noqa: F841 - a replacement scan would find it

    verdict = verdict_on(f"read_parquet({literal(parquet)})", sql(query), rule("required", "x"))

    asked, required = verdict.results
    assert asked.outcome is Outcome.ERROR
    assert reason in asked.summary, asked.summary
    assert required.outcome is Outcome.PASSED


def test_a_query_sees_no_other_file_beside_the_draft(result_of, parquet, con):
    other = parquet.parent / "secret.parquet"
    con.execute(f"COPY (SELECT 42 AS x) TO {literal(other)}")

    subject = look_at(Subject(con, f"read_parquet({literal(parquet)})", contract_of()))

    # Past the judgement of the query's text, which refuses read_parquet: the connection itself is locked.
    with sandbox(subject, []) as locked, pytest.raises(duckdb.PermissionException):
        locked.execute(f"SELECT sum(x) FROM read_parquet({literal(other)})")


def test_a_query_that_takes_too_long_is_interrupted(con):
    subject = look_at(Subject(con, one_column("BIGINT", "1"), contract_of()))
    endless = sql("SELECT count(*) FROM range(10000000) AS a, range(10000000) AS b WHERE a.range < b.range")

    with sandbox(subject, [endless]) as guarded, pytest.raises(CannotRun, match=r"longer than 0\.2 seconds"):
        measure(guarded, subject, endless, seconds=0.2)


def test_hostile_column_names_stay_names_in_placeholders(result_of):
    relation = draft(("1",), ("NULL",), columns='"x""; DROP TABLE orders; --"')

    result = result_of(
        relation, sql("SELECT count({property}) FROM {object}", 'x"; DROP TABLE orders; --', value=1)
    )

    assert result.outcome is Outcome.PASSED, result


def test_a_relation_that_is_no_plain_parquet_is_copied_in(result_of, con):
    con.execute("CREATE TABLE anything AS SELECT i AS x FROM range(5) AS rows(i)")

    assert result_of("anything", sql("SELECT sum(x) FROM {object}", value=10)).outcome is Outcome.PASSED
