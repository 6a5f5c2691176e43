"""A contract's schema in a notebook: extended, on data of every form, never passing what it did not see."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pandas as pd
import pandera.errors
import pandera.pandas
import pandera.polars
import polars as pl
import pytest

from mesh_assets import mesh
from mesh_assets.capabilities.checks.expectations import declared_expectations
from mesh_assets.capabilities.checks.schema import pandera_schema, verdict_of
from mesh_assets.words.errors import BackendUnknown, PanderaWouldNotCheck, UnknownProduct
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, rule
from tests.unit.checks.notebooks import BACKENDS, in_backend

# What ibis 12 and DuckDB 1.5 ask of pandas, pandas 3 no longer likes.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]

PAID = pl.DataFrame({"paid": [10.0, 5.0, None], "copay": [1.0, 7.0, 1.0]})
TYPES = {"paid": "DOUBLE", "copay": "DOUBLE"}


def outcomes(verdict):
    return {result.rule.id: (result.outcome.value, result.failed_rows) for result in verdict.results}


def test_a_schema_is_extended_by_checks_across_columns_and_about_the_table():
    schema = pandera_schema(contract_of(rule("required", "paid"), types=TYPES))
    schema.checks += [
        pandera.polars.Check(
            lambda data: data.lazyframe.select(pl.col("copay") <= pl.col("paid")), name="copay_is_part"
        ),
        pandera.polars.Check(lambda data: data.lazyframe.collect().height > 5, name="there_are_many"),
        pandera.polars.Check(lambda data: 1 / 0, name="broken"),
    ]

    verdict = verdict_of(schema, PAID)

    assert outcomes(verdict) == {
        "paid_required": ("failed", 1),
        "copay_is_part": ("failed", 1),
        "there_are_many": ("failed", None),
        "broken": ("error", None),
    }
    with pytest.raises(pandera.errors.SchemaErrors, match="there_are_many"):
        schema.validate(PAID, lazy=True)


def test_checks_of_a_column_are_told_apart_and_a_check_that_only_warns_still_counts():
    schema = pandera_schema(contract_of(types=TYPES)).update_column(
        "copay",
        checks=[
            pandera.polars.Check.in_range(0, 5),
            pandera.polars.Check.isin([1.0], name="one", raise_warning=True),
        ],
    )

    verdict = verdict_of(schema, PAID)

    assert outcomes(verdict) == {"copay_in_range": ("failed", 1), "copay_one": ("failed", 1)}
    assert [result.rule.id for result in verdict.warned] == ["copay_one"]


def test_the_extension_may_be_pandas_or_ibis():
    pandas = pandera_schema(contract_of(rule("required", "paid"), types=TYPES), "pandas")
    pandas.checks.append(
        pandera.pandas.Check(lambda frame: frame["copay"] <= frame["paid"].fillna(99), name="copay_is_part")
    )

    assert outcomes(verdict_of(pandas, in_backend("pandas", PAID))) == {
        "paid_required": ("failed", 1),
        "copay_is_part": ("failed", 1),
    }


@pytest.mark.parametrize("backend", BACKENDS[2:])
def test_an_extension_in_ibis_names_its_rows(backend):
    import pandera.ibis

    schema = pandera_schema(contract_of(rule("required", "paid"), types=TYPES), backend)
    schema.checks.append(
        pandera.ibis.Check(
            lambda data: data.table.copay <= data.table.paid.fill_null(99), name="copay_is_part"
        )
    )

    assert outcomes(verdict_of(schema, in_backend(backend, PAID))) == {
        "paid_required": ("failed", 1),
        "copay_is_part": ("failed", 1),
    }


def test_a_check_that_was_taken_out_is_an_error_and_no_pass():
    schema = pandera_schema(contract_of(rule("required", "paid"), rule("required", "copay"), types=TYPES))
    schema.checks = schema.checks[1:]

    gone, there = verdict_of(schema, PAID).results

    assert (gone.outcome, there.outcome) == (Outcome.ERROR, Outcome.PASSED)
    assert "no check of this name" in gone.summary


def test_a_lazy_frame_is_validated_on_its_rows():
    schema = pandera_schema(contract_of(rule("required", "paid"), types=TYPES))

    with pytest.raises(pandera.errors.SchemaErrors, match="paid_required"):
        schema.validate(PAID.lazy(), lazy=True)

    assert isinstance(schema.validate(PAID.head(1).lazy()), pl.LazyFrame)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("option", ["head", "tail", "sample"])
def test_a_part_of_the_rows_is_refused(backend, option):
    schema = pandera_schema(contract_of(rule("required", "paid"), types=TYPES), backend)

    with pytest.raises(PanderaWouldNotCheck, match=r"not head, tail or sample\. Take the rows first"):
        schema.validate(in_backend(backend, PAID), **{option: 1})


@pytest.mark.parametrize("backend", BACKENDS[2:])
def test_what_ibis_passes_over_in_silence_is_refused(backend):
    import pandera.ibis

    schema = pandera_schema(contract_of(types=TYPES), backend)
    schema.columns["paid"].unique = True
    with pytest.raises(PanderaWouldNotCheck, match="unique=True of the column paid"):
        schema.validate(in_backend(backend, PAID))

    schema = pandera_schema(contract_of(types=TYPES), backend)
    schema.checks.append(pandera.ibis.Check(lambda data: data.table.paid > 0, name="a", ignore_na=False))
    with pytest.raises(PanderaWouldNotCheck, match="ignore_na=False of the check a"):
        schema.validate(in_backend(backend, PAID))


def test_groups_that_polars_passes_over_are_refused():
    schema = pandera_schema(contract_of(types=TYPES))
    schema.checks.append(pandera.polars.Check(lambda data: True, groupby="copay", name="by_copay"))

    with pytest.raises(PanderaWouldNotCheck, match="groupby of the check by_copay"):
        schema.validate(PAID)


@pytest.mark.parametrize("backend", BACKENDS[2:])
def test_an_ibis_table_of_another_engine_is_an_error_that_says_what_to_do(backend):
    ibis = pytest.importorskip("ibis")
    table = ibis.polars.connect({"paid": PAID}).table("paid")

    (result,) = verdict_of(
        pandera_schema(contract_of(rule("required", "paid"), types=TYPES), backend), table
    ).results[:1]

    assert result.outcome is Outcome.ERROR
    assert "ibis.memtable(table.to_pyarrow())" in result.summary


def test_an_unknown_backend_is_named():
    with pytest.raises(BackendUnknown, match=r"'spark'; a contract becomes one for polars, pandas, ibis"):
        pandera_schema(contract_of(), "spark")


@pytest.mark.parametrize(
    "setting",
    [
        "PANDERA_VALIDATION_DEPTH=SCHEMA_ONLY",
        "PANDERA_VALIDATION_ENABLED=False",
        "PANDERA_USE_NARWHALS_BACKEND=True",
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_setting_of_pandera_makes_a_schema_pass(setting, backend):
    program = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from tests.unit.checks.conftest import contract_of, rule\n"
        "from tests.unit.checks.notebooks import in_backend\n"
        "from mesh_assets.capabilities.checks.schema import pandera_schema\n"
        "import polars as pl\n"
        f"schema = pandera_schema(contract_of(rule('required', 'x'), types={{'x': 'BIGINT'}}), {backend!r})\n"
        f"data = in_backend({backend!r}, pl.DataFrame({{'x': [1, None]}}))\n"
        "try:\n"
        "    schema.validate(data, lazy=True); print('passed')\n"
        "except Exception as error: print(type(error).__name__, 'x_required' in str(error), error)\n"
    )
    name, value = setting.split("=")

    told = subprocess.run(
        [sys.executable, "-c", program],
        env={name: value, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    ).stdout

    if "NARWHALS" in name:
        assert told.startswith("PanderaWouldNotCheck"), told
        assert "Set PANDERA_USE_NARWHALS_BACKEND=False" in told
    else:
        assert told.startswith("SchemaErrors True"), told


EXPECTATIONS = """
import pandera.polars as pa
import polars as pl
from mesh_assets.capabilities.checks.expectations import expectation


