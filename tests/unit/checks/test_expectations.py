"""A domain's own rules: read without importing, run through pandera, counted exactly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mesh_assets.capabilities.checks.expectations import declared_expectations
from mesh_assets.words.errors import DocumentMalformed, RecipeMalformed
from mesh_assets.words.rules import Outcome, Severity
from tests.unit.checks.conftest import rule

GOOD = '''
"""What a contract cannot say."""
import polars as pl
from mesh_assets.capabilities.checks.expectations import expectation


@expectation(columns=["paid", "copay"], severity="warning", dimension="consistency")
def copay_is_part_of_paid(frame):
    """Nobody pays more than the price.

    Found in claims of 2023.
    """
    assert frame.columns == ["paid", "copay"]
    return frame["copay"] <= frame["paid"]


@expectation(columns=["paid"], batches=True)
def paid_is_even(frame):
    return pl.col("paid") % 2 == 0


@expectation(columns=["paid"])
def paid_is_near_its_mean(frame):
    return (pl.col("paid") - pl.col("paid").mean()).abs() < 1000


def not_an_expectation(frame):
    return False
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "expectations.py"
    path.write_text(text)
    return path


def test_expectations_are_read_as_rules_without_running_the_file(tmp_path):
    first, second, third = declared_expectations(written(tmp_path, "raise SystemExit\n" + GOOD))

    assert (first.id, first.kind, first.columns) == ("copay_is_part_of_paid", "pandera", ("paid", "copay"))
    assert first.description == "Nobody pays more than the price."
    assert (first.severity, first.dimension) == (Severity.WARNING, "consistency")
    assert second.description == "paid is even"
    assert third.place is not None
    assert third.place.line == GOOD.splitlines().index('@expectation(columns=["paid"])') + 2


def test_no_file_means_no_expectations(tmp_path):
    assert declared_expectations(tmp_path / "expectations.py") == ()


@pytest.mark.parametrize(
    ("decorator", "problem"),
    [
        ("@mesh.expectation", "named arguments only"),
        ("@mesh.expectation()", "columns is None"),
        ("@mesh.expectation(['a'])", "named arguments only"),
        ("@mesh.expectation(columns='a')", "columns is 'a'"),
        ("@mesh.expectation(columns=COLUMNS)", "columns is not a literal"),
        ("@mesh.expectation(columns=['a'], severity='fatal')", "severity is 'fatal'"),
        ("@mesh.expectation(columns=['a'], sevrity='error')", "no argument 'sevrity'"),
        ("@mesh.expectation(**ANY)", "no argument None"),
        ("@mesh.expectation(columns=['a'], batches=1)", "batches is 1"),
        ("@mesh.expectation(columns=['a'], whole_table='yes')", "whole_table is 'yes'"),
        ("@mesh.expectation(columns=['a'], whole_table=True, batches=True)", "sees all rows at once"),
        (
            "@mesh.expectation(columns=['a'])\ndef f(frame): ...\n@mesh.expectation(columns=['a'])",
            "two expectations",
        ),
    ],
)
def test_a_malformed_declaration_says_where_and_what_to_write(tmp_path, decorator, problem):
    path = written(tmp_path, f"{decorator}\ndef f(frame): ...\n")

    with pytest.raises(DocumentMalformed, match=problem) as error:
        declared_expectations(path)

    assert str(error.value).startswith(f"{path}:")


def test_a_file_that_is_not_python_says_so(tmp_path):
    with pytest.raises(RecipeMalformed, match="not Python"):
        declared_expectations(written(tmp_path, "def f(:\n"))


def test_expectations_run_through_pandera_and_are_counted_exactly(verdict_on, tmp_path):
    path = written(tmp_path, GOOD)
    copay = "CASE WHEN i < 7 THEN i + 1 WHEN i < 9 THEN NULL ELSE i END"
    relation = f"(SELECT i AS id, i AS paid, {copay} AS copay FROM range(600001) AS rows(i))"

    verdict = verdict_on(relation, key=("id",), personal=("copay",), extra_rules=declared_expectations(path))

    by_id = {result.rule.id: result for result in verdict.results}
    copay = by_id["copay_is_part_of_paid"]
    assert (copay.failed_rows, copay.summary) == (7, "failed on 7 of 600,001 rows")
    assert copay.sample[0] == {"id": 0, "paid": 0, "copay": "***"}
    assert by_id["paid_is_even"].failed_rows == 300_000
    assert by_id["paid_is_even"].sample[:2] == ({"id": 1, "paid": 1}, {"id": 3, "paid": 3})
    assert by_id["paid_is_near_its_mean"].failed_rows == 600_001 - 1999


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return frame['nothing']", "nothing"),
        ("return (frame['x'] > 0).all()", "it returned a bool"),
        ("return frame['x'].cast(pl.Boolean).head(1)", "it returned a Series of 1"),
        ("return frame['x']", "Series of 3 Int64"),
        ("return None", "it returned a NoneType"),
        ("raise ValueError('mine')", "mine"),
    ],
)
def test_an_expectation_that_cannot_run_is_an_error_of_that_rule_alone(verdict_on, tmp_path, body, reason):
    path = written(
        tmp_path,
        "import polars as pl\nfrom mesh_assets.capabilities.checks.expectations import expectation\n"
        f"@expectation(columns=['x'])\ndef bad(frame):\n    {body}\n"
        "@expectation(columns=['x'])\ndef good(frame):\n    return frame['x'] > 0\n",
    )

    verdict = verdict_on(
        "(SELECT 1 AS x FROM range(3))".replace("1", "1::BIGINT"), extra_rules=declared_expectations(path)
    )

    bad, good = verdict.results
    assert bad.outcome is Outcome.ERROR
    assert reason in bad.summary
    assert good.outcome is Outcome.PASSED


def test_a_file_that_does_not_import_is_an_error_of_its_rules_alone(verdict_on, tmp_path):
    path = written(tmp_path, "import no_such_module\n" + GOOD)

    verdict = verdict_on(
        "(SELECT 1 AS paid, 1 AS copay)", rule("required", "paid"), extra_rules=declared_expectations(path)
    )

    required, *expectations = verdict.results
    assert required.outcome is Outcome.PASSED
    assert all("no_such_module" in result.summary for result in expectations)


@pytest.mark.parametrize(
    "setting", ["PANDERA_VALIDATION_DEPTH=SCHEMA_ONLY", "PANDERA_VALIDATION_ENABLED=False"]
)
def test_no_setting_of_pandera_turns_an_expectation_off(tmp_path, setting):
    path = written(tmp_path, GOOD)
    program = (
        "import duckdb; from pathlib import Path\n"
        "from tests.unit.checks.conftest import contract_of\n"
        "from mesh_assets.capabilities.checks.audit import audit\n"
        "from mesh_assets.capabilities.checks.expectations import declared_expectations\n"
        f"rules = declared_expectations(Path({str(path)!r}))\n"
        "rows = '(SELECT 1 AS paid, 2 AS copay)'\n"
        "verdict = audit(duckdb.connect(), rows, contract_of(), extra_rules=rules)\n"
        "print([result.outcome.value for result in verdict.results])\n"
    )
    name, value = setting.split("=")
    environment = {name: value, "PYTHONPATH": ":".join(sys.path)}

    told = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
    )

    assert told.stdout.strip() == "['failed', 'failed', 'passed']", told.stderr


def test_an_empty_draft_is_judged_without_complaint(verdict_on, tmp_path):
    rules = declared_expectations(written(tmp_path, GOOD))

    verdict = verdict_on("(SELECT 1 AS paid, 2 AS copay WHERE FALSE)", extra_rules=rules)

    assert {result.outcome for result in verdict.results} == {Outcome.PASSED}


FORMS = """
import pandera.polars as pa
import polars as pl
from mesh_assets.capabilities.checks.expectations import expectation


