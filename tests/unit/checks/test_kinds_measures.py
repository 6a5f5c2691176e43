# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Kinds that measure a product: freshness, outliers, change, schema; at their edges, and on nothing."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.words.rules import Outcome
from tests.unit.checks.conftest import contract_of, draft, one_column, rule

NOON = datetime(2024, 12, 31, 12, tzinfo=UTC)
NAN, INF = "'nan'::DOUBLE", "'inf'::DOUBLE"


def freshness(operator="mustBeLessOrEqualTo", value=2.0, unit="days", **clock):
    told = clock or {"clock": "build"}
    return rule("freshness", "x", operator=operator, value=value, unit=unit, **told)


@pytest.mark.parametrize(
    ("kind", "newest", "value"),
    [
        ("DATE", "'2024-12-30'", "1.5"),
        ("TIMESTAMP", "'2024-12-30 12:00:00'", "1"),
        ("TIMESTAMPTZ", "'2024-12-31 13:00:00+01'", "0"),
        ("TIMESTAMP_NS", "'2024-12-31 00:00:00'", "0.5"),
        ("DATE", "'2025-01-01'", "-0.5"),
    ],
)
def test_the_age_of_the_newest_value_is_exact_for_every_kind_of_moment(result_of, kind, newest, value):
    result = result_of(one_column(kind, "'2020-01-01'", newest, "NULL"), freshness(), clock=NOON)

    assert (result.outcome, result.value) == (Outcome.PASSED, value)
    assert "; must be at most 2 days" in result.summary


@pytest.mark.parametrize(("limit", "outcome"), [(1.5, Outcome.PASSED), (1.4999, Outcome.FAILED)])
def test_freshness_holds_up_to_its_edge(result_of, limit, outcome):
    assert (
        result_of(one_column("DATE", "'2024-12-30'"), freshness(value=limit), clock=NOON).outcome is outcome
    )


@pytest.mark.parametrize("values", [[], ["NULL"], ["'infinity'"]])
def test_a_column_without_a_moment_is_not_fresh(result_of, values):
    result = result_of(one_column("DATE", *values), freshness(), clock=NOON)

    assert result.outcome is Outcome.FAILED
    assert "has no value" in result.summary


def test_infinite_dates_do_not_make_a_column_fresh(result_of):
    assert result_of(one_column("DATE", "'2024-12-30'", "'infinity'"), freshness(), clock=NOON).value == "1.5"


def test_a_clock_can_be_a_moment_or_the_end_of_the_newest_week(result_of):
    rows = draft(("DATE '2024-12-28'", "DATE '2024-12-23'"), columns="x, week")
    fixed = freshness(clock="instant", instant="2024-12-29T00:00:00", unit="hours", value=24)
    weekly = freshness(clock="partition", partition_column="week", value=2)

    assert result_of(rows, fixed).value == "24"
    assert result_of(rows, weekly).value == "2"


def test_freshness_looks_at_published_partitions_as_well(result_of):
    elsewhere = one_column("DATE", "'2024-12-31'")

    assert (
        result_of(one_column("DATE", "'2020-01-01'"), freshness(), whole_sql=elsewhere, clock=NOON).value
        == "0.5"
    )


def test_a_text_is_no_moment(result_of):
    result = result_of(one_column("VARCHAR", "'2024-12-31'"), freshness())

    assert (result.outcome, "stored as VARCHAR" in result.summary) == (Outcome.ERROR, True)


def outliers(method="iqr", k=1.5, operator="mustBeLessOrEqualTo", value=0, unit="rows"):
    return rule("outlier_share", "x", method=method, k=k, operator=operator, value=value, unit=unit)


def test_values_beyond_the_fences_are_counted_and_shown(result_of):
    # 1 to 9: Q1 = 3, Q3 = 7, fences -3 and 13; with 13 and 14 beside them Q1 = 3.5, Q3 = 8.5, fences -4 and 16.
    values = [str(value) for value in (*range(1, 10), 13, 100)]

    result = result_of(one_column("INTEGER", *values), outliers())

    assert (result.outcome, result.failed_rows) == (Outcome.FAILED, 1)
    assert [row["x"] for row in result.sample] == [100]
    assert "1 of 11 values, beyond -4 to 16" in result.summary


@pytest.mark.parametrize(("last", "found"), [("6", "0"), ("6.0001", "1"), ("-3", "0"), ("-3.0001", "1")])
def test_a_value_on_a_fence_is_inside(result_of, last, found):
    # Beside 0, 1, 2, 3 a larger value makes the quartiles 1 and 3 (fences -2, 6), a smaller one 0 and 2 (-3, 5).
    assert result_of(one_column("DOUBLE", "0", "1", "2", "3", last), outliers()).value == found