@expectation(columns=["paid", "copay"])
def copay_is_part_of_paid(frame):
    return frame["copay"] <= frame["paid"]


@expectation(columns=["copay"], severity="warning")
def copay_is_small():
    return pa.Check.in_range(0, 5)


@expectation(columns=["paid"], whole_table=True)
def there_are_many(frame):
    return frame.height > 5
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_domains_expectations_are_in_the_schema_of_every_backend(backend, tmp_path):
    path = tmp_path / "expectations.py"
    path.write_text(EXPECTATIONS)
    schema = pandera_schema(
        contract_of(rule("required", "paid"), types=TYPES),
        backend,
        expectations=path,
        extra_rules=declared_expectations(path),
    )
    data = in_backend(backend, PAID)

    verdict = verdict_of(schema, data)

    assert outcomes(verdict) == {
        "paid_required": ("failed", 1),
        "copay_is_part_of_paid": ("failed", 1),
        "copay_is_small": ("failed", 1),
        "there_are_many": ("failed", None),
    }
    assert verdict.results[1].sample == ({"paid": 5.0, "copay": 7.0},)
    with (
        pytest.warns(pandera.errors.SchemaWarning, match="copay_is_small"),
        pytest.raises(pandera.errors.SchemaErrors) as errors,
    ):
        schema.validate(data, lazy=True)
    assert {error.check.name for error in errors.value.schema_errors} == {
        "paid_required",
        "copay_is_part_of_paid",
        "there_are_many",
    }


