"""Pandera's checks by name: in the one scan where it decides the same rows, by pandera where it does not."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandera.backends.polars.builtin_checks  # noqa: F401  registers them
import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pandera.api.polars.types import PolarsData

from mesh_assets.capabilities.checks.compile import Pass, compile_rule
from mesh_assets.capabilities.checks.judge import BATCH_ROWS, run_expectations
from mesh_assets.capabilities.checks.subject import Subject, look_at
from mesh_assets.capabilities.contracts.pandera_rules import ALIASES, BUILTINS
from mesh_assets.words.rules import Outcome, Place, Rule
from tests.unit.checks.conftest import contract_of

COLUMNS = {
    "t": (pl.String, ["", "a", "ab", "äöü", "a\nb", "😀", "A", "ba"]),
    "i": (pl.Int32, [0, 1, -1, 2, 2**31 - 1, -(2**31)]),
    "n": (pl.Int64, [0, 1, -1, 2**62]),
    "f": (pl.Float64, [0.0, -0.0, 0.1, 0.1 + 0.2, 1.0, -1.5, math.nan, math.inf, -math.inf, 1e300]),
    "d": (pl.Decimal(9, 2), [Decimal("0.00"), Decimal("0.05"), Decimal("-1.50"), Decimal("9999999.99")]),
    "day": (pl.Date, [date(2024, 1, 1), date(2024, 1, 2)]),
    "b": (pl.Boolean, [True, False]),
}
#: What a contract may write about each column.
WRITTEN = {
    "t": ["", "a", "äöü", "A", "b"],
    "i": [0, 1, -1, 2**31 - 1, 10**12],
    "n": [0, 1, -(2**40)],
    "f": [0, 1, 0.1, 0.3, -1.5, 1e300],
    "d": [0, 0.05, -1.5, 100],
    "day": ["2024-01-01", "2024-01-02"],
    "b": [True, False],
}


def check_rule(name: str, *columns: str, batches: bool = True, **arguments) -> Rule:
    return Rule(
        id="r",
        kind="pandera_check",
        columns=columns,
        description="",
        arguments={"check": name, "arguments": arguments, "batches": batches},
    )


@st.composite
def checks(draw):
    """A check of pandera's own with arguments that a contract may write."""
    name = draw(st.sampled_from(sorted(set(BUILTINS) - {"str_matches", "str_contains"})))
    column = "t" if name.startswith("str_") else draw(st.sampled_from(sorted(COLUMNS)))
    value = st.sampled_from(WRITTEN[column])
    if name == "in_range":
        low, high = draw(value), draw(value)
        assume(low < high)
        flags = {"include_min": draw(st.booleans()), "include_max": draw(st.booleans())}
        return check_rule(name, column, min_value=low, max_value=high, **flags)
    if name == "str_length":
        names = st.sampled_from(
            [("min_value",), ("max_value",), ("min_value", "max_value"), ("exact_value",)]
        )
        given = {argument: draw(st.integers(0, 3)) for argument in draw(names)}
        assume(given.get("min_value", 0) <= given.get("max_value", 3))
        return check_rule(name, column, **given)
    (argument,) = BUILTINS[name].required
    many = argument in ("allowed_values", "forbidden_values", "values")
    return check_rule(
        name,
        column,
        batches=BUILTINS[name].by_row,
        **{argument: draw(st.lists(value, min_size=1, max_size=3) if many else value)},
    )


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 8))
    return pl.DataFrame(
        {
            name: draw(st.lists(st.none() | st.sampled_from(values), min_size=rows, max_size=rows))
            for name, (_, values) in COLUMNS.items()
        },
        schema={name: dtype for name, (dtype, _) in COLUMNS.items()},
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames(), said=checks())
def test_the_scan_finds_the_rows_that_pandera_finds(con, frame, said):
    con.register("frame", frame.to_arrow())
    subject = look_at(Subject(con, "frame", contract_of(said)))
    compiled = compile_rule(said, subject.stored)

    (by_pandera,) = run_expectations(subject, [said])

    assert by_pandera.outcome is not Outcome.ERROR, by_pandera.summary
    if compiled.by is Pass.SCAN:
        # As the scan counts: a WHERE over an Arrow table is left to pyarrow, whose NaN is beside all numbers.
        counted = con.execute(f"SELECT coalesce(count_if({compiled.counted}), 0) FROM frame").fetchone()
        assert counted == (by_pandera.failed_rows,), compiled.counted