def test_nan_and_infinity_are_outliers_and_move_no_fence(result_of):
    values = ["1", "2", "3", "4", NAN, INF, "-" + INF, "NULL"]

    result = result_of(one_column("DOUBLE", *values), outliers(unit="percent", value=50))

    assert (result.outcome, result.failed_rows) == (Outcome.PASSED, 0)
    assert result.value == "42.85714286%"  # 3 of 7 values; null is none


@pytest.mark.parametrize("method", ["iqr", "z"])
@pytest.mark.parametrize(
    ("values", "found"), [([], "0%"), (["NULL"], "0%"), (["7"], "0%"), (["7", "7"], "0%")]
)
def test_too_few_values_have_no_outlier(result_of, method, values, found):
    assert result_of(one_column("DOUBLE", *values), outliers(method, unit="percent")).value == found


@settings(deadline=None, max_examples=25)
@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.none(), min_size=1, max_size=40),
    k=st.sampled_from([0.5, 1.5, 3.0]),
    method=st.sampled_from(["iqr", "z"]),
)
def test_outliers_are_those_of_the_definition(shared_con, values, k, method):
    known = sorted(value for value in values if value is not None)
    if len(known) < 2:
        return
    if method == "iqr":
        low, _, high = statistics.quantiles(known, n=4, method="inclusive")
        low, high = low - k * (high - low), high + k * (high - low)
    else:
        mean, deviation = statistics.fmean(known), statistics.stdev(known)
        low, high = mean - k * deviation, mean + k * deviation
    slack = 1e-9 * max(abs(low), abs(high), 1)  # only values that no rounding can move
    clear = [value for value in known if abs(value - low) > slack and abs(value - high) > slack]
    expected = sum(value < low or value > high for value in clear)
    relation = one_column("DOUBLE", *("NULL" if value is None else f"'{value!r}'" for value in values))

    found = audit(shared_con, relation, contract_of(outliers(method, k))).results[0]

    assert expected <= int(str(found.value).replace(",", "")) <= expected + len(known) - len(clear)


def change(aggregate="count", columns=(), unit="percent", against="previous", **more):
    limit = {"operator": "mustBeBetween", "value": [-10, 10]} | more
    return rule("change", *columns, aggregate=aggregate, unit=unit, against=against, **limit)


def rows(count: int) -> str:
    return f"(SELECT range AS x FROM range({count}))"


@pytest.mark.parametrize(
    ("now", "outcome", "value"),
    [
        (110, Outcome.PASSED, "10%"),
        (111, Outcome.FAILED, "11%"),
        (90, Outcome.PASSED, "-10%"),
        (89, Outcome.FAILED, "-11%"),
        (0, Outcome.FAILED, "-100%"),
    ],
)
def test_the_change_of_the_row_count_holds_up_to_its_edges(result_of, now, outcome, value):
    result = result_of(rows(now), change(), baselines={"previous": rows(100)})

    assert (result.outcome, result.value) == (outcome, value)
    assert f"(from 100 to {now})" in result.summary


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [("sum", "12.5"), ("count_distinct", "2"), ("avg", "3.833333333"), ("min", "0"), ("max", "10.5")],
)
def test_every_aggregate_is_compared_exactly(result_of, aggregate, value):
    before = one_column("DECIMAL(9,2)", "1", "1", "NULL")
    now = one_column("DECIMAL(9,2)", "2", "1.00", "11.50")
    moved = change(aggregate, ("x",), "absolute", operator="mustBeLessThan", value=100)

    assert result_of(now, moved, baselines={"previous": before}).value == value


def test_a_filter_chooses_the_rows_of_both_sides(result_of):
    before, now = one_column("INTEGER", "1", "2", "3"), one_column("INTEGER", "1", "1", "5")

    result = result_of(now, change(where="x > 1", unit="absolute"), baselines={"previous": before})

    assert result.value == "-1"


@pytest.mark.parametrize(("now", "outcome"), [(0, Outcome.PASSED), (5, Outcome.FAILED)])
def test_from_nothing_to_something_there_is_no_percentage(result_of, now, outcome):
    assert result_of(rows(now), change(), baselines={"previous": rows(0)}).outcome is outcome


