"""Each rule becomes the SQL condition of a row that counts against it.

Read as stored, with these meanings, for every rule alike:
- null breaks `required` and the primary key, and counts in `nullValues`; every other rule leaves nulls alone
- NaN breaks `minimum` and `maximum` (and the exclusive ones), `multipleOf`, and any list of valid values
- infinity is a number beyond every bound; it is a multiple of nothing
- negative zero equals zero
- an empty string is a value: of length 0, not null, and missing only where `missingValues` lists it
- an empty table breaks no rule about rows; `row_count_above_zero` is what refuses it; its percents are 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mesh_assets.capabilities.checks.formats import (
    bad_dimensions,
    bad_format,
    bad_moment_format,
    bad_number_format,
    items_beyond,
    lacking_properties,
    properties_beyond,
    read_as,
    repeated_items,
)
from mesh_assets.capabilities.checks.globs import glob_of
from mesh_assets.capabilities.checks.nested import condition_inside
from mesh_assets.capabilities.checks.stored import (
    MOMENTS,
    NUMBERS,
    CannotRun,
    Family,
    Stored,
    StoredColumn,
    beyond_bound,
    exact,
    literal,
    remainder,
    require_family,
    text,
)
from mesh_assets.capabilities.contracts.patterns import plain_pattern
from mesh_assets.words.rules import Rule

_TEXT = frozenset({Family.TEXT})

#: The condition of rules that count rows; it is `count(*)`, and needs no condition in the query.
EVERY_ROW = "TRUE"


def _only_column(rule: Rule, stored: Stored) -> StoredColumn:
    if len(rule.columns) != 1:
        raise CannotRun(f"{rule.kind} is about one column, and this rule names {len(rule.columns)}")
    return stored[rule.columns[0]]


def _argument(rule: Rule, name: str) -> Any:
    if rule.arguments.get(name) is None:
        raise CannotRun(f"{rule.kind} needs {name!r}, and the contract gives none")
    return rule.arguments[name]


def _required(rule: Rule, stored: Stored) -> str:
    return f"{_only_column(rule, stored).sql} IS NULL"


def _form(bad: Callable[[StoredColumn, Any], str], argument: str = "value") -> Callable[[Rule, Stored], str]:
    def condition(rule: Rule, stored: Stored) -> str:
        return bad(_only_column(rule, stored), _argument(rule, argument) if argument else None)

    return condition


def _length(operator: str) -> Callable[[Rule, Stored], str]:
    def condition(rule: Rule, stored: Stored) -> str:
        found = _only_column(rule, stored)
        require_family(found, _TEXT, "a length")
        limit = _argument(rule, "value")
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise CannotRun(f"{limit!r} is not a length")
        return f"length({found.sql}) {operator} {limit}"

    return condition


def _pattern(rule: Rule, stored: Stored) -> str:
    found = _only_column(rule, stored)
    require_family(found, _TEXT, "a pattern")
    return unmatched(found, _argument(rule, "value"))


def unmatched(found: StoredColumn, pattern: Any) -> str:
    """True on a text in which the pattern occurs nowhere."""
    try:
        plain = plain_pattern(str(pattern))
    except ValueError as reason:
        raise CannotRun(f"the pattern {pattern!r}: {reason}") from None
    if glob := glob_of(plain):
        return f"NOT ({found.sql} GLOB {text(glob)})"
    return f"NOT regexp_matches({found.sql}, {text(plain)})"


def _bound(operator: str) -> Callable[[Rule, Stored], str]:
    def condition(rule: Rule, stored: Stored) -> str:
        found = _only_column(rule, stored)
        if rule.arguments.get("format"):
            found = read_as(found, rule.arguments["format"])
        require_family(found, NUMBERS | MOMENTS, "a bound")
        beyond = beyond_bound(found, operator, _argument(rule, "value"))
        # DuckDB orders NaN above infinity, so that only a lower bound lets it through.
        if found.family is Family.FLOAT and operator.startswith("<"):
            return f"({beyond} OR isnan({found.sql}))"
        return beyond

    return condition


def _multiple_of(rule: Rule, stored: Stored) -> str:
    found = _only_column(rule, stored)
    require_family(found, NUMBERS, "multipleOf")
    step = exact(_argument(rule, "value"))
    if step <= 0:
        raise CannotRun(f"multipleOf must be above zero, and is {_argument(rule, 'value')!r}")
    if found.family is Family.FLOAT:
        return _float_multiple(found, step)
    return f"{remainder(found, step)} <> 0"


def _float_multiple(found: StoredColumn, step: Fraction) -> str:
    """A float is a multiple if it is the float nearest to one: 0.3 is a multiple of 0.1, 0.1 + 0.2 is not."""
    if any(int(float(part)) != part for part in (step.numerator, step.denominator)):
        raise CannotRun(f"the step has more digits than {found.type}, the type of {found.name!r}, holds")
    p, q = (f"{float(part)!r}::DOUBLE" for part in (step.numerator, step.denominator))
    nearest = f"(round({found.sql}::DOUBLE * {q} / {p}) * {p} / {q})::{found.type}"
    return f"(NOT isfinite({found.sql}) OR {found.sql} <> {nearest})"


def _invalid_values(rule: Rule, stored: Stored) -> str:
    found = _only_column(rule, stored)
    conditions = []
    if (valid := rule.arguments.get("validValues")) is not None:
        listed = [literal(value, found) for value in valid if value is not None]
        conditions.append(
            f"{found.sql} NOT IN ({', '.join(listed)})" if listed else f"{found.sql} IS NOT NULL"
        )
    if rule.arguments.get("pattern") is not None:
        require_family(found, _TEXT, "a pattern")
        conditions.append(unmatched(found, rule.arguments["pattern"]))
    if not conditions:
        raise CannotRun("invalidValues needs validValues or a pattern")
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _missing_values(rule: Rule, stored: Stored) -> str:
    found = _only_column(rule, stored)
    missing: Sequence[Any] = rule.arguments.get("missingValues") or ()
    if not missing:
        raise CannotRun("missingValues needs the list of values that count as missing")
    listed = [literal(value, found) for value in missing if value is not None]
    conditions = [f"{found.sql} IS NULL"] if None in missing else []
    if listed:
        conditions.append(f"{found.sql} IN ({', '.join(listed)})")
    return f"({' OR '.join(conditions)})"


def _every_row(rule: Rule, stored: Stored) -> str:
    return EVERY_ROW


#: Rules that the shared scan answers.
CONDITIONS: Mapping[str, Callable[[Rule, Stored], str]] = {
    "required": _required,
    "min_length": _length("<"),
    "max_length": _length(">"),
    "pattern": _pattern,
    "minimum": _bound("<"),
    "maximum": _bound(">"),
    "exclusive_minimum": _bound("<="),
    "exclusive_maximum": _bound(">="),
    "multiple_of": _multiple_of,
    "format": _form(bad_format),
    "number_format": _form(bad_number_format),
    "moment_format": _form(bad_moment_format),
    "min_items": _form(items_beyond("<")),
    "max_items": _form(items_beyond(">")),
    "unique_items": _form(repeated_items, ""),
    "dimensions": _form(bad_dimensions),
    "min_properties": _form(properties_beyond("<")),
    "max_properties": _form(properties_beyond(">")),
    "required_properties": _form(lacking_properties),
    "null_values": _required,
    "missing_values": _missing_values,
    "invalid_values": _invalid_values,
    "row_count": _every_row,
    "row_count_positive": _every_row,
}


def condition_of(rule: Rule, stored: Stored) -> str:
    """The condition of a bad row, for a rule of a column or of what is inside of one."""
    if not rule.path:
        return CONDITIONS[rule.kind](rule, stored)
    flat = replace(rule, path=())

    def bad(value: StoredColumn) -> str:
        return CONDITIONS[rule.kind](flat, {rule.columns[0]: value})

    return condition_inside(_only_column(rule, stored), rule.path, bad)
