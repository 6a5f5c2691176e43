"""SQL of a contract that means harm: it reads nothing else, it ends in time, and it takes nothing down."""

from __future__ import annotations

import os
import subprocess
import time

import duckdb
import pytest

from mesh_assets.capabilities.checks.compile import compile_rules
from mesh_assets.capabilities.checks.expressions import checked
from mesh_assets.capabilities.checks.queries import is_tame
from mesh_assets.capabilities.checks.sandbox import measure, sandbox
from mesh_assets.capabilities.checks.scan import scan
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, draft, one_column, rule

READABLE = [("", "orders"), ("geography", "zip_area")]


def sql(query: str):
    return rule("sql", id="asked", query=query, operator="mustBe", value=0)


@pytest.mark.parametrize(
    "query",
    [
        # settings, secrets, the catalog, the environment
        "SELECT count(*) FROM duckdb_secrets()",
        "SELECT count(*) FROM duckdb_settings()",
        "SELECT count(*) FROM duckdb_settings",
        "SELECT count(*) FROM duckdb_views() WHERE sql LIKE '%parquet%'",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT count(*) FROM pg_catalog.pg_tables",
        "SELECT count(*) FROM sqlite_master",
        "SELECT count(*) FROM system.information_schema.tables",
        "SELECT length(current_setting('temp_directory'))",
        "SELECT length(getenv('HOME'))",
        "SELECT length(repeat(getenv('HOME'), 2))",
        "SELECT count(*) FROM which_secret('s3://a', 's3')",
        "SELECT write_log('anything')",
        "WITH duckdb_views AS (SELECT 1) SELECT count(*) FROM duckdb_views",
        # files and other products
        "SELECT count(*) FROM 'secret.parquet'",
        'SELECT count(*) FROM "/etc/passwd"',
        "SELECT count(*) FROM parquet_metadata('draft.parquet')",
        "SELECT count(*) FROM read_json_auto('https://example.com/x.json')",
        "SELECT count(*) FROM sniff_csv('/etc/passwd')",
        "SELECT count(*) FROM sqlite_scan('a.db', 'b')",
        "SELECT count(*) FROM geography.undeclared",
        "SELECT count(*) FROM lake.main.orders",
        # text that becomes SQL, or describes what there is
        "SELECT count(*) FROM query('SELECT * FROM duckdb_settings()')",
        "SELECT count(*) FROM query_table('duckdb_settings')",
        "SELECT count(*) FROM (DESCRIBE orders)",
        "SELECT count(*) FROM (SHOW ALL TABLES)",
        "SELECT count(*) FROM (SUMMARIZE orders)",
        # where it is hidden
        "SELECT count(*) FROM orders WHERE x IN (SELECT count(*) FROM duckdb_settings())",
        "WITH a AS (SELECT * FROM glob('/etc/*')) SELECT count(*) FROM a",
        "SELECT (SELECT count(*) FROM read_text('/etc/passwd'))",
        "SELECT count(*) FROM orders, LATERAL (SELECT * FROM read_blob('/etc/passwd'))",
        "SELECT count(*) FROM orders GROUP BY ALL HAVING count(*) > (SELECT count(*) FROM duckdb_tables())",
    ],
)
def test_a_query_reads_what_is_declared_and_nothing_of_the_process(con, query):
    with pytest.raises(CannotRun, match=r"it (reads|calls|describes)"):
        is_tame(con, query, READABLE)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1) ; DROP TABLE orders; --",
        "SELECT count(*) FROM orders) AS measured; ATTACH 'x.db'; SELECT * FROM (SELECT 1",
        "SELECT 1 /* a bracket that never closes",
        "SELECT 1; /* */ COPY orders TO 'stolen.csv'",
        "EXPLAIN ANALYZE SELECT 1",
        "CREATE MACRO count(x) AS 0",
        "LOAD httpfs",
        "CALL pragma_version()",
        "EXPORT DATABASE 'stolen'",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "SELECT $1",
        "SELECT count(*) FROM (PIVOT orders ON x USING count(*))",
        "SELECT " + "NOT " * 100_000 + "TRUE",
        "SELECT " + "+".join(["1"] * 20_000),
        "SELECT 1 \0 ; DROP TABLE orders",
    ],
)
def test_a_text_that_is_no_single_select_is_an_error_of_its_rule_alone(verdict_on, query):
    asked, neighbour = verdict_on(one_column("BIGINT", "1"), sql(query), rule("required", "x")).results

    assert asked.outcome is Outcome.ERROR
    assert "\n" not in asked.summary
    assert len(asked.summary) < 2_000
    assert neighbour.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM {object} AS a, {object} AS b WHERE a.x < b.x -- a remark ) that closes nothing",
        "SELECT count(*) FROM main.orders",
        "WITH a AS (SELECT * FROM orders) SELECT count(*) FROM a",
        "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY x) AS n FROM orders) WHERE n > 1",
        "SELECT count(*) FROM orders WHERE replace(x::VARCHAR, '-', '') <> x::VARCHAR || ''",
        "SELECT count(*) FROM range(3) AS days(day) ANTI JOIN orders ON x = day",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT max(n) FROM t",
    ],
)
def test_ordinary_queries_run_in_the_process_of_the_audit(con, query):
    assert is_tame(con, query.replace("{object}", "orders"), READABLE)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT length(repeat('a', 3000000000))",
        "SELECT levenshtein(a, a) FROM (SELECT repeat('a', 200000) AS a)",
        "SELECT len(range(300000000))",
        "SELECT len(list_transform([1], lambda x: x + 1))",
        "SELECT length(string_agg('a', '')) FROM range(10000000000)",
        "SELECT length(replace(replace('aaaa', 'a', repeat('a', 1000)), 'a', repeat('a', 1000)))",
        "SELECT length(a) FROM (SELECT " + "||".join(["x::VARCHAR"] * 20) + " AS a FROM orders)",
        f"SELECT count(*) FROM orders WHERE x::VARCHAR = '{'a' * 2_000}'",
        "WITH RECURSIVE t AS (SELECT 'a' AS n UNION ALL SELECT n || n FROM t) SELECT count(*) FROM t",
        "SELECT sleep_ms(100000)",
        "SELECT a_function_that_comes_with_another_duckdb(x) FROM orders",
    ],
)
def test_what_no_clock_interrupts_is_sent_to_a_process_of_its_own(con, query):
    assert not is_tame(con, query, READABLE)


