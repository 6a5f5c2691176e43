"""What pandera itself found in a validation, as rule results.

Here: checks that a schema was extended by, wrong types, missing columns, and whatever else pandera tells.
Not here: the contract's own rules, which the audit answers (audit_once).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh_assets.capabilities.checks.format import error_result, one_line, row_result
from mesh_assets.capabilities.checks.pandera_backends import own_names
from mesh_assets.words.rules import Outcome, Rule, RuleResult, Severity


@dataclass(frozen=True)
class _Extension:
    """A check that the contract does not know: where it stands, and what identifies its errors."""

    rule: Rule
    #: (column, position among the checks there); None as column: of the table.
    key: tuple[str | None, int]


def told_by_pandera(schema: Any, errors: Sequence[Any], rows: int) -> tuple[RuleResult, ...]:
    """One result for each check of an extension, and one for each other thing that pandera found wrong."""
    by_check = {_key(error): error for error in errors if error.check_index is not None}
    extensions = [*_extensions(schema)]
    results = [_result(each.rule, by_check.get(each.key), rows) for each in extensions]
    answered = {each.key for each in extensions} | set(_places_of(schema, schema.metadata["rules"]))
    others = [error for error in errors if error.check_index is None or _key(error) not in answered]
    return (*results, *(_problem(schema, error, rows) for error in others))


def _places_of(schema: Any, names: Collection[str]) -> Iterator[tuple[None, int]]:
    return ((None, place) for place, check in enumerate(schema.checks) if check.name in names)


def _extensions(schema: Any) -> Iterator[_Extension]:
    own = own_names(schema)
    seen: dict[str, int] = {}
    places: list[tuple[str | None, Any]] = [(None, schema.checks)]
    places += [(name, column.checks) for name, column in schema.columns.items()]
    for column, checks in places:
        for position, check in enumerate(checks):
            if column is None and check.name in own:
                continue
            name = f"{column}_{check.name}" if column else str(check.name)
            seen[name] = seen.get(name, 0) + 1
            yield _Extension(
                Rule(
                    name if seen[name] == 1 else f"{name}_{seen[name]}",
                    "pandera",
                    (column,) if column else (),
                    str(check.description or check.error or name),
                    Severity.WARNING if check.raise_warning else Severity.ERROR,
                ),
                (column, position),
            )


def _key(error: Any) -> tuple[str | None, int]:
    column = error.schema.name if _is_column(error.schema) else None
    return column, error.check_index


def _is_column(schema: Any) -> bool:
    return not hasattr(schema, "columns")


def _result(rule: Rule, error: Any, rows: int) -> RuleResult:
    if error is None:
        return RuleResult(rule, Outcome.PASSED, None, rows, summary="holds")
    if error.reason_code is not None and error.reason_code.name == "CHECK_ERROR":
        return error_result(rule, one_line(error.failure_cases), rows)
    failed = None if _is_one_answer(error.failure_cases) else _failed_rows(error.check_output)
    if failed is None:
        return RuleResult(rule, Outcome.FAILED, None, rows, summary="does not hold for the table")
    return row_result(rule, failed, rows)


def _is_one_answer(failure_cases: Any) -> bool:
    """True for `False` and its text (see pandera_backends): a check that answered for the whole table."""
    return isinstance(failure_cases, bool | str)


def _failed_rows(output: Any) -> int | None:
    """Rows that a check found bad; None if it answered for the whole table."""
    if hasattr(output, "to_pyarrow"):
        output = output.to_pyarrow()  # ibis: a column, a table of one, or one value
    if hasattr(output, "column_names"):
        output = output.column("check_output")
    elif hasattr(output, "columns"):
        # Polars gives a frame of this one column; pandas one with a column for each of the data.
        output = output["check_output"] if "check_output" in output.columns else output.all(axis="columns")
    for listed in ("to_list", "to_pylist"):
        if hasattr(output, listed):
            return sum(not good for good in getattr(output, listed)())
    return None


def _problem(schema: Any, error: Any, rows: int) -> RuleResult:
    """What is wrong with the columns themselves; nothing that pandera found goes untold."""
    types: Mapping[str, Rule] = schema.metadata["types"]
    rule = types.get(str(getattr(error.check, "name", None)))
    if rule is not None and error.reason_code.name != "CHECK_ERROR":
        return RuleResult(rule, Outcome.FAILED, None, rows, summary=f"does not hold: {rule.description}")
    column = error.schema.name if _is_column(error.schema) else str(error.failure_cases)
    reason = error.reason_code.name.lower() if error.reason_code else "pandera"
    said = Rule(f"{column}_{reason}", "schema", (), one_line(error))
    return RuleResult(said, Outcome.FAILED, None, rows, summary=one_line(error, limit=200))