@pytest.mark.parametrize(
    ("said", "by"),
    [
        (check_rule("in_range", "i", min_value=0, max_value=1), Pass.SCAN),
        (check_rule("isin", "t", allowed_values=["a"]), Pass.SCAN),
        (check_rule("str_startswith", "t", string="a"), Pass.SCAN),
        (check_rule("equal_to", "day", value="2024-01-01"), Pass.SCAN),
        (check_rule("greater_than", "i", "n", min_value=0), Pass.SCAN),
        (check_rule("str_contains", "t", pattern="a"), Pass.PANDERA),
        (check_rule("unique_values_eq", "t", values=["a"], batches=False), Pass.PANDERA),
        (check_rule("greater_than", "i", min_value=0.5), Pass.PANDERA),
        (check_rule("isin", "i", allowed_values=[1, None]), Pass.PANDERA),
    ],
)
def test_pandera_runs_only_what_the_scan_cannot_say(con, said, by):
    con.register(
        "frame", pl.DataFrame(schema={name: dtype for name, (dtype, _) in COLUMNS.items()}).to_arrow()
    )
    subject = look_at(Subject(con, "frame", contract_of()))

    assert compile_rule(said, subject.stored).by is by


def test_the_table_of_checks_is_panderas_own():
    of_tables = {
        name
        for name, dispatcher in pa.Check.CHECK_FUNCTION_REGISTRY.items()
        if PolarsData in getattr(dispatcher, "_function_registry", {})
    }

    assert set(BUILTINS) == of_tables
    for name, known in BUILTINS.items():
        taken = pa.Check.CHECK_FUNCTION_REGISTRY[name]._function_registry[PolarsData].__annotations__
        assert {*known.required, *known.optional} == set(taken) - {"data", "return"}, name
    for short, name in ALIASES.items():
        given = dict(zip(BUILTINS[name].required, (1, 2), strict=False))
        assert getattr(pa.Check, short)(**given).name == getattr(pa.Check, name)(**given).name, short


def test_a_check_of_panderas_runs_in_the_audit_and_names_its_rows(result_of):
    said = check_rule("str_contains", "x", pattern="^a")

    result = result_of("(SELECT * FROM (VALUES ('ab'), ('b'), (NULL)) AS rows(x))", said)

    assert (result.failed_rows, result.sample) == (1, ({"x": "b"},))


def test_a_check_about_the_table_has_one_answer(result_of):
    relation = "(SELECT * FROM (VALUES ('a'), ('b'), (NULL)) AS rows(x))"

    good = result_of(relation, check_rule("unique_values_eq", "x", batches=False, values=["b", "a"]))
    bad = result_of(relation, check_rule("unique_values_eq", "x", batches=False, values=["a"]))

    assert (good.outcome, bad.outcome, bad.failed_rows) == (Outcome.PASSED, Outcome.FAILED, None)
    assert bad.summary == "does not hold for the table"


def test_a_check_row_by_row_sees_batches(verdict_on):
    rows = 2 * BATCH_ROWS + 1

    verdict = verdict_on(
        f"(SELECT i::VARCHAR AS x FROM range({rows}) AS rows(i))",
        check_rule("str_contains", "x", pattern="^[0-9]{1,5}$"),
    )

    assert verdict.results[0].failed_rows == rows - 100_000


REGISTERED = """
import polars as pl
from pandera.api.extensions import register_check_method

@register_check_method(statistics=["k"])
def is_multiple(data, *, k):
    return data.lazyframe.select(pl.col(data.key) % k == 0)

@register_check_method(statistics=[])
def sums_to_nothing(data):
    return data.lazyframe.collect().sum_horizontal().sum() == 0
"""


def registered_in(folder: Path, name: str, *columns: str, **arguments) -> Rule:
    (folder / "expectations.py").write_text(REGISTERED)
    said = check_rule(name, *columns, batches=False, **arguments)
    return Rule(**{**vars(said), "place": Place(str(folder / "contract.yaml"), 1)})


def test_a_check_that_a_domain_registered_runs_by_its_name_again_and_again(result_of, tmp_path):
    said = registered_in(tmp_path, "is_multiple", "x", k=2)

    results = [result_of("(SELECT i AS x FROM range(5) AS rows(i))", said) for _ in range(2)]

    assert [result.failed_rows for result in results] == [2, 2]


def test_a_registered_check_may_be_about_several_columns_and_the_whole_table(result_of, tmp_path):
    said = registered_in(tmp_path, "sums_to_nothing", "x", "y")

    assert result_of("(SELECT 1 AS x, -1 AS y)", said).outcome is Outcome.PASSED
    assert result_of("(SELECT 1 AS x, 1 AS y)", said).outcome is Outcome.FAILED


def test_a_name_that_is_registered_no_more_is_an_error_of_its_rule(result_of, tmp_path):
    said = registered_in(tmp_path, "is_multiple", "x", k=2)
    (tmp_path / "expectations.py").write_text("")

    result = result_of("(SELECT 1 AS x)", said)

    assert result.outcome is Outcome.ERROR
    assert "pandera has no check 'is_multiple' registered" in result.summary
