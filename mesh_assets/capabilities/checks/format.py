"""Thresholds of metric rules, and the phrases in which results are told.

The eight ODCS operators stand here and nowhere else. Comparison is exact: percents are fractions, bounds
are read as the decimal numbers that the contract wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from mesh_assets.capabilities.checks.stored import CannotRun, exact
from mesh_assets.words.rules import Outcome, Rule, RuleResult

#: After the point, of a number that is told with all of them.
_MOST_DIGITS = 40

#: Failing rows that a result carries along.
SAMPLE_ROWS = 20

Bounds = tuple[Fraction, ...]


@dataclass(frozen=True)
class Operator:
    """How a measure is held against its bounds."""

    phrase: str
    holds: Callable[[Fraction, Bounds], bool]
    #: True if the measure breaks the rule by being too large: then the counted rows are to blame.
    exceeds: Callable[[Fraction, Bounds], bool]
    bounds: int = 1


def _never(measure: Fraction, bounds: Bounds) -> bool:
    return False


OPERATORS: Mapping[str, Operator] = {
    "mustBe": Operator("be {0}", lambda m, b: m == b[0], lambda m, b: m > b[0]),
    "mustNotBe": Operator("not be {0}", lambda m, b: m != b[0], _never),
    "mustBeGreaterThan": Operator("be greater than {0}", lambda m, b: m > b[0], _never),
    "mustBeGreaterOrEqualTo": Operator("be at least {0}", lambda m, b: m >= b[0], _never),
    "mustBeLessThan": Operator("be less than {0}", lambda m, b: m < b[0], lambda m, b: m >= b[0]),
    "mustBeLessOrEqualTo": Operator("be at most {0}", lambda m, b: m <= b[0], lambda m, b: m > b[0]),
    "mustBeBetween": Operator(
        "be between {0} and {1}", lambda m, b: b[0] <= m <= b[1], lambda m, b: m > b[1], bounds=2
    ),
    "mustNotBeBetween": Operator(
        "not be between {0} and {1}", lambda m, b: not b[0] <= m <= b[1], _never, bounds=2
    ),
}


@dataclass(frozen=True)
class Threshold:
    """An operator with its bounds; `percent` measures are shares of all rows."""

    operator: Operator
    bounds: Bounds
    percent: bool = False

    @property
    def text(self) -> str:
        return "must " + self.operator.phrase.format(*(self.show(bound) for bound in self.bounds))

    def show(self, measure: Fraction) -> str:
        return f"{number(measure)}%" if self.percent else _digits(measure) or number(measure)


def threshold(rule: Rule) -> Threshold:
    """The threshold of a metric rule; CannotRun if its operator or bounds make no sense."""
    name = str(rule.arguments.get("operator"))
    if name not in OPERATORS:
        raise CannotRun(f"{name!r} is not an operator; write one of {', '.join(OPERATORS)}")
    value, operator = rule.arguments.get("value"), OPERATORS[name]
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) != operator.bounds:
        raise CannotRun(f"{name} needs {operator.bounds} number(s), and the contract has {value!r}")
    percent = rule.arguments.get("unit") == "percent"
    return Threshold(operator, tuple(exact(bound) for bound in values), percent)


def share(count: int, rows: int) -> Fraction:
    """Percent of rows; nothing of nothing is 0 percent."""
    return Fraction(100 * count, rows) if rows else Fraction(0)


def number(measure: Fraction) -> str:
    """For a person: 1,204,118 or 3.1416; never rounded into another integer."""
    if measure.denominator == 1:
        return f"{int(measure):,}"
    return f"{float(measure):,.10g}"


def _digits(measure: Fraction) -> str | None:
    """All digits of a decimal number that no double says; None for any other, which `number` shortens."""
    whole = measure
    for _ in range(_MOST_DIGITS):
        if whole.denominator == 1:
            break
        whole *= 10
    if measure.denominator == 1 or whole.denominator != 1 or abs(whole) < 10**17:
        return None
    with localcontext(prec=2 * _MOST_DIGITS):
        return f"{Decimal(measure.numerator) / Decimal(measure.denominator):,f}"


def row_result(rule: Rule, failed: int, rows: int) -> RuleResult:
    """The result of a rule about single rows."""
    outcome = Outcome.FAILED if failed else Outcome.PASSED
    summary = f"failed on {failed:,} of {rows:,} rows" if failed else f"holds on {rows:,} rows"
    return RuleResult(rule, outcome, failed, rows, summary=summary)


def positive_result(rule: Rule, rows: int) -> RuleResult:
    """The result of the rule that every product has: an empty table is no product."""
    outcome = Outcome.PASSED if rows else Outcome.FAILED
    return RuleResult(
        rule, outcome, None, rows, value=f"{rows:,}", summary=f"is {rows:,}; must be greater than 0"
    )


def metric_result(rule: Rule, measure: Fraction, rows: int, *, count: int | None = None) -> RuleResult:
    """The result of a rule about a measure. `count`: the rows behind the measure, None if it has no rows."""
    limit = threshold(rule)
    holds = limit.operator.holds(measure, limit.bounds)
    blamed = count if holds is False and limit.operator.exceeds(measure, limit.bounds) else None
    return RuleResult(
        rule,
        Outcome.PASSED if holds else Outcome.FAILED,
        0 if holds and count is not None else blamed,
        rows,
        value=limit.show(measure),
        summary=f"is {limit.show(measure)}; {limit.text}",
    )


def error_result(rule: Rule, reason: str, rows: int) -> RuleResult:
    """The result of a rule that could not run."""
    return RuleResult(rule, Outcome.ERROR, None, rows, summary=f"could not run: {one_line(reason)}")


def one_line(reason: Any, limit: int = 400) -> str:
    """An engine's message without its picture of the query: the first paragraph on one line."""
    line = " ".join(str(reason).split("\n\n")[0].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain(value: Any) -> Any:
    """A stored value as JSON can say it; what JSON lacks (NaN, decimals, dates) is said as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)
