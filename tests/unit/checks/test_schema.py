"""The pandera schema of a contract says what the audit says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.conditions import CONDITIONS
from mesh_assets.capabilities.checks.schema import pandera_schema
from mesh_assets.capabilities.checks.validate import failed_checks
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, rule

TYPES = {
    "t": "VARCHAR",
    "i": "INTEGER",
    "f": "DOUBLE",
    "r": "FLOAT",
    "d": "DECIMAL(9,2)",
    "day": "DATE",
    "b": "BOOLEAN",
}
POLARS = {
    "t": pl.String, "i": pl.Int32, "f": pl.Float64, "r": pl.Float32, "d": pl.Decimal(9, 2),
    "day": pl.Date, "b": pl.Boolean,
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
    number, text, any_column = (st.sampled_from(names) for names in ("ifrd", "t", list(TYPES)))
    kind = draw(st.sampled_from([*sorted(CONDITIONS), "unique", "primary_key", "duplicate_values"]))
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
        for name in TYPES
    }
    return pl.DataFrame({name: draw(cells[name]) for name in TYPES}, schema=POLARS)


@pytest.fixture(scope="module")
def shared_con():
    with duckdb.connect() as con:
        yield con


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames(), said=st.lists(rules(), min_size=1, max_size=8))
def test_audit_and_pandera_agree_on_every_rule_and_on_the_number_of_rows(shared_con, frame, said):
    contract = contract_of(
        *(rule(kind, *columns, id=f"r{n}", **arguments) for n, (kind, columns, arguments) in enumerate(said)),
        types=TYPES,
    )
    shared_con.register("frame", frame.to_arrow())

    verdict = audit(shared_con, "frame", contract)
    found = failed_checks(pandera_schema(contract), frame)

    for result in verdict.results:
        bad = found[result.rule.id]
        assert bad.error is None, (result, bad)
        assert (result.outcome is Outcome.FAILED) == bool(bad.rows), (result, bad)
        if "operator" not in result.rule.arguments and result.failed_rows is not None:
            assert result.failed_rows == bad.rows, (result, bad)


def test_every_rule_of_the_schema_can_fail():
    contract = contract_of(
        rule("required", "t"), rule("minimum", "i", value=0), rule("unique", "t"), types=TYPES
    )
    frame = pl.DataFrame({name: [None, None] for name in TYPES}, schema=POLARS).with_columns(
        i=pl.lit(-1, pl.Int32), t=pl.Series(["a", "a"])
    )

    found = failed_checks(pandera_schema(contract), frame)

    assert {name: bad.rows for name, bad in found.items()} == {"t_required": 0, "i_minimum": 2, "t_unique": 2}


def test_a_float_is_the_multiple_that_it_is_nearest_to_in_both():
    contract = contract_of(rule("multiple_of", "f", value=0.1), types={"f": "DOUBLE"})
    frame = pl.DataFrame({"f": [0.3, 0.1 + 0.2, 0.7, 1.1, 123456.7]})

    assert failed_checks(pandera_schema(contract), frame)["f_multiple_of"].positions == (1,)


def test_rules_that_a_frame_cannot_answer_are_named_in_the_schema():
    schema = pandera_schema(
        contract_of(rule("sql", id="asked", query="SELECT 1"), rule("required", "t"), types=TYPES)
    )

    assert schema.metadata == {"elsewhere": ("asked",)}


def test_a_wrong_type_is_found():
    import pandera.errors

    schema = pandera_schema(contract_of(types={"i": "BIGINT"}))

    with pytest.raises(pandera.errors.SchemaErrors):
        schema.validate(pl.DataFrame({"i": ["1"]}), lazy=True)
