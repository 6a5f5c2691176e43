"""A contract as a pandera schema of polars, pandas or ibis: for notebooks, and to extend in one's own code.

Here: the schema, with one named `Check` for each rule; what its checks say, as a verdict.
Not here: what a rule means (conditions), how data of a notebook comes before DuckDB (frames).

Every Check asks the audit itself, on the very data that is validated: null, NaN, decimals, time zones and
regular expressions mean on each backend what they mean in publication, because the same engine reads them.
Rules that need more than the data (another product, an earlier version) cannot be said here; their ids, with
the reason, are in `schema.metadata["elsewhere"]`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.checks.audit_once import asked, hearing
from mesh_assets.capabilities.checks.frames import BACKENDS, Data, frame_of, holds_type, type_in
from mesh_assets.capabilities.checks.pandera_backends import check_class, column_class, schema_class
from mesh_assets.capabilities.checks.pandera_findings import told_by_pandera
from mesh_assets.capabilities.checks.stored import CannotRun
from mesh_assets.capabilities.contracts.model import Column, Contract
from mesh_assets.words.errors import BackendUnknown
from mesh_assets.words.rules import Outcome, Rule, RuleResult, Severity, Verdict, products_of

if TYPE_CHECKING:
    import pandera.pandas as pa


def pandera_schema(
    contract: Contract,
    backend: str = "polars",
    *,
    expectations: Path | None = None,
    extra_rules: Sequence[Rule] = (),
) -> pa.DataFrameSchema:
    """The contract's columns with stored types, its rules as named checks; validate with `lazy=True`.

    `extra_rules` are those that the file `expectations` declares. A rule of severity warning warns
    (`SchemaWarning`), as it does in publication.
    """
    if backend not in BACKENDS:
        raise BackendUnknown(backend=backend, allowed=", ".join(BACKENDS))
    rules = (*contract.rules, *extra_rules)
    elsewhere = {rule.id: reason for rule in rules if (reason := _beyond_the_data(rule))}
    said = tuple(_in(backend, rule) for rule in rules if rule.id not in elsewhere)
    promise = replace(contract, rules=said)
    types = {column.name: column for column in contract.columns if _dtype(column, backend) is None}
    if any(rule.kind == "physical_types" for rule in said):
        types = {}  # one rule is about all of them
    schema: pa.DataFrameSchema = schema_class(backend)(
        columns={
            column.name: column_class(backend)(_dtype(column, backend), nullable=True)
            for column in contract.columns
        },
        checks=[
            *(_type_check(promise, column, backend) for column in types.values()),
            *(_check(promise, rule, backend, expectations) for rule in promise.rules),
        ],
        name=str(contract.product),
        title=contract.title or None,
        description=contract.description or None,
        metadata={
            "product": str(contract.product),
            "version": contract.version,
            "rules": {rule.id: rule for rule in promise.rules},
            "types": {rule.id: rule for rule in map(_type_rule, types.values())},
            "elsewhere": elsewhere,
        },
    )
    return schema


def verdict_of(schema: pa.DataFrameSchema, data: Data) -> Verdict:
    """The schema's validation of these data, as rule results: those of the contract as the audit tells them.

    Behind them stand the checks that the schema was extended by, and whatever pandera found wrong with the
    columns themselves. A check that did not run is an error, never a pass.
    """
    from pandera.errors import SchemaErrors, SchemaWarning

    errors: Sequence[Any] = ()
    with hearing() as heard, warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        try:
            _telling_all(schema).validate(data, lazy=True)
        except SchemaErrors as found:
            errors = found.schema_errors
    rules: Mapping[str, Rule] = schema.metadata["rules"]
    here = {check.name for check in schema.checks}
    results = [heard[name] if name in here and name in heard else _unheard(rules[name]) for name in rules]
    rows = max((result.checked_rows for result in results), default=0)
    return Verdict(results=(*results, *told_by_pandera(schema, errors, rows)), rows=rows)


def _telling_all(schema: Any) -> Any:
    """The schema with checks that fail where they would only warn: a warning names no rows."""
    told = copy.copy(schema)
    told.checks = [_failing(check) for check in schema.checks]
    told.columns = {name: copy.copy(column) for name, column in schema.columns.items()}
    for column in told.columns.values():
        column.checks = [_failing(check) for check in column.checks]
    return told


def _failing(check: Any) -> Any:
    if not check.raise_warning:
        return check
    told = copy.copy(check)
    told.raise_warning = False
    return told


def _unheard(rule: Rule) -> RuleResult:
    return RuleResult(
        rule, Outcome.ERROR, None, 0, summary="could not run: the schema has no check of this name any more"
    )


def _beyond_the_data(rule: Rule) -> str | None:
    """Why the rule cannot be judged by the data alone; None if it can."""
    products = products_of(rule)
    if products:
        return f"needs {' and '.join(map(str, products))}, at the version that the build pins"
    if rule.arguments.get("against"):
        return f"compares with the product as it was: {rule.arguments['against']}"
    return None


def _in(backend: str, rule: Rule) -> Rule:
    """The rule about types, with those that data of this backend can have; any other rule as it is."""
    if rule.kind != "physical_types":
        return rule
    types = {name: type_in(backend, kind) for name, kind in rule.arguments["types"].items()}
    return replace(rule, arguments={**rule.arguments, "types": types})


def _check(promise: Contract, rule: Rule, backend: str, expectations: Path | None) -> Any:
    def judged(data: Any) -> Any:
        frame = frame_of(data, promise)
        try:
            result = asked(frame, rule, expectations)
        except CannotRun as reason:
            return _could_not_run(rule, reason)
        # A threshold that no count can keep is broken by no row.
        if result.outcome is Outcome.PASSED or not result.failed_rows:
            return result.outcome is Outcome.PASSED
        return frame.good_rows(rule, expectations)

    return _named(judged, rule, backend)


def _could_not_run(rule: Rule, reason: CannotRun) -> bool:
    """An error of a rule that blocks is an error of the validation; of one that warns, it is a warning."""
    if rule.blocking:
        raise reason
    from pandera.errors import SchemaWarning

    warnings.warn(f"{rule.id} {reason}", SchemaWarning, stacklevel=2)
    return True


def _named(judged: Callable[[Any], Any], rule: Rule, backend: str) -> Any:
    return check_class(backend)(
        judged,
        name=rule.id,
        description=rule.description or None,
        raise_warning=rule.severity is Severity.WARNING,
        # Nulls are judged by the rule. With it, pandera passes every row of which all columns are null.
        ignore_na=False,
    )


def _dtype(column: Column, backend: str) -> Any:
    """The polars type where it is one type; what pandas and ibis hold is asked of DuckDB."""
    from mesh_assets.capabilities.contracts.types import polars_dtype

    # An instant is one in any zone; what polars calls a map depends on its version.
    several = column.physical_type.endswith("TIME ZONE") or "MAP(" in column.physical_type
    return polars_dtype(column.physical_type) if backend == "polars" and not several else None


def _type_rule(column: Column) -> Rule:
    return Rule(
        f"{column.name}_type", "type", (column.name,), f"{column.name} is stored as {column.physical_type}"
    )


def _type_check(promise: Contract, column: Column, backend: str) -> Any:
    def judged(data: Any) -> bool:
        return holds_type(frame_of(data, promise), column)

    return _named(judged, _type_rule(column), backend)
