"""Every library metric, in rows and in percent, held against each operator at the edges of its threshold.

The contracts are written out and read as a person's are. What is expected stands in tables here, or is
counted by plain Python: no line of the mesh takes part in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.words.errors import RuleRefused
from mesh_assets.words.rules import Outcome, RuleResult

Row = tuple[str | None, str | None]
Bound = float | list[float]

#: By name: the rows (x, y) of a product.
TABLES: dict[str, list[Row]] = {
    "mixed": [
        (None, "u"), ("a", "u"), ("a", "u"), ("", "v"), ("N/A", "v"), ("b", None), ("b", None), (None, None),
    ],
    "all nulls": [(None, None)] * 4,
    "all alike": [("a", "u")] * 2,
    "one row": [("c", None)],
    "empty": [],
}  # fmt: skip

#: By name: what is written under `quality`, and the rows that it counts in `mixed`, counted by eye.
METRICS: dict[str, tuple[dict[str, Any], int]] = {
    "null": ({"metric": "nullValues"}, 2),
    "missing": ({"metric": "missingValues", "arguments": {"missingValues": [None, "", "N/A"]}}, 4),
    "blank": ({"metric": "missingValues", "arguments": {"missingValues": [""]}}, 1),
    "unlisted": ({"metric": "invalidValues", "arguments": {"validValues": ["a", "b"]}}, 2),
    "unlike": ({"metric": "invalidValues", "arguments": {"pattern": "^[a-c]$"}}, 2),
    "either": ({"metric": "invalidValues", "arguments": {"validValues": ["a"], "pattern": "^[a-c]$"}}, 4),
    "twice": ({"metric": "duplicateValues"}, 4),
    "both twice": ({"metric": "duplicateValues", "arguments": {"properties": ["x", "y"]}}, 2),
    "rows": ({"metric": "rowCount"}, 8),
}
OF_THE_TABLE = ("both twice", "rows")

#: By operator, what is said if its threshold is a step below the measure, at it, a step above it: P passes,
#: R fails and its rows are to blame (too many), F fails with no row to blame (too few, or just as many).
EDGES = {
    "mustBe": "RPF",
    "mustNotBe": "PFP",
    "mustBeGreaterThan": "PFF",
    "mustBeGreaterOrEqualTo": "PPF",
    "mustBeLessThan": "RRP",
    "mustBeLessOrEqualTo": "RPP",
}
#: The same for [low, high], each that many steps from the measure.
INTERVALS = {(-2, -1): "RP", (-1, 0): "PF", (-1, 1): "PF", (0, 1): "PF", (1, 2): "FP"}


def counted(name: str, rows: list[Row]) -> int:
    """The metrics as docs/checks.md says them, row by row."""
    xs = [x for x, _ in rows]
    if name in ("twice", "both twice"):
        keys = [(x,) for x in xs] if name == "twice" else list(rows)
        times = Counter(key for key in keys if None not in key)
        return sum(count for count in times.values() if count > 1)
    counts: dict[str, Callable[[str | None], bool]] = {
        "null": lambda x: x is None,
        "missing": lambda x: x in (None, "", "N/A"),
        "blank": lambda x: x == "",
        "unlisted": lambda x: x is not None and x not in ("a", "b"),
        "unlike": lambda x: x is not None and x not in ("a", "b", "c"),
        "either": lambda x: x is not None and x != "a",
        "rows": lambda x: True,
    }
    return sum(map(counts[name], xs))


def bounds(measure: float, step: float) -> Iterator[tuple[str, Bound, str]]:
    """Operator, its threshold, and what is said of the measure."""
    for operator, said in EDGES.items():
        yield from ((operator, measure + steps * step, said[steps + 1]) for steps in (-1, 0, 1))
    for (low, high), said in INTERVALS.items():
        interval = [measure + low * step, measure + high * step]
        yield "mustBeBetween", interval, said[0]
        yield "mustNotBeBetween", interval, said[1]


def relation(rows: list[Row]) -> str:
    values = ", ".join(f"({_text(x)}, {_text(y)})" for x, y in rows or [(None, None)])
    return f"(SELECT * FROM (VALUES {values}) AS rows(x, y) {'' if rows else 'WHERE FALSE'})"


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else f"'{value}'"


@pytest.fixture
def results(con, tmp_path):
    """By rule id, what a contract with these quality rules of x and of the table finds."""

    def audited(
        rows: list[Row], x: list[Any], table: list[Any] = (), *, published: list[Row] | None = None
    ) -> dict[str, RuleResult]:
        contract = read_contract(written(tmp_path, x, table))
        whole = None if published is None else relation(published)
        return {each.rule.id: each for each in audit(con, relation(rows), contract, whole_sql=whole).results}

    return audited


def written(folder: Path, x: list[Any], table: list[Any]) -> Path:
    """A contract as JSON, which is YAML as well."""
    columns = [
        {"name": "x", "logicalType": "string", "quality": x},
        {"name": "y", "logicalType": "string"},
    ]
    contract = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "shop.orders",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "orders", "properties": columns, "quality": list(table)}],
    }
    file = folder / "shop" / "orders" / "contract.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(contract), encoding="utf-8")
    return file


def every_rule(rows: list[Row], unit: str, step: float):
    """(written, of the table, by id what is expected) for each metric, operator and edge."""
    of_x, of_table, expected = [], [], {}
    for name, (metric, _) in METRICS.items():
        if name == "rows" and unit == "percent":
            continue
        count = counted(name, rows)
        share = 100 * count / len(rows) if rows else 0
        for number, (operator, bound, said) in enumerate(bounds(share if unit == "percent" else count, step)):
            title = f"{name} {number}"
            (of_table if name in OF_THE_TABLE else of_x).append(
                {**metric, "name": title, "unit": unit, operator: bound}
            )
            blamed = {"P": 0, "R": count, "F": None}[said] if name != "rows" else None
            told = f"{share:.10g}%" if unit == "percent" else str(count)
            outcome = Outcome.PASSED if said == "P" else Outcome.FAILED
            expected[title.replace(" ", "_")] = (outcome, told, blamed, len(rows))
    return of_x, of_table, expected


@pytest.mark.parametrize("split", [None, 0, 3], ids=["one draft", "all published", "some published"])
@pytest.mark.parametrize(("unit", "step"), [("rows", 1), ("percent", 0.0001)])
@pytest.mark.parametrize("table", TABLES)
def test_every_metric_meets_every_operator_at_its_edges(results, table, unit, step, split):
    rows = TABLES[table]
    of_x, of_table, expected = every_rule(rows, unit, step)

    found = (
        results(rows, of_x, of_table)
        if split is None
        else results(rows[:split], of_x, of_table, published=rows[split:])
    )

    told = {
        name: (each.outcome, each.value, each.failed_rows, each.checked_rows) for name, each in found.items()
    }
    assert {name: told[name] for name in expected} == expected
    assert len(expected) >= 8 * (6 * 3 + 5 * 2)


@pytest.mark.parametrize("name", METRICS)
def test_the_oracle_counts_what_the_eye_does(name):
    assert counted(name, TABLES["mixed"]) == METRICS[name][1]


def test_row_count_in_percent_is_refused_by_file_and_line(tmp_path):
    file = written(tmp_path, [], [{"metric": "rowCount", "unit": "percent", "mustBe": 100}])

    with pytest.raises(RuleRefused, match=r"contract\.yaml:1\b.*rowCount is 'percent'"):
        read_contract(file)


#: rows, how many of them are null, operator, threshold, whether it holds: shares that no double holds.
FRACTIONS: list[tuple[int, int, str, Bound, bool]] = [
    (3, 1, "mustBe", 33.33, False),
    (3, 1, "mustBe", 33.333333333333336, False),
    (3, 1, "mustBeGreaterThan", 33.33, True),
    (3, 1, "mustBeGreaterThan", 33.333333333333, True),
    (3, 1, "mustBeLessThan", 33.34, True),
    (3, 1, "mustBeLessThan", 33.333333333334, True),
    (3, 1, "mustBeLessOrEqualTo", 33.33, False),
    (3, 1, "mustBeGreaterOrEqualTo", 33.34, False),
    (3, 1, "mustNotBe", 33.33, True),
    (3, 1, "mustBeBetween", [33.33, 33.34], True),
    (3, 1, "mustBeBetween", [33.33, 33.333333333333], False),
    (3, 1, "mustNotBeBetween", [33.33, 33.34], False),
    (3, 2, "mustBeLessOrEqualTo", 66.66, False),
    (3, 2, "mustBeLessOrEqualTo", 66.67, True),
    (3, 2, "mustBeLessOrEqualTo", 66.666666666666, False),
    (7, 1, "mustBeLessThan", 14.285714285714, False),
    (7, 1, "mustBeLessThan", 14.285714285715, True),
    (1000, 1, "mustBe", 0.1, True),
    (1000, 1, "mustBeLessThan", 0.1, False),
    (1000, 7, "mustBeLessOrEqualTo", 0.7, True),
    (1000, 57, "mustBe", 5.7, True),
    (1000, 999, "mustBeLessThan", 99.9, False),
    (1_000_000, 1, "mustBe", 0.0001, True),
    (1_000_000, 1, "mustBeLessThan", 0.0001, False),
    (3_000_000, 1, "mustBeGreaterThan", 0, True),
    (3_000_000, 2_999_999, "mustBeLessThan", 100, True),
    (3_000_000, 2_999_999, "mustBe", 100, False),
]


@pytest.mark.parametrize(("rows", "nulls", "operator", "bound", "holds"), FRACTIONS)
def test_percents_are_fractions_and_never_rounded(con, tmp_path, rows, nulls, operator, bound, holds):
    few = {"metric": "nullValues", "name": "few", "unit": "percent", operator: bound}
    product = (
        f"(SELECT CASE WHEN i >= {nulls} THEN 'a' END AS x, NULL::VARCHAR AS y FROM range({rows}) AS rows(i))"
    )
    contract = read_contract(written(tmp_path, [few], []))

    result = audit(con, product, contract, only={"few"}).results[0]

    assert result.outcome is (Outcome.PASSED if holds else Outcome.FAILED), result
    assert result.value == f"{float(Fraction(100 * nulls, rows)):.10g}%"
    # An oracle of its own for the plain comparisons: nulls of rows against bound percent, cross-multiplied.
    if operator == "mustBeLessThan":
        assert holds is (nulls * 100 < Fraction(str(bound)) * rows)


@pytest.mark.parametrize("count", [1, 19, 20, 21, 45])
def test_failing_rows_are_counted_beyond_those_that_are_shown(results, count):
    rows: list[Row] = [(None, "u")] * count + [("a", "v")]

    found = results(rows, [{"metric": "nullValues", "name": "none", "mustBe": 0}])["none"]

    assert (found.failed_rows, len(found.sample)) == (count, min(count, 20))
