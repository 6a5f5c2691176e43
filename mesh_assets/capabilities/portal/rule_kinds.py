"""Rules as forms: which fields each kind has, and the entry of a contract that they make.

Here: library metrics, this mesh's kinds, SQL, service levels. Not here: reading the fields that somebody sent
(rule_fields); whether what comes out can be run: the reader of contracts says that, with the line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.contracts.kinds import AGAINST, AGGREGATES, ALGORITHMS

DIMENSIONS = (
    "accuracy",
    "completeness",
    "conformity",
    "consistency",
    "coverage",
    "timeliness",
    "uniqueness",
)
SEVERITIES = ("warning", "error")
COLUMN, TABLE = "column", "table"


class FieldMalformed(ValueError):
    """A field of the form holds what it cannot; the text says which and what to write."""


@dataclass(frozen=True)
class Field:
    """One field of a form; `shape` says how its text is read."""

    name: str
    label: str
    #: text, lines, numbers, list (one value a line, or between commas), or choice.
    shape: str = "text"
    choices: tuple[str, ...] = ()
    hint: str = ""
    #: "" for one that may stay empty.
    default: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of rule that a person can write."""

    word: str
    title: str
    #: A sentence: what it says of the data.
    said: str
    #: Where it can stand: a column, the table.
    on: tuple[str, ...]
    fields: tuple[Field, ...]
    make: Callable[[Mapping[str, Any]], dict[str, Any]]
    #: An entry of slaProperties, which has no name, severity and dimension.
    level: bool = False


_ROWS = Field("unit", "Counted in", "choice", ("rows", "percent"))
_COLUMN = Field("column", "Column", hint="empty where the rule stands at a column")
_WHERE = Field("where", "Only rows where", hint="an expression of the product's columns; empty for all rows")


def _threshold(*, optional: bool = False) -> tuple[Field, ...]:
    empty = ("",) if optional else ()
    return (
        Field(
            "operator", "Passes if it", "choice", (*empty, *OPERATORS), default="" if optional else "mustBe"
        ),
        Field("value", "this number", "numbers", hint="two numbers, low and high, for mustBeBetween"),
    )


def _limit(given: Mapping[str, Any]) -> dict[str, Any]:
    operator = given.get("operator")
    if not operator:
        return {}
    value = given.get("value") or []
    pair = operator.endswith("Between")
    if len(value) != (2 if pair else 1):
        raise FieldMalformed(f"{operator} needs {'two numbers, low and high' if pair else 'one number'}")
    return {operator: value if pair else value[0]}


def _present(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if given.get(name) not in (None, "", [])}


