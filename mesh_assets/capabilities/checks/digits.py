"""Check digits as conditions: true on a text or number whose form or last digit is wrong; null says nothing.

Only remainders by 10 count, and those need no single digits. Of a number n, q(k) = n // 10^k ends in the
digit at place k (counted from the right, from 0), so that a weighted sum of digits and the same sum of q(k)
have the same remainder. Luhn's doubled digit d adds 2d, and 1 more if d > 4, which is n // (5 * 10^k) -
2 q(k + 1). So an NPI costs 14 divisions instead of 40.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh_assets.capabilities.checks.stored import (
    CannotRun,
    Family,
    Stored,
    require_family,
    text,
)
from mesh_assets.words.rules import Rule

#: Luhn's sum of the prefix 80840 that stands before an NPI (the card issuer of US health applications).
_NPI_PREFIX = 24


@dataclass(frozen=True)
class _Algorithm:
    form: str
    #: Divisor: weight. The sum of the number's quotients ends in 0 on a good number. Weights are above zero
    #: (9 is -1, by remainders of 10), because the sum is of unsigned integers; it fits for 19 digits.
    weights: Mapping[int, int]
    start: int = 0
    #: Characters before the digits.
    letters: int = 0


def check_digit_condition(rule: Rule, stored: Stored) -> str:
    """SQL that is true on a value that is not of the algorithm's form, or whose check digit is wrong."""
    algorithm = ALGORITHMS.get(str(rule.arguments.get("algorithm")))
    if algorithm is None or len(rule.columns) != 1:
        raise CannotRun(f"check_digit needs one column and one of {', '.join(ALGORITHMS)}")
    found = stored[rule.columns[0]]
    require_family(found, frozenset({Family.TEXT, Family.INTEGER}), "a check digit")
    written = found.sql if found.family is Family.TEXT else f"{found.sql}::VARCHAR"
    terms = (f"(n // {by}::UBIGINT * {weight}::UBIGINT)" for by, weight in algorithm.weights.items())
    wrong = f"({' + '.join(terms)} + {algorithm.start}::UBIGINT) % 10::UBIGINT <> 0"
    # A list of one, because a lambda's argument is computed once: a third less than the cast in each term.
    once = f"list_transform([{_number(written, algorithm.letters)}], lambda n: {wrong})[1]"
    return f"(NOT regexp_full_match({written}, {text(algorithm.form)}) OR {once})"


def _number(written: str, letters: int) -> str:
    """At most 19 digits, whose sums 64 bits hold; what is no number has a wrong form anyway."""
    return f"TRY_CAST(substr({written}, {letters + 1}, 19) AS UBIGINT)"


def _luhn(places: int) -> dict[int, int]:
    weights = {10**place: 9 if place else 1 for place in range(0, places, 2)}
    for place in range(1, places, 2):
        weights |= {10**place: 2, 5 * 10**place: 1}
    return weights


ALGORITHMS: Mapping[str, _Algorithm] = {
    "luhn": _Algorithm("[0-9]{2,19}", _luhn(19)),
    "npi": _Algorithm("[0-9]{10}", _luhn(10), start=_NPI_PREFIX),
    "gs1": _Algorithm(
        "[0-9]{8}|[0-9]{12,14}|[0-9]{17,18}", {10**place: 3 if place % 2 else 1 for place in range(18)}
    ),
    "dea": _Algorithm(
        "[A-Za-z][A-Za-z9][0-9]{7}",
        {1: 9, **{10**place: 2 if place % 2 else 1 for place in range(1, 7)}},
        letters=2,
    ),
}