def asked_on(con, relation: str, query: str, *, seconds: float, **more):
    subject = look_at(Subject(con, relation, contract_of(), **more))
    with sandbox(subject, [sql(query)]) as guarded:
        return measure(guarded, subject, sql(query), seconds=seconds)


def children() -> set[int]:
    """Processes of this one; other tests may have left some that serve the whole run."""
    with subprocess.Popen(["ps", "-A", "-o", "ppid=,pid="], stdout=subprocess.PIPE, text=True) as asked:
        told = asked.communicate()[0]
    pairs = (map(int, line.split()) for line in told.splitlines())
    return {pid for parent, pid in pairs if parent == os.getpid()} - {asked.pid}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
            "longer",
        ),
        ("SELECT count(*) FROM range(1000000000000000000)", "longer"),
        ("SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))", "longer"),
        ("SELECT length(format('{:>2000000000}', 'a'))", "longer"),
        ("SELECT sum(len(range(10000000 + range))) FROM range(1000)", "Out of Memory"),
    ],
)
def test_a_query_without_an_end_is_ended_and_leaves_nothing_behind(con, query, reason):
    before = children()
    with pytest.raises(CannotRun, match=reason):
        asked_on(con, one_column("BIGINT", "1"), query, seconds=0.3)

    assert children() <= before  # none is left, running or waiting for its parent


def test_a_process_of_its_own_sees_the_same_rows_and_answers_as_exactly(con, tmp_path):
    con.execute(f"COPY (SELECT 7::BIGINT AS x, 'é' AS name) TO '{tmp_path}/draft.parquet'")
    areas = {ProductName("geography", "zip_area"): one_column("VARCHAR", "'1'", "'2'", name="zip5")}
    rows = f"read_parquet('{tmp_path}/draft.parquet')"

    answered = [
        asked_on(con, rows, f"SELECT {wild} FROM {{object}}", seconds=20, references=areas)
        for wild in (
            "len(repeat(any_value(name), 3))",
            "any_value(x) + (SELECT len(list(zip5)) FROM geography.zip_area)",
            "sum(len(repeat('a', 1)))::DECIMAL(38, 20) / 3 * 0 + 0.1::DECIMAL(38, 20)",
            "0.1::DOUBLE + 0 * len(repeat('a', 1))",
            "len(repeat('a', 1)) = 1",
        )
    ]

    assert [str(each) for each in answered] == ["3", "9", "1/10", "1/10", "1"]