def _library(metric: str, *arguments: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def make(given: Mapping[str, Any]) -> dict[str, Any]:
        told = _present(given, *arguments)
        more = {"arguments": told} if told else {}
        return {"type": "library", "metric": metric, **more, **_limit(given), **_present(given, "unit")}

    return make


def _mesh(kind: str, *arguments: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def make(given: Mapping[str, Any]) -> dict[str, Any]:
        limit = _limit(given)
        told = _present(given, *(each for each in arguments if limit or each != "unit" or kind in _MEASURES))
        return {"type": "custom", "engine": "mesh", "implementation": {"kind": kind, **told, **limit}}

    return make


#: Kinds whose unit means something without a threshold in rows.
_MEASURES = ("freshness", "outlier_share", "change", "balance")


def _sql(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "sql", **_present(given, "query"), **_limit(given)}


def _level(given: Mapping[str, Any]) -> dict[str, Any]:
    value = given.get("value") or []
    if len(value) != 1:
        raise FieldMalformed("A service level needs one number")
    return {**_present(given, "property"), "value": value[0], **_present(given, "unit", "element")}


_LIBRARY = (
    Kind(
        "nullValues",
        "Nulls",
        "How many values are null.",
        (COLUMN,),
        (*_threshold(), _ROWS),
        _library("nullValues"),
    ),
    Kind(
        "missingValues",
        "Missing values",
        "How many values say that there is none, such as n/a.",
        (COLUMN,),
        (Field("missingValues", "These say that nothing is there", "list"), *_threshold(), _ROWS),
        _library("missingValues", "missingValues"),
    ),
    Kind(
        "invalidValues",
        "Values out of a list or a form",
        "How many values are none of these, or do not have this form.",
        (COLUMN,),
        (
            Field("validValues", "Valid values", "list", hint="one a line"),
            Field("pattern", "Or a pattern", hint="a regular expression, for texts"),
            *_threshold(),
            _ROWS,
        ),
        _library("invalidValues", "validValues", "pattern"),
    ),
    Kind(
        "duplicateValues",
        "Duplicates",
        "How many rows share their values with another row.",
        (COLUMN, TABLE),
        (Field("properties", "Columns", "list", hint="of the table: two or more"), *_threshold(), _ROWS),
        _library("duplicateValues", "properties"),
    ),
    Kind(
        "rowCount", "Rows (volume)", "How many rows there are.", (TABLE,), _threshold(), _library("rowCount")
    ),
)

_KINDS = (
    Kind(
        "expression",
        "Between columns",
        "What is true on every row.",
        (TABLE,),
        (
            Field("expression", "Expression", hint="e.g. copay_amount <= paid_amount"),
            *_threshold(optional=True),
            _ROWS,
        ),
        _mesh("expression", "expression", "unit"),
    ),
    Kind(
        "when",
        "When this, then that",
        "What is true on every row on which something else is.",
        (TABLE,),
        (Field("when", "When"), Field("then", "then"), *_threshold(optional=True), _ROWS),
        _mesh("when", "when", "then", "unit"),
    ),
    Kind(
        "check_digit",
        "Check digit",
        "The last digit follows from the others.",
        (COLUMN, TABLE),
        (_COLUMN, Field("algorithm", "By", "choice", tuple(ALGORITHMS)), *_threshold(optional=True), _ROWS),
        _mesh("check_digit", "column", "algorithm", "unit"),
    ),
    Kind(
        "freshness",
        "Age of the newest value",
        "How old the newest moment in a column is.",
        (COLUMN, TABLE),
        (
            _COLUMN,
            Field(
                "clock", "Measured at", default="build", hint="build, partition, or a date such as 2024-12-31"
            ),
            Field("unit", "In", "choice", ("minutes", "hours", "days", "weeks"), default="days"),
            *_threshold(),
        ),
        _mesh("freshness", "column", "clock", "unit"),
    ),
    Kind(
        "outlier_share",
        "Outliers",
        "How many values lie far out.",
        (COLUMN, TABLE),
        (
            _COLUMN,
            Field("method", "By", "choice", ("iqr", "z")),
            Field("unit", "Counted in", "choice", ("percent", "rows")),
            *_threshold(),
        ),
        _mesh("outlier_share", "column", "method", "unit"),
    ),
    Kind(
        "distribution",
        "Distribution",
        "How far the values are spread otherwise than before.",
        (COLUMN, TABLE),
        (
            _COLUMN,
            Field("measure", "Measured by", "choice", ("jensen_shannon", "psi")),
            Field("against", "Against the version of", "choice", tuple(AGAINST)),
            *_threshold(),
        ),
        _mesh("distribution", "column", "measure", "against"),
    ),
    Kind(
        "change",
        "Change since before (volume)",
        "How far rows, or an aggregate of a column, moved since the version before.",
        (TABLE,),
        (
            Field("aggregate", "What", "choice", tuple(AGGREGATES)),
            Field("column", "of the column", hint="empty for the count of rows"),
            _WHERE,
            Field("against", "Against the version of", "choice", tuple(AGAINST)),
            Field("unit", "In", "choice", ("percent", "absolute")),
            *_threshold(),
        ),
        _mesh("change", "aggregate", "column", "where", "against", "unit"),
    ),
    Kind(
        "schema_unchanged",
        "Columns as before",
        "Columns are those of the version before.",
        (TABLE,),
        (Field("additions", "New columns are", "choice", ("refused", "allowed")),),
        _mesh("schema_unchanged", "additions"),
    ),
    Kind(
        "balance",
        "Balance with another product",
        "An aggregate is the same here and there.",
        (TABLE,),
        (
            Field("aggregate", "What", "choice", tuple(AGGREGATES)),
            Field("column", "of the column"),
            Field("product", "is that of the product", hint="domain.product"),
            Field("to_column", "there called", hint="empty if it is the same"),
            Field("by", "For each", "list", hint="columns; empty for the whole"),
            *_threshold(optional=True),
        ),
        _mesh("balance", "aggregate", "column", "product", "to_column", "by"),
    ),
    Kind(
        "match_rate",
        "Share that another product has",
        "How many percent of the keys exist there.",
        (TABLE,),
        (
            Field("columns", "Columns", "list"),
            Field("product", "exist in the product", hint="domain.product"),
            Field("to_columns", "there called", "list", hint="empty if they are the same"),
            *_threshold(),
        ),
        _mesh("match_rate", "columns", "product", "to_columns"),
    ),
    Kind(
        "sql",
        "SQL",
        "What a query gives: one number.",
        (COLUMN, TABLE),
        (
            Field("query", "Query", "lines", hint="{object} is the product, {property} the column"),
            *_threshold(),
        ),
        _sql,
    ),
)

_LEVELS = (
    Kind(
        "service_level",
        "Freshness promised to readers",
        "A service level: how old what readers see may be, how often it comes.",
        (TABLE,),
        (
            Field("property", "What", "choice", ("latency", "frequency"), default="latency"),
            Field("value", "this number", "numbers"),
            Field("unit", "of", "choice", ("h", "d", "mo", "y"), default="d"),
            Field("element", "Of the column", hint="for latency: a date or a timestamp, as product.column"),
        ),
        _level,
        level=True,
    ),
)

KINDS: Mapping[str, Kind] = {kind.word: kind for kind in (*_LIBRARY, *_KINDS, *_LEVELS)}