@pytest.mark.parametrize(
    ("changed", "baselines", "reason"),
    [
        (change(), {}, "there is no version before this one"),
        (change(against="same weekday"), {"previous": "(SELECT 1 AS x)"}, "no version of a week ago"),
        (change("sum", ("x",)), {"previous": "(SELECT 1 AS y)"}, "the version before has no column x"),
        (change("sum", ("x",)), {"previous": "(SELECT 'a' AS x)"}, "cannot be asked"),
        (change("max", ("x",)), {"previous": "(SELECT NULL::INTEGER AS x)"}, "the version before has no max"),
        (
            rule("schema_unchanged", against="previous", additions="refused", operator="mustBe", value=0),
            {},
            "no v",
        ),
        (
            rule("distribution", "x", measure="psi", against="previous", bins=10, operator="mustBe", value=0),
            {"previous": "(SELECT 'a' AS x)"},
            "x was stored as VARCHAR, and is as BIGINT",
        ),
        (
            rule("distribution", "x", measure="psi", against="previous", bins=10, operator="mustBe", value=0),
            {"previous": "(SELECT 1 AS x WHERE FALSE)"},
            "the version before has no rows",
        ),
    ],
)
def test_without_anything_to_compare_with_a_rule_passes_and_says_so(result_of, changed, baselines, reason):
    result = result_of(rows(3), changed, baselines=baselines)

    assert (result.outcome, result.value) == (Outcome.PASSED, None)
    assert result.summary.startswith("nothing to compare with yet: ")
    assert reason in result.summary


def test_a_sum_that_is_no_number_is_an_error_of_its_rule_alone(verdict_on):
    bad = change("sum", ("x",))
    good = freshness()

    found = verdict_on(
        one_column("DOUBLE", "1", NAN), bad, good, baselines={"previous": one_column("DOUBLE", "1")}
    ).results

    assert [each.outcome for each in found] == [Outcome.ERROR, Outcome.ERROR]  # a number is no moment either
    assert "nan" in found[0].summary and "freshness" in found[1].summary


def test_a_measure_that_fails_on_the_data_leaves_the_others_alone(verdict_on):
    huge = change("sum", ("x",), id="huge", where="x::VARCHAR::DATE IS NULL")
    good = change(id="good")

    found = verdict_on(rows(3), huge, good, baselines={"previous": rows(3)}).results

    assert [each.outcome for each in found] == [Outcome.ERROR, Outcome.PASSED]


@pytest.mark.parametrize(
    ("before", "additions", "outcome", "told"),
    [
        ("SELECT 1::INTEGER AS a, 'x' AS b", "refused", Outcome.PASSED, "2 columns, as before"),
        ("SELECT 'x' AS b, 1::INTEGER AS a", "refused", Outcome.PASSED, "2 columns, as before"),
        ("SELECT 1::INTEGER AS a", "refused", Outcome.FAILED, "new: b"),
        ("SELECT 1::INTEGER AS a", "allowed", Outcome.PASSED, "new: b"),
        ("SELECT 1::INTEGER AS a, 'x' AS b, 2 AS c", "allowed", Outcome.FAILED, "gone: c"),
        ("SELECT 1::BIGINT AS a, 'x' AS b", "allowed", Outcome.FAILED, "a was BIGINT, is INTEGER"),
    ],
)
def test_a_schema_is_its_columns_and_their_types(result_of, before, additions, outcome, told):
    same = rule("schema_unchanged", against="previous", additions=additions, operator="mustBe", value=0)

    result = result_of("SELECT 1::INTEGER AS a, 'x' AS b", same, baselines={"previous": before})

    assert (result.outcome, told in result.summary) == (outcome, True)


@pytest.fixture(scope="module")
def shared_con():
    with duckdb.connect() as con:
        yield con


def distribution(measure="jensen_shannon", **bins):
    limit = {"operator": "mustBeLessThan", "value": 0.5, "against": "previous"}
    return rule("distribution", "x", measure=measure, **limit, **(bins or {"bins": "values"}))


@pytest.mark.parametrize(
    ("before", "now", "measure", "value"),
    [
        (["'a'", "'b'"], ["'b'", "'a'"], "jensen_shannon", "0"),
        (["'a'"], ["'b'"], "jensen_shannon", "1"),
        (["'a'"], ["'b'"], "psi", "1.098612289"),  # ln 3: shares 3/4 and 1/4 after half a row each
        (["NULL"], ["'a'"], "jensen_shannon", "1"),
        (["'a'", "'a'"], ["'a'", "'a'", "'a'"], "psi", "0"),
    ],
)
def test_distances_of_small_samples_are_those_of_pen_and_paper(result_of, before, now, measure, value):
    result = result_of(
        one_column("VARCHAR", *now),
        distribution(measure),
        baselines={"previous": one_column("VARCHAR", *before)},
    )

    assert result.value == value


