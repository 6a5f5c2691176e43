"""What a clean draft costs: one scan; and what the checks load: no engine until they run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.memory import bounded_memory
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, one_column, rule


class Counted:
    """A connection that remembers what it was asked."""

    def __init__(self, con):
        self.con = con
        self.queries: list[str] = []

    def execute(self, query, *arguments):
        self.queries.append(query)
        return self.con.execute(query, *arguments)

    @property
    def scans(self) -> list[str]:
        """Queries that read rows of the draft."""
        told = ("DESCRIBE", "EXPLAIN", "SET", "SELECT current_setting", "DROP")
        return [query for query in self.queries if not query.startswith(told)]


@pytest.fixture
def counted(con):
    return Counted(con)


TWENTY = (
    rule("row_count_positive", id="row_count_above_zero"),
    rule("required", "a"),
    rule("minimum", "a", value=0),
    rule("maximum", "a", value=999),
    rule("multiple_of", "a", value=1),
    rule("min_length", "b", value=1),
    rule("max_length", "b", value=9),
    rule("pattern", "b", value="^b"),
    *(rule("null_values", name, operator="mustBe", value=0, unit="percent") for name in ("a", "b", "c")),
    *(
        rule("invalid_values", "b", id=f"valid_{number}", pattern=f"{number}?", operator="mustBe", value=0)
        for number in range(9)
    ),
)


def test_a_clean_draft_with_twenty_rules_is_scanned_once(counted):
    assert len(TWENTY) == 20
    relation = "(SELECT i AS a, 'b' || i AS b, 0.5 AS c FROM range(1000) AS rows(i))"

    verdict = audit(counted, relation, contract_of(*TWENTY))

    assert {result.outcome for result in verdict.results} == {Outcome.PASSED}
    assert len(counted.scans) == 1


def test_failing_rows_are_fetched_only_for_rules_that_failed(counted):
    rules = (rule("minimum", "x", value=0), rule("maximum", "x", value=1), rule("required", "x"))

    audit(counted, one_column("BIGINT", "-1", "5"), contract_of(*rules))

    assert len(counted.scans) == 3


def test_rules_that_few_rows_break_share_the_pass_that_fetches_those(counted):
    relation = "(SELECT i AS x, i AS id FROM range(100000) AS rows(i))"
    rules = [rule("maximum", "x", id=f"at_most_{n}", value=n) for n in (99_997, 99_998)]

    verdict = audit(counted, relation, contract_of(*rules, key=("id",)))

    assert [len(result.sample) for result in verdict.results] == [2, 1]
    assert verdict.results[1].sample == ({"id": 99_999, "x": 99_999},)
    assert len(counted.scans) == 2


def test_the_same_key_is_looked_at_once(counted):
    rules = (
        rule("unique", "x"),
        rule("primary_key", "x"),
        rule("duplicate_values", "x", operator="mustBe", value=0),
    )

    audit(counted, one_column("BIGINT", "1", "5"), contract_of(*rules))

    assert len(counted.scans) == 3  # the scan, the least and greatest value, a bitmap between them
    assert "bitstring_agg" in counted.scans[-1]


def test_a_broken_pattern_costs_no_scan_per_rule(counted):
    rules = (rule("pattern", "b", value="(", id="bad"), *TWENTY)

    verdict = audit(counted, "(SELECT 1 AS a, 'b' AS b, 1 AS c)", contract_of(*rules))

    assert [result.rule.id for result in verdict.broken] == ["bad"]
    assert len(counted.scans) == 1


def test_five_hundred_rules_over_two_hundred_columns_are_one_scan(counted):
    columns = ", ".join(f"i + {n} AS c{n}" for n in range(200))
    rules = [rule("minimum", f"c{n % 200}", id=f"r{n}", value=-n) for n in range(500)]

    verdict = audit(counted, f"(SELECT {columns} FROM range(100) AS rows(i))", contract_of(*rules))

    assert len(verdict.passed) == 500
    assert len(counted.scans) == 1


def test_aggregates_of_measuring_rules_come_out_of_the_scan_of_a_whole_product(counted):
    fresh = rule(
        "outlier_share", "a", method="iqr", k=3, unit="percent", operator="mustBeLessThan", value=50, id="odd"
    )

    verdict = audit(counted, "(SELECT i AS a FROM range(100) AS rows(i))", contract_of(*TWENTY[:2], fresh))

    assert verdict.results[2].outcome is Outcome.PASSED
    assert sum("quantile" in query for query in counted.scans) == 1
    assert "quantile" in counted.scans[0]


def test_an_audit_leaves_the_memory_limit_and_no_table_behind(con):
    before = con.execute("SELECT current_setting('memory_limit')").fetchone()

    audit(con, one_column("VARCHAR", "'a'", "'a'"), contract_of(rule("unique", "x")))

    assert con.execute("SELECT current_setting('memory_limit')").fetchone() == before
    assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []


def test_a_connection_of_less_memory_keeps_its_limit(con):
    con.execute("SET memory_limit = '100MB'")
    limit = con.execute("SELECT current_setting('memory_limit')").fetchone()

    with bounded_memory(con):
        assert con.execute("SELECT current_setting('memory_limit')").fetchone() == limit


def test_a_draft_that_cannot_be_read_is_no_verdict(con):
    import duckdb

    with pytest.raises(duckdb.Error):
        audit(con, "read_parquet(['/no/such/file.parquet'])", contract_of())


def test_the_room_loads_no_engine():
    rooms = ("audit", "failures", "schema", "expectations", "validate", "judge", "compile", "scan", "sandbox")
    imports = "; ".join(f"import mesh_assets.capabilities.checks.{room}" for room in rooms)
    engines = "{'duckdb', 'polars', 'pandas', 'pandera', 'pyarrow', 'dagster'}"

    told = subprocess.run(
        [sys.executable, "-c", f"{imports}; import sys; print({engines} & set(sys.modules))"],
        capture_output=True,
        text=True,
    )

    assert told.stdout.strip() == "set()", told.stderr
