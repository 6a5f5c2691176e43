"""The pandera schema of a contract says what the audit says, on polars, pandas and ibis."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pandera.errors
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.schema import pandera_schema, verdict_of
from mesh_assets.words.rules import Outcome, Rule
from tests.unit.checks.conftest import contract_of, rule
from tests.unit.checks.notebooks import BACKENDS, in_backend
from tests.unit.checks.polars_oracle import KINDS, bad_rows

TYPES = {
    "t": "VARCHAR",
    "i": "INTEGER",
    "f": "DOUBLE",
    "r": "FLOAT",
    "d": "DECIMAL(9,2)",
    "day": "DATE",
    "b": "BOOLEAN",
    "row": "BIGINT",
}
POLARS = {
    "t": pl.String, "i": pl.Int32, "f": pl.Float64, "r": pl.Float32, "d": pl.Decimal(9, 2),
    "day": pl.Date, "b": pl.Boolean, "row": pl.Int64,
}  # fmt: skip
DAYS = [date(2024, 1, day) for day in (1, 2, 3)]
FLOATS = [
    0.0,
    -0.0,
    0.1,
    0.3,
    0.1 + 0.2,
    1.0,
    -1.5,
    100.0004,
    float("nan"),
    float("inf"),
    float("-inf"),
    1e300,
]
VALUES = {
    "t": ["", "a", "ab", "äöü", "N/A", "a\nb", "é", "😀", "A"],
    "i": [0, 1, -1, 2, 3, 2**31 - 1, -(2**31)],
    "f": FLOATS,
    "r": [0.0, -0.0, 0.5, 0.25, 1.0, -1.5, 100.0, float("nan"), float("inf"), float("-inf")],
    "d": [
        Decimal("0.00"),
        Decimal("0.05"),
        Decimal("-1.50"),
        Decimal("99.99"),
        Decimal("100.01"),
        Decimal("9999999.99"),
    ],
    "day": DAYS,
    "b": [True, False],
}
NUMBERS = st.sampled_from([0, 1, -1, 0.5, -0.5, 0.1, 100, 99.995, 2, 10**12, -(10**12), 1.5, 0.05])
OPERATORS = st.one_of(
    st.tuples(
        st.sampled_from(["mustBe", "mustNotBe", "mustBeLessThan", "mustBeGreaterOrEqualTo"]),
        st.sampled_from([0, 1, 2.5, 50]),
    ),
    st.tuples(st.sampled_from(["mustBeBetween", "mustNotBeBetween"]), st.sampled_from([[0, 1], [1, 60]])),
)


@st.composite
def rules(draw):  # noqa: C901 - one branch per kind of rule
    """A rule of any kind on a column that it makes sense on."""
    number, text, any_column = (st.sampled_from(names) for names in ("ifrd", "t", list(VALUES)))
    kind = draw(st.sampled_from([*sorted(KINDS), "row_count", "row_count_positive", "sql"]))
    arguments = {}
    if kind in ("required", "unique"):
        columns = (draw(any_column),)
    elif kind in ("primary_key", "duplicate_values"):
        columns = tuple(draw(st.lists(any_column, min_size=1, max_size=3, unique=True)))
    elif kind in ("min_length", "max_length"):
        columns, arguments = (draw(text),), {"value": draw(st.integers(0, 3))}
    elif kind == "pattern":
        columns, arguments = (
            (draw(text),),
            {"value": draw(st.sampled_from(["^a", "b$", "^$", "a.b", "[A-Z]", "ö|é", "^.$"]))},
        )
    elif kind == "multiple_of":
        columns, arguments = (draw(number),), {"value": draw(st.sampled_from([1, 2, 0.5, 0.1, 0.05, 1.5, 3]))}
    elif "minimum" in kind or "maximum" in kind:
        column = draw(st.sampled_from(["i", "f", "r", "d", "day"]))
        bound = st.sampled_from(["2024-01-01", "2024-01-02"]) if column == "day" else NUMBERS
        columns, arguments = (column,), {"value": draw(bound)}
    elif kind == "invalid_values":
        column = draw(st.sampled_from("tifd"))
        valid = {"t": ["", "a", "äöü"], "i": [0, 1], "f": [0, 0.1, 1], "d": [0.05, 0, 100.01]}[column]
        columns, arguments = (column,), {"validValues": valid}
    elif kind == "sql":
        columns, arguments = (), {"query": "SELECT count(*) FROM {object} WHERE i > 0", "operator": "mustBe"}
        arguments["value"] = draw(st.integers(0, 2))
    elif kind == "missing_values":
        columns, arguments = (
            (draw(text),),
            {"missingValues": draw(st.sampled_from([[None, "", "N/A"], ["N/A"], [None]]))},
        )
    else:
        columns = (draw(any_column),) if kind == "null_values" else ()
    if kind.endswith("_values") or kind == "row_count":
        operator, value = draw(OPERATORS)
        arguments |= {
            "operator": operator,
            "value": value,
            "unit": draw(st.sampled_from(["rows", "percent"])),
        }
        if kind == "row_count":
            del arguments["unit"]
    return kind, columns, arguments


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 6))
    cells = {
        name: st.lists(st.none() | st.sampled_from(VALUES[name]), min_size=rows, max_size=rows)
        for name in VALUES
    }
    drawn = {name: draw(cells[name]) for name in TYPES if name != "row"}
    return pl.DataFrame(drawn | {"row": range(rows)}, schema=POLARS)


pytestmark = pytest.mark.filterwarnings(
    # ibis 12 sets an option of pandas 2 on every query.
    "ignore:The 'future.infer_string' option"
)


@pytest.fixture(scope="module")
def shared_con():
    with duckdb.connect() as con:
        yield con


def told(result) -> tuple[Any, ...]:
    return result.rule.id, result.outcome, result.failed_rows, result.value, result.summary


def found_by_pandera(schema, data) -> dict[str, Any]:
    """Names of the checks that a plain `validate` finds broken, with what it calls their errors."""
    try:
        schema.validate(data, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return {error.check.name: error for error in errors.schema_errors}
    return {}


@pytest.mark.parametrize("backend", BACKENDS)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=frames(), said=st.lists(rules(), min_size=1, max_size=6))
def test_audit_and_pandera_agree_on_every_rule_and_on_the_failing_rows(shared_con, backend, frame, said):
    contract = contract_of(
        *(rule(kind, *columns, id=f"r{n}", **arguments) for n, (kind, columns, arguments) in enumerate(said)),
        types=TYPES,
    )
    shared_con.register("frame", frame.to_arrow())
    data = in_backend(backend, frame)
    schema = pandera_schema(contract, backend)

    verdict = audit(shared_con, "frame", contract)
    found = found_by_pandera(schema, data)

    assert [told(result) for result in verdict_of(schema, data).results] == [
        told(result) for result in verdict.results
    ]
    assert set(found) == {
        result.rule.id for result in verdict.results if result.outcome is not Outcome.PASSED
    }
    for result in verdict.results:
        if result.failed_rows:
            assert bad_positions(found[result.rule.id], frame.height) == bad_rows(result.rule, frame), result


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames(), said=st.lists(rules(), min_size=1, max_size=8))
def test_the_scan_counts_the_rows_that_polars_expressions_find(shared_con, frame, said):
    contract = contract_of(
        *(rule(kind, *columns, id=f"r{n}", **arguments) for n, (kind, columns, arguments) in enumerate(said)),
        types=TYPES,
    )
    shared_con.register("frame", frame.to_arrow())

    for result in audit(shared_con, "frame", contract).results:
        if result.failed_rows is not None:
            assert result.failed_rows in (0, len(bad_rows(result.rule, frame))), result


def bad_positions(error, rows: int) -> list[int]:
    """Where pandera says that rows are bad, whatever a backend calls its answers."""
    output = error.check_output
    if hasattr(output, "to_pyarrow"):
        # Rows of a query have no order: ibis tells the rows themselves, by the number that each carries.
        return sorted(error.failure_cases["failure_case"].map(lambda row: row["row"]).tolist())
    values = output.to_series() if hasattr(output, "to_series") else output
    return [place for place, good in enumerate(values.to_list()) if not good]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_rule_of_the_schema_can_fail(backend):
    contract = contract_of(
        rule("required", "t"), rule("minimum", "i", value=0), rule("unique", "t"), types=TYPES
    )
    frame = pl.DataFrame({name: [None, None] for name in TYPES}, schema=POLARS).with_columns(
        i=pl.lit(-1, pl.Int32), t=pl.Series(["a", "a"])
    )

    verdict = verdict_of(pandera_schema(contract, backend), in_backend(backend, frame))

    assert {result.rule.id: result.failed_rows for result in verdict.results} == {
        "t_required": 0,
        "i_minimum": 2,
        "t_unique": 2,
    }


def test_a_float_is_the_multiple_that_it_is_nearest_to_in_both():
    said = rule("multiple_of", "f", value=0.1)
    frame = pl.DataFrame({"f": [0.3, 0.1 + 0.2, 0.7, 1.1, 123456.7]})

    verdict = verdict_of(pandera_schema(contract_of(said, types={"f": "DOUBLE"})), frame)

    assert verdict.results[0].failed_rows == 1
    assert bad_rows(said, frame) == [1]


def test_rules_that_the_data_cannot_answer_are_named_in_the_schema_with_the_reason():
    schema = pandera_schema(
        contract_of(
            rule("foreign_key", "t", id="known", to_product="geography.zip_area", to_columns=["zip5"]),
            rule("required", "t"),
            types=TYPES,
        )
    )

    assert schema.metadata["elsewhere"] == {
        "known": "needs geography.zip_area, at the version that the build pins"
    }
    assert [check.name for check in schema.checks] == ["t_required"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rule_that_cannot_run_is_an_error_of_that_rule_alone(backend):
    contract = contract_of(rule("pattern", "t", value="("), rule("required", "t"), types={"t": "VARCHAR"})
    data = in_backend(backend, pl.DataFrame({"t": ["a", None]}))
    schema = pandera_schema(contract, backend)

    broken, required = verdict_of(schema, data).results

    assert broken.outcome is Outcome.ERROR
    assert "missing )" in broken.summary
    assert required.failed_rows == 1
    assert found_by_pandera(schema, data)["t_pattern"].reason_code.name == "CHECK_ERROR"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_warning_is_told_and_lets_the_validation_pass(backend):
    contract = contract_of(rule("required", "t", severity="warning"), types={"t": "VARCHAR"})
    data = in_backend(backend, pl.DataFrame({"t": ["a", None]}))
    schema = pandera_schema(contract, backend)

    with pytest.warns(pandera.errors.SchemaWarning, match="t_required"):
        schema.validate(data, lazy=True)

    verdict = verdict_of(schema, data)
    assert (verdict.warned[0].failed_rows, verdict.stops_publication) == (1, False)


def test_a_schema_has_the_contracts_words():
    schema = pandera_schema(contract_of(Rule("a", "required", ("t",), "t is never null"), types=TYPES))

    assert (schema.name, schema.title) == ("shop.orders", "Orders")
    assert schema.checks[0].description == "t is never null"
    assert schema.metadata["version"] == "1.0.0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_threshold_that_no_count_can_keep_is_broken_though_no_row_is_bad(backend):
    never = rule("duplicate_values", "t", id="never", operator="mustBeLessThan", value=0, unit="rows")
    frame = pl.DataFrame({"t": ["a", "b"]})

    found = found_by_pandera(
        pandera_schema(contract_of(never, types={"t": "VARCHAR"}), backend), in_backend(backend, frame)
    )

    assert set(found) == {"never"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_is_above_every_bound_wherever_it_is_looked_for(backend):
    low = rule("exclusive_maximum", "f", id="low", value=0)
    frame = pl.DataFrame(
        {"f": [-1.0, 0.0, float("nan")], "row": [0, 1, 2]}, schema={"f": pl.Float64, "row": pl.Int64}
    )
    contract = contract_of(low, types={"f": "DOUBLE", "row": "BIGINT"})

    found = found_by_pandera(pandera_schema(contract, backend), in_backend(backend, frame))

    assert bad_positions(found["low"], frame.height) == [1, 2]