def _reference(before: list, now: list, measure: str) -> float:
    """The formulas of docs/kinds.md on plain lists of bins."""
    bins = sorted({*before, *now}, key=repr)
    n, m = [[side.count(each) for each in bins] for side in (now, before)]
    if measure == "psi":
        p, q = ([(c + 0.5) / (sum(side) + 0.5 * len(bins)) for c in side] for side in (n, m))
        return sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    p, q = ([c / sum(side) for c in side] for side in (n, m))
    halves = sum(a * math.log2(2 * a / (a + b)) for a, b in zip(p, q, strict=True) if a)
    halves += sum(b * math.log2(2 * b / (a + b)) for a, b in zip(p, q, strict=True) if b)
    return math.sqrt(max(halves / 2, 0))


def _quantile_bin(value: float | None, edges: list[float]) -> int:
    if value is None:
        return -1
    if math.isnan(value):
        return -2
    return next((place for place, edge in enumerate(edges) if value <= edge), len(edges))


def _measured(con, kind: str, before: list[str], now: list[str], judged) -> float:
    baselines = {"previous": one_column(kind, *before)}
    result = audit(con, one_column(kind, *now), contract_of(judged), baselines=baselines).results[0]
    return float(str(result.value).replace(",", ""))


def _sql(values: list) -> list[str]:
    return [
        "NULL" if value is None else f"'{value!r}'" if isinstance(value, float) else f"'{value}'"
        for value in values
    ]


NUMBERS = st.lists(
    st.none() | st.just(math.nan) | st.just(math.inf) | st.sampled_from([0.0, 1.5, 2.0, 3.25, -7.0, 100.0]),
    min_size=1,
    max_size=25,
)
TEXTS = st.lists(st.none() | st.sampled_from("abcde"), min_size=1, max_size=25)
DISTANCES = st.sampled_from(["jensen_shannon", "psi"])


@settings(deadline=None, max_examples=25)
@given(before=TEXTS, now=TEXTS, measure=DISTANCES)
def test_distances_of_texts_are_those_of_the_formulas(shared_con, before, now, measure):
    found = _measured(shared_con, "VARCHAR", _sql(before), _sql(now), distribution(measure))

    assert found == pytest.approx(_reference(before, now, measure), abs=1e-8)


@settings(deadline=None, max_examples=25)
@given(
    before=NUMBERS,
    now=NUMBERS,
    measure=DISTANCES,
    edges=st.sampled_from([[0.0], [1.5, 2.0], [-7.0, 0.0, 50.0]]),
)
def test_distances_of_numbers_are_those_of_the_formulas_on_declared_bins(
    shared_con, before, now, measure, edges
):
    sides = [[_quantile_bin(value, edges) for value in side] for side in (before, now)]

    found = _measured(shared_con, "DOUBLE", _sql(before), _sql(now), distribution(measure, edges=edges))

    assert found == pytest.approx(_reference(*sides, measure), abs=1e-8)


@settings(deadline=None, max_examples=25)
@given(before=NUMBERS, now=NUMBERS, measure=DISTANCES, bins=st.sampled_from([2, 4, 10]))
def test_bins_end_at_the_quantiles_of_the_version_before(shared_con, before, now, measure, bins):
    finite = sorted(value for value in before if value is not None and math.isfinite(value))
    edges = []
    if len(finite) > 1:
        edges = sorted(set(statistics.quantiles(finite, n=bins, method="inclusive")))
    elif finite:
        edges = finite
    sides = [[_quantile_bin(value, edges) for value in side] for side in (before, now)]

    found = _measured(shared_con, "DOUBLE", _sql(before), _sql(now), distribution(measure, bins=bins))

    assert found == pytest.approx(_reference(*sides, measure), abs=1e-8)


def test_a_distance_holds_below_its_edge(result_of):
    # One of two values moved: p = (1/2, 1/2), q = (1, 0); the divergence is 0.311278…, its root 0.557923….
    relations = {"previous": one_column("VARCHAR", "'a'", "'a'")}
    now = one_column("VARCHAR", "'a'", "'b'")
    limits = {0.557922: Outcome.FAILED, 0.557924: Outcome.PASSED}

    for limit, outcome in limits.items():
        judged = distribution()
        judged = rule(judged.kind, "x", **{**judged.arguments, "value": limit})
        assert result_of(now, judged, baselines=relations).outcome is outcome