@expectation(columns=["paid"])
def paid_is_plausible():
    return pa.Check.in_range(0, 10)


@expectation(columns=["paid", "copay"], severity="warning")
def copay_is_part_of_paid():
    return pa.Check(lambda data: data.lazyframe.select(pl.col("copay") <= pl.col("paid")))


@expectation(columns=["paid"], batches=True)
def paid_is_even():
    return pa.Check(lambda paid: paid % 2 == 0, element_wise=True)


@expectation(columns=["paid"])
def paid_adds_up():
    return pa.Check(lambda data: data.lazyframe.collect()["paid"].sum() == 66)


@expectation(columns=["paid"], whole_table=True)
def there_are_many(frame):
    return frame.height > 10


@expectation(columns=["paid"], whole_table=True)
def paid_is_small(frame):
    return (pl.col("paid") < 12).all()
"""


def test_an_expectation_may_return_a_pandera_check_or_one_answer_for_the_table(verdict_on, tmp_path):
    rules = declared_expectations(written(tmp_path, FORMS))

    verdict = verdict_on(
        "(SELECT i AS paid, i - (i % 2) * 2 + 1 AS copay FROM range(12) t(i))", extra_rules=rules
    )

    assert {result.rule.id: (result.outcome.value, result.failed_rows) for result in verdict.results} == {
        "paid_is_plausible": ("failed", 1),
        "copay_is_part_of_paid": ("failed", 6),
        "paid_is_even": ("failed", 6),
        "paid_adds_up": ("passed", None),
        "there_are_many": ("passed", None),
        "paid_is_small": ("passed", None),
    }
    assert [rule.arguments["form"] for rule in rules] == [
        "check",
        "check",
        "check",
        "check",
        "table",
        "table",
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 1", "must return a pandera Check; it returned a int"),
        ("return pa.Check(lambda data: 1 / 0)", "ZeroDivisionError"),
        (
            "return pa.Check(lambda data: data.lazyframe.head(1).select(pl.col('x') > 9).head(0))",
            "answered 0 times",
        ),
        ("return pa.Check(lambda data: True, groupby='x')", "ignores `groupby`"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_check_that_cannot_run_is_an_error_of_that_rule_alone(verdict_on, tmp_path, body, reason):
    path = written(
        tmp_path,
        "import pandera.polars as pa\nimport polars as pl\n"
        "from mesh_assets.capabilities.checks.expectations import expectation\n"
        f"@expectation(columns=['x'])\ndef bad():\n    {body}\n"
        "@expectation(columns=['x'])\ndef good():\n    return pa.Check.gt(0)\n",
    )

    bad, good = verdict_on("(SELECT 1 AS x FROM range(3))", extra_rules=declared_expectations(path)).results

    assert bad.outcome is Outcome.ERROR
    assert reason in bad.summary
    assert good.outcome is Outcome.PASSED


def test_one_answer_for_each_batch_is_no_answer(verdict_on, tmp_path):
    path = written(
        tmp_path,
        "import pandera.polars as pa\n"
        "from mesh_assets.capabilities.checks.expectations import expectation\n"
        "@expectation(columns=['x'], batches=True)\ndef bad():\n    return pa.Check(lambda data: True)\n",
    )

    (bad,) = verdict_on("(SELECT 1 AS x FROM range(3))", extra_rules=declared_expectations(path)).results

    assert "was declared with batches" in bad.summary


@pytest.mark.parametrize(
    ("signature", "problem"),
    [("frame, other", "takes 'frame, other'"), ("*frames", "takes"), ("*, frame", "takes")],
)
def test_a_function_takes_the_frame_or_nothing(tmp_path, signature, problem):
    path = written(tmp_path, f"@mesh.expectation(columns=['a'])\ndef f({signature}): ...\n")

    with pytest.raises(DocumentMalformed, match=problem):
        declared_expectations(path)


def test_a_function_of_a_frame_runs_without_importing_pandera(tmp_path):
    path = written(tmp_path, GOOD)
    program = (
        "import duckdb, sys; from pathlib import Path\n"
        "from tests.unit.checks.conftest import contract_of\n"
        "from mesh_assets.capabilities.checks.audit import audit\n"
        "from mesh_assets.capabilities.checks.expectations import declared_expectations\n"
        f"rules = declared_expectations(Path({str(path)!r}))\n"
        "audit(duckdb.connect(), '(SELECT 1 AS paid, 2 AS copay)', contract_of(), extra_rules=rules)\n"
        "print('pandera' in sys.modules)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )

    assert told.stdout.strip() == "False", told.stderr