def test_a_schema_of_a_product_that_nobody_has_names_the_ones_like_it():
    with pytest.raises(UnknownProduct, match=r"Did you mean hcp\.hcp_master"):
        mesh.schema("hcp.hcp_mastr")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_column_is_told_once_and_its_rules_are_errors(backend):
    schema = pandera_schema(contract_of(rule("required", "paid"), types=TYPES), backend)

    verdict = verdict_of(schema, in_backend(backend, PAID.drop("paid")))

    assert outcomes(verdict) == {
        "paid_required": ("error", None),
        "paid_column_not_in_dataframe": ("failed", None),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_column_of_another_type_is_told(backend):
    data = in_backend(backend, pl.DataFrame({"n": ["1"]}))

    (told,) = verdict_of(pandera_schema(contract_of(types={"n": "BIGINT"}), backend), data).results

    assert told.outcome is Outcome.FAILED
    assert told.rule.id.startswith("n_")


STORED = {
    "VARCHAR": "'a'",
    "INTEGER": "1",
    "BIGINT": "2",
    "UBIGINT": "3",
    "FLOAT": "0.5",
    "DOUBLE": "1.5",
    "DECIMAL(9,2)": "1.25",
    "BOOLEAN": "true",
    "DATE": "DATE '2024-01-02'",
    "TIMESTAMP": "TIMESTAMP '2024-01-02 03:04:05'",
    "TIMESTAMP_NS": "TIMESTAMP_NS '2024-01-02 03:04:05.000000001'",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '2024-01-02 03:04:05+02'",
    "TIME": "TIME '03:04:05'",
    "BLOB": "'\\x01'",
    "UUID": "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
    "JSON": "'{}'",
    "VARCHAR[]": "['x']",
    "STRUCT(a INTEGER, b VARCHAR)": "{'a': 1, 'b': 'x'}",
    "MAP(VARCHAR, INTEGER)": "MAP {'k': 1}",
}


@pytest.mark.parametrize(
    "form", ["polars", "pandas from DuckDB", "pandas with Arrow columns", "pandas with objects"]
)
@pytest.mark.parametrize("stored", STORED)
def test_what_a_reader_gets_of_a_product_is_of_the_contracts_types(stored, form):
    if (stored, form) == ("DECIMAL(9,2)", "pandas from DuckDB"):
        pytest.skip("DuckDB gives pandas a float for it: the next test")
    contract = contract_of(rule("required", "x"), types={"x": stored})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Europe/Berlin'")
        relation = con.sql(f"SELECT unnest([{STORED[stored]}, NULL]::{stored}[]) AS x")
        data = {
            "polars": relation.pl,
            "pandas from DuckDB": relation.df,
            "pandas with Arrow columns": lambda: relation.to_arrow_table().to_pandas(
                types_mapper=pd.ArrowDtype
            ),
            "pandas with objects": lambda: relation.to_arrow_table().to_pandas(),
        }[form]()

    verdict = verdict_of(pandera_schema(contract, form.split()[0]), data)

    assert outcomes(verdict) == {"x_required": ("failed", 1)}


@pytest.mark.parametrize(
    ("stored", "values"),
    [
        ("DECIMAL(9,2)", [1.25]),
        ("BIGINT", [1.5]),
        ("BIGINT", ["1"]),
        ("INTEGER", [1]),
        ("VARCHAR", [1]),
        ("DATE", [datetime(2024, 1, 1, 12)]),  # noqa: DTZ001 - a column without a zone
        ("DATE", ["2024-01-01"]),
        ("DECIMAL(9,2)", [Decimal("1.005")]),
        ("TIMESTAMP", [datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))]),
        ("BOOLEAN", [1]),
        ("VARCHAR", ["a", 1]),
    ],
)
def test_pandas_values_that_would_have_to_be_changed_are_of_another_type(stored, values):
    contract = contract_of(types={"x": stored})

    verdict = verdict_of(pandera_schema(contract, "pandas"), pd.DataFrame({"x": values}))

    assert outcomes(verdict) == {"x_type": ("failed", None)}
    assert verdict.results[0].summary == f"does not hold: x is stored as {stored}"


