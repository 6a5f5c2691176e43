"""The forms of rules that generated contracts have, each with values that keep it and values that break it.

Here: how a form is written in each version, its DuckDB type, SQL of good and bad values.
Not here: contracts and rows made of them (generated).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Written = dict[str, Any]
#: SQL of the value in a row, from the row's number.
Value = Callable[[int], str]


@dataclass(frozen=True)
class Form:
    """One form of rule on one column: how it is written, and SQL of values that keep and break it."""

    name: str
    #: Of the rule that it must become; and the path of the value inside of the column.
    kind: str
    #: DuckDB type of the stored column.
    stored: str
    good: Value
    bad: Value
    #: Keys of the property; a function of the version where versions write it differently.
    column: Callable[[str], Written]
    path: tuple[str, ...] = ()
    #: Versions from this on have the form.
    since: str = "v3.0.0"
    #: Rows that one planted value breaks: 2 for a value that stands there twice.
    breaks: int = 1
    #: True for rules that answer with a measure and name no rows.
    measured: bool = False

    @property
    def flat(self) -> bool:
        return not self.stored.startswith(("STRUCT", "MAP")) and not self.stored.endswith("]")


def _text(value: str) -> Value:
    return lambda row: f"'{value}'"


def _same(value: str) -> Value:
    return lambda row: value


def _options(logical: str, **options: Any) -> Callable[[str], Written]:
    return lambda version: {"logicalType": logical, "logicalTypeOptions": options}


def _exclusive(option: str, flagged: str, bound: int) -> Callable[[str], Written]:
    """ODCS 3.0 has flags beside the bound."""

    def column(version: str) -> Written:
        older = {flagged: bound, option: True}
        options = older if version < "v3.1" else {option: bound}
        return {"logicalType": "integer", "logicalTypeOptions": options}

    return column


def _quality(logical: str, **rule: Any) -> Callable[[str], Written]:
    """A quality rule of the column; ODCS 3.0 wrote `rule` for `metric`, and its arguments beside it."""

    def column(version: str) -> Written:
        written = dict(rule)
        if version < "v3.1" and "metric" in written:
            written["rule"] = written.pop("metric")
        return {"logicalType": logical, "quality": [written]}

    return column


def _key(**keys: Any) -> Callable[[str], Written]:
    return lambda version: {"logicalType": "integer"} | keys


def _inside(**inner: Any) -> Callable[[str], Written]:
    return lambda version: {"logicalType": "object", "properties": [{"name": "a", **inner}]}


def _items(**inner: Any) -> Callable[[str], Written]:
    return lambda version: {"logicalType": "array", "items": {"name": "item", **inner}}


def _map(version: str) -> Written:
    value = {"logicalType": "integer", "logicalTypeOptions": {"maximum": 9}}
    return {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": value}}


def _date(row: int) -> str:
    return f"DATE '2024-01-01' + {row}"


_number: Value = str
_LATER = "'2024-01-01'::TIMESTAMP"
_SHORT = {"logicalType": "string", "logicalTypeOptions": {"minLength": 2}}
_ENUM = {"logicalType": "string", "enum": [{"value": "red"}, {"value": "green"}]}
_SQL = {"type": "sql", "query": "SELECT count(*) FROM {object} WHERE {property} = 'bad'", "mustBe": 0}
_VALID = {"metric": "invalidValues", "arguments": {"validValues": ["yes", "no"]}, "mustBe": 0}
_MISSING = {"metric": "missingValues", "arguments": {"missingValues": [None, "n/a"]}, "mustBe": 0}
_PATTERN = {"metric": "invalidValues", "arguments": {"pattern": "^[a-z]+$"}, "mustBe": 0}
_DIGITS = {"type": "custom", "engine": "mesh", "implementation": {"kind": "check_digit", "algorithm": "luhn"}}

FORMS: tuple[Form, ...] = (
    Form("required", "required", "INTEGER", _number, _same("NULL"), _key(required=True)),
    Form("unique", "unique", "BIGINT", _number, _same("0"), _key(unique=True), breaks=2),
    Form("primaryKey", "primary_key", "INTEGER", _number, _same("NULL"), _key(primaryKey=True)),
    Form("minLength", "min_length", "VARCHAR", _text("abc"), _text("a"), _options("string", minLength=2)),
    Form("maxLength", "max_length", "VARCHAR", _text("abc"), _text("abcd"), _options("string", maxLength=3)),
    Form(
        "VARCHAR(n)",
        "max_length",
        "VARCHAR",
        _text("äöü"),
        _text("abcd"),
        _key(logicalType="string", physicalType="VARCHAR(3)"),
    ),
    Form(
        "NVARCHAR2(n)",
        "max_length",
        "VARCHAR",
        _text("ab"),
        _text("abcd"),
        _key(logicalType="string", physicalType="nvarchar2(3)"),
    ),
    Form("pattern", "pattern", "VARCHAR", _text("A1"), _text("a1"), _options("string", pattern="^[A-Z]\\d$")),
    Form(
        "email", "format", "VARCHAR", _text("a@b.org"), _text("a.b.org"), _options("string", format="email")
    ),
    Form(
        "ipv4", "format", "VARCHAR", _text("10.0.0.1"), _text("10.0.0.256"), _options("string", format="ipv4")
    ),
    Form("minimum", "minimum", "DECIMAL(9,2)", _number, _same("-0.01"), _options("number", minimum=0)),
    Form("maximum", "maximum", "DOUBLE", _number, _same("1001.5"), _options("number", maximum=1000.5)),
    Form(
        "exclusiveMinimum",
        "exclusive_minimum",
        "INTEGER",
        lambda row: str(row + 1),
        _same("0"),
        _exclusive("exclusiveMinimum", "minimum", 0),
    ),
    Form(
        "exclusiveMaximum",
        "exclusive_maximum",
        "SMALLINT",
        _number,
        _same("100"),
        _exclusive("exclusiveMaximum", "maximum", 100),
    ),
    Form(
        "multipleOf",
        "multiple_of",
        "BIGINT",
        lambda row: str(5 * row),
        _same("7"),
        _options("integer", multipleOf=5),
    ),
    Form("i8", "number_format", "INTEGER", _number, _same("128"), _options("integer", format="i8")),
    Form(
        "date minimum",
        "minimum",
        "DATE",
        _date,
        _same("'2023-12-31'"),
        _options("date", minimum="2024-01-01"),
    ),
    Form(
        "timestamp maximum",
        "maximum",
        "TIMESTAMP",
        _same(_LATER),
        _same(f"{_LATER} + INTERVAL 1 SECOND"),
        _options("timestamp", maximum="2024-01-01T00:00:00"),
        since="v3.1.0",
    ),
    Form("minItems", "min_items", "INTEGER[]", _same("[1, 2]"), _same("[]"), _options("array", minItems=1)),
    Form(
        "uniqueItems",
        "unique_items",
        "INTEGER[]",
        _same("[1, 2]"),
        _same("[1, 1]"),
        _options("array", uniqueItems=True),
    ),
    Form(
        "required inside",
        "required",
        "STRUCT(a VARCHAR)",
        _same("{'a': 'x'}"),
        _same("{'a': NULL}"),
        _inside(logicalType="string", required=True),
        path=("a",),
    ),
    Form(
        "minLength of items",
        "min_length",
        "VARCHAR[]",
        _same("['ab', 'cd']"),
        _same("['ab', 'c']"),
        _items(**_SHORT),
        path=("[]",),
    ),
    Form(
        "maximum in a map",
        "maximum",
        "MAP(VARCHAR, BIGINT)",
        _same("MAP {'a': 1}"),
        _same("MAP {'a': 10}"),
        _map,
        path=("{value}",),
        since="v3.2.0",
    ),
    Form(
        "enum",
        "invalid_values",
        "VARCHAR",
        _text("red"),
        _text("blue"),
        lambda version: _ENUM,
        since="v3.2.0",
    ),
    Form(
        "nullValues",
        "null_values",
        "VARCHAR",
        _text("x"),
        _same("NULL"),
        _quality("string", metric="nullValues", mustBe=0),
        since="v3.1.0",
    ),
    Form(
        "missingValues",
        "missing_values",
        "VARCHAR",
        _text("x"),
        _text("n/a"),
        _quality("string", **_MISSING),
        since="v3.1.0",
    ),
    Form(
        "validValues",
        "invalid_values",
        "VARCHAR",
        _text("yes"),
        _text("maybe"),
        _quality("string", **_VALID),
        since="v3.1.0",
    ),
    Form(
        "invalidValues by pattern",
        "invalid_values",
        "VARCHAR",
        _text("abc"),
        _text("a1"),
        _quality("string", **_PATTERN),
        since="v3.1.0",
    ),
    Form(
        "duplicateValues",
        "duplicate_values",
        "INTEGER",
        _number,
        _same("0"),
        _quality("integer", metric="duplicateValues", mustBe=0, unit="rows"),
        since="v3.1.0",
        breaks=2,
    ),
    Form("sql", "sql", "VARCHAR", _text("good"), _text("bad"), _quality("string", **_SQL), measured=True),
    Form(
        "check digit",
        "check_digit",
        "VARCHAR",
        _text("79927398713"),
        _text("79927398710"),
        _quality("string", **_DIGITS),
    ),
)