def test_a_process_of_its_own_sees_no_environment_and_no_other_file(con, tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_REGISTRY", "postgresql://user:secret@example.com/registry")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    asked = "SELECT len(repeat('a', 2)) + (SELECT count(*) FROM read_csv('secret.csv'))"

    with pytest.raises(CannotRun, match="reads from read_csv"):
        asked_on(con, one_column("BIGINT", "1"), asked, seconds=20)


def test_a_value_that_is_no_number_is_told_whichever_process_answers(con):
    for query in ("SELECT 'a'", "SELECT repeat('a', 2)"):
        with pytest.raises(CannotRun, match="not a number"):
            asked_on(con, one_column("BIGINT", "1"), query, seconds=20)


@pytest.mark.parametrize(
    "expression",
    [
        "x = replace(replace(x, 'a', 'aaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaa')",
        "x = replace(x, 'a', x)",
        "x = " + "||".join(["x"] * 30),
        "x = concat(" + ", ".join(["x"] * 300) + ")",
        f"x = '{'a' * 2_000}'",
        "x = regexp_replace(regexp_replace(x, '(.*)', '" + "\\1" * 20 + "'), '(.*)', '" + "\\1" * 20 + "')",
    ],
)
def test_an_expression_that_makes_texts_grow_without_measure_is_refused(expression):
    with pytest.raises(CannotRun, match="256 times longer"):
        checked(expression, ["x"])


@pytest.mark.parametrize(
    "expression",
    [
        "x) OR (1 = 1",
        "x = 1) OR (SELECT 1) = (1",
        "x = 1) FROM duckdb_settings() --",
        "x = 1 /* swallows the rest",
        "x = (SELECT 1)",
        "EXISTS (SELECT 1)",
        "count(*) > 1",
        "sum(x) OVER () > 1",
        "x = getenv('HOME')",
        "x = current_setting('threads')",
        "x IN (FROM orders)",
        "COLUMNS(*) > 1",
        "* > 1",
        "x = $1",
        "x = ?",
        "x = levenshtein(x, x)",
        "x = repeat('a', 3000000000)",
        "x = random()",
        "x; DROP TABLE orders",
        "list_transform([x], lambda y: y) = [1]",
        "TRY(x) = 1",
        "x::JSON = 1",
        "main.upper(x) = 'A'",
    ],
)
def test_an_expression_is_one_value_per_row_whatever_it_tries(verdict_on, expression):
    """The reader of contracts refuses most of these by their words; here is the second wall."""
    hostile = rule("expression", "x", id="hostile", expression=expression)

    asked, neighbour = verdict_on(one_column("BIGINT", "1"), hostile, rule("required", "x")).results

    assert asked.outcome is Outcome.ERROR, asked
    assert neighbour.outcome is Outcome.PASSED


@pytest.mark.parametrize("terms", [10, 300, 700, 990])
def test_a_long_expression_runs_or_is_told_to_be_too_long(verdict_on, terms):
    long = rule("expression", "x", id="long", expression="x" + " + x" * terms + " > 0")
    query = sql(f"SELECT count(*) FROM orders WHERE {long.arguments['expression']}")

    found, asked, neighbour = verdict_on(
        one_column("BIGINT", "1"), long, query, rule("required", "x")
    ).results

    assert found.outcome is Outcome.PASSED or "nested too deep" in found.summary
    assert asked.value == "1" or "nested too deep" in asked.summary
    assert neighbour.outcome is Outcome.PASSED


def test_an_expression_that_takes_too_long_is_an_error_and_the_others_are_counted(con):
    rows = "(SELECT range AS x, repeat('ab', 200) || range AS name FROM range(200000))"
    endless = " AND ".join(f"regexp_matches(name, '(a|b|ab)*{n}[xyz]')" for n in range(60))
    rules = [
        rule("expression", "x", id="endless", expression=f"NOT ({endless.replace('AND', 'OR')})"),
        rule("expression", "x", id="quick", expression="x > 0"),
        rule("required", "x"),
    ]
    subject = look_at(Subject(con, rows, contract_of(*rules)))
    checks, broken = compile_rules(rules, subject.stored)
    began = time.monotonic()

    seen = scan(subject, checks, seconds=0.2)

    slow, quick, required = (check.counted for check in checks)
    assert not broken
    assert seen.broken == {slow: "it took longer than 0.2 seconds"}
    assert (seen.counts[quick], seen.counts[required], seen.rows) == (1, 0, 200_000)
    assert time.monotonic() - began < 30


def test_names_and_values_are_data_wherever_they_stand(verdict_on):
    name = 'x"; DROP TABLE orders; --'
    value = "'; DROP TABLE orders; --"
    relation = draft(
        ("'" + value.replace("'", "''") + "'",), ("'b'",), columns='"x""; DROP TABLE orders; --"'
    )

    results = verdict_on(
        relation,
        rule("invalid_values", name, id="a", validValues=[value], operator="mustBe", value=0),
        rule("missing_values", name, id="b", missingValues=[value], operator="mustBe", value=0),
        rule("pattern", name, id="c", value="^'; DROP"),
        rule("unique", name, id="d"),
        rule("required", name, id="e"),
        rule("duplicate_values", name, id="f", operator="mustBe", value=0),
        rule("foreign_key", name, id="g", to_product="shop.orders", to_columns=[name]),
        rule("max_length", name, id="h", value=1),
    ).results

    assert [result.failed_rows for result in results] == [1, 1, 1, 0, 0, 0, 0, 1], results
    assert results[0].sample == ({name: "b"},)


def test_duckdb_itself_is_locked_behind_the_judgement_of_the_text(con):
    subject = look_at(Subject(con, one_column("BIGINT", "1"), contract_of()))
    hostile = (
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY orders TO 'stolen.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET lock_configuration = false",
        "SET enable_external_access = true",
    )
    with sandbox(subject, []) as locked:
        for statement in hostile:
            with pytest.raises(duckdb.Error):
                locked.execute(statement)
        assert locked.execute("SELECT * FROM duckdb_secrets()").fetchall() == []