def test_nan_of_a_numpy_column_is_null_and_of_an_arrow_column_is_nan():
    schema = pandera_schema(
        contract_of(rule("required", "x"), rule("minimum", "x", value=0), types={"x": "DOUBLE"}), "pandas"
    )
    nan = float("nan")
    arrow = pl.DataFrame({"x": [1.0, nan]}).to_arrow().to_pandas(types_mapper=pd.ArrowDtype)

    assert outcomes(verdict_of(schema, pd.DataFrame({"x": [1.0, nan]}))) == {
        "x_required": ("failed", 1),
        "x_minimum": ("passed", 0),
    }
    assert outcomes(verdict_of(schema, arrow)) == {"x_required": ("passed", 0), "x_minimum": ("failed", 1)}


def test_pandas_rows_are_told_by_their_position_if_their_index_repeats():
    schema = pandera_schema(contract_of(rule("unique", "x"), types={"x": "BIGINT"}), "pandas")
    data = pd.DataFrame({"x": [1, 2, 1]}, index=["a", "b", "a"])

    with pytest.raises(pandera.errors.SchemaErrors) as errors:
        schema.validate(data, lazy=True)

    output = errors.value.schema_errors[0].check_output
    assert output[~output].index.tolist() == [0, 2]
    assert schema.validate(data.iloc[[1, 1]].assign(x=[1, 2])).index.tolist() == ["b", "b"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_moments_are_compared_as_instants(backend):
    berlin = pl.Series("at", ["2024-01-01T00:30"]).str.to_datetime(time_zone="Europe/Berlin")
    contract = contract_of(
        rule("minimum", "at", value="2024-01-01T00:00:00Z"), types={"at": "TIMESTAMP WITH TIME ZONE"}
    )

    verdict = verdict_of(pandera_schema(contract, backend), in_backend(backend, berlin.to_frame()))

    assert outcomes(verdict) == {"at_minimum": ("failed", 1)}


def test_dates_of_pandas_are_dates():
    contract = contract_of(rule("maximum", "day", value="2024-01-01"), types={"day": "DATE"})
    schema = pandera_schema(contract, "pandas")

    for data in (
        pd.to_datetime(["2024-01-01", "2024-01-02", None]),
        [date(2024, 1, 1), date(2024, 1, 2), None],
    ):
        assert outcomes(verdict_of(schema, pd.DataFrame({"day": data}))) == {"day_maximum": ("failed", 1)}
