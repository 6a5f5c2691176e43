"""The everyday form of contracts and domain descriptions, recognised fast.

Here: a table of keys and types, narrower than the standards' JSON schemas: what it accepts, they accept too.
Not here: refusing anything. What is not recognised goes to the JSON schema (standard), which has the say.

Why: `jsonschema` costs 0.2 s to import and 25 ms for a contract of 15 columns; a Dagster code location reads
ten contracts at each load. This takes well under a millisecond. A property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Test = Callable[[Any], bool]

_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)+\Z")
_STABLE_ID = re.compile(r"[A-Za-z0-9_-]+\Z")
_DIMENSIONS = frozenset(
    ("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
)
_METRICS = frozenset(("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"))


def is_everyday_contract(value: Any) -> bool:
    """True for a contract that is certainly valid ODCS v3.1 or v3.2; False says nothing."""
    if not isinstance(value, dict) or not isinstance(value.get("apiVersion"), str):
        return False
    test = _CONTRACTS.get(value["apiVersion"])
    return test is not None and test(value)


def is_everyday_domain(value: Any) -> bool:
    """True for a description that is certainly valid ODPS v1.0 or v1.1; False says nothing."""
    return isinstance(value, dict) and _domain(value)


@dataclass(frozen=True)
class _Keys:
    """A mapping with these keys and no others."""

    tests: Mapping[str, Test]
    required: frozenset[str] = field(default=frozenset())

    def __call__(self, value: Any) -> bool:
        if not isinstance(value, dict) or not self.required <= value.keys():
            return False
        for key, item in value.items():
            test = self.tests.get(key)
            if test is None or not test(item):
                return False
        return True


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _natural(value: Any) -> bool:
    return _whole(value) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | Decimal)


def _anything(value: Any) -> bool:
    return True


def _stable_id(value: Any) -> bool:
    return isinstance(value, str) and _STABLE_ID.match(value) is not None


def _reference(value: Any) -> bool:
    return isinstance(value, str) and _REFERENCE.match(value) is not None


def _two_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value)) and value[0] != value[1]


def _different_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value)) and len({*value}) == len(value)


def _one_of(*words: str) -> Test:
    allowed = frozenset(words)
    return lambda value: isinstance(value, str) and value in allowed


def _list_of(test: Test, least: int = 0) -> Test:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(test, value))


_texts = _list_of(_text)
_custom = _list_of(
    _Keys({"property": _text, "value": _anything, "description": _text}, frozenset(("property", "value")))
)

_OPERATORS: Mapping[str, Test] = {
    "mustBe": _anything,
    "mustNotBe": _anything,
    "mustBeGreaterThan": _number,
    "mustBeGreaterOrEqualTo": _number,
    "mustBeLessThan": _number,
    "mustBeLessOrEqualTo": _number,
    "mustBeBetween": _two_numbers,
    "mustNotBeBetween": _two_numbers,
}

_RULE_KEYS: Mapping[str, Test] = {
    "id": _stable_id,
    "name": _text,
    "description": _text,
    "type": _text,
    "severity": _text,
    "dimension": lambda value: isinstance(value, str) and value in _DIMENSIONS,
    "businessImpact": _text,
    "method": _text,
    "schedule": _text,
    "scheduler": _text,
    "tags": _texts,
    "unit": _text,
    "customProperties": _custom,
}
_library_rule = _Keys(
    {
        **_RULE_KEYS,
        **_OPERATORS,
        "metric": lambda value: isinstance(value, str) and value in _METRICS,
        "arguments": lambda value: isinstance(value, dict),
    },
    frozenset(("metric",)),
)
_sql_rule = _Keys({**_RULE_KEYS, **_OPERATORS, "query": _text}, frozenset(("query",)))
_text_rule = _Keys(_RULE_KEYS, frozenset(("type",)))
_custom_rule = _Keys(
    {**_RULE_KEYS, "engine": _text, "implementation": lambda value: isinstance(value, str | dict)},
    frozenset(("type", "engine", "implementation")),
)


def _rule(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("type", "library")
    if kind == "text":
        return _text_rule(value)
    if kind == "custom":
        return _custom_rule(value)
    one_operator = sum(name in value for name in _OPERATORS) == 1
    if kind == "library":
        return one_operator and _library_rule(value)
    return kind == "sql" and one_operator and _sql_rule(value)


_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_dates: Mapping[str, Test] = dict.fromkeys(("format", *_BOUNDS), _text)
_moments = _Keys({**_dates, "timezone": _flag, "defaultTimezone": _text})
_numbers: Mapping[str, Test] = {"multipleOf": _positive, **dict.fromkeys(_BOUNDS, _number)}
_INTEGERS = tuple(f"{sign}{bits}" for sign in "iu" for bits in (8, 16, 32, 64, 128))
_OPTIONS: Mapping[str, Test] = {
    "string": _Keys({"minLength": _natural, "maxLength": _natural, "pattern": _text, "format": _text}),
    "date": _Keys(_dates),
    "timestamp": _moments,
    "time": _moments,
    "integer": _Keys({**_numbers, "format": _one_of(*_INTEGERS)}),
    "number": _Keys({**_numbers, "format": _one_of("f32", "f64")}),
    **dict.fromkeys(("boolean", "map"), lambda value: False),
    "object": _Keys({"minProperties": _natural, "maxProperties": _natural, "required": _different_texts}),
    "array": _Keys({"minItems": _natural, "maxItems": _natural, "uniqueItems": _flag}),
}

_property_keys = _Keys(
    {
        "id": _stable_id,
        "name": _text,
        "physicalName": _text,
        "businessName": _text,
        "description": _text,
        "logicalType": lambda value: isinstance(value, str) and value in _OPTIONS,
        "logicalTypeOptions": lambda value: isinstance(value, dict),
        "physicalType": _text,
        "required": _flag,
        "unique": _flag,
        "primaryKey": _flag,
        "primaryKeyPosition": _whole,
        "partitioned": _flag,
        "partitionKeyPosition": _whole,
        "classification": _text,
        "criticalDataElement": _flag,
        "transformLogic": _text,
        "transformDescription": _text,
        "transformSourceObjects": _texts,
        "tags": _texts,
        "examples": _list_of(_anything),
        "customProperties": _custom,
        "quality": _list_of(_rule),
        "relationships": _list_of(
            _Keys(
                {"type": _one_of("foreignKey"), "to": _reference, "customProperties": _custom},
                frozenset(("to",)),
            )
        ),
    }
)
_allowed_value = _Keys(
    {
        "id": _stable_id,
        "value": _scalar,
        **dict.fromkeys(("label", "description"), _text),
        "tags": _texts,
        "customProperties": _custom,
    },
    frozenset(("value",)),
)


def _allowed_values(value: Any) -> bool:
    """Not empty, no value twice (the standard compares whole entries, which refuses less)."""
    if not (isinstance(value, list) and value and all(map(_allowed_value, value))):
        return False
    return len({each["value"] for each in value}) == len(value)


@dataclass(frozen=True)
class _Property:
    """A column or a part of one. Which keys it has beside the usual ones depends on its logical type."""

    #: v3.2 has allowed values and maps, and asks for a logical type.
    newest: bool

    def __call__(self, value: Any) -> bool:
        return isinstance(value, dict) and "name" in value and self.item(value)

    def item(self, value: Any) -> bool:
        """An element of an array, a key or a value of a map: a name is not needed."""
        if not isinstance(value, dict):
            return False
        parts = self._parts(value.get("logicalType"))
        usual = {key: item for key, item in value.items() if key not in parts}
        return (
            _property_keys(usual)
            and all(test(value[key]) for key, test in parts.items() if key in value)
            and ("map" not in parts or "map" in value)
            and self._options(value)
        )

    def _parts(self, logical: Any) -> Mapping[str, Test]:
        found: dict[str, Test] = {"enum": _allowed_values} if self.newest else {}
        if logical == "object":
            found["properties"] = _list_of(self)
        elif logical == "array":
            found["items"] = self.item
        elif logical == "map":
            found["map"] = _Keys({"key": self.item, "value": self.item}, frozenset(("key", "value")))
        return found

    def _options(self, value: Mapping[str, Any]) -> bool:
        if "logicalType" not in value:
            return not self.newest and "logicalTypeOptions" not in value
        if value["logicalType"] == "map" and not self.newest:
            return False
        return "logicalTypeOptions" not in value or _OPTIONS[value["logicalType"]](
            value["logicalTypeOptions"]
        )


_references = _list_of(_reference, least=1)


def _table_relationship(value: Any) -> bool:
    keys = {
        "type": _one_of("foreignKey"),
        "from": _references,
        "to": _references,
        "customProperties": _custom,
    }
    return _Keys(keys, frozenset(("from", "to")))(value)


def _schema(newest: bool) -> Test:
    """Tables of a contract of v3.1, or of v3.2."""
    tests: Mapping[str, Test] = {
        "id": _stable_id,
        **dict.fromkeys(("name", "physicalName", "physicalType", "businessName", "description"), _text),
        "logicalType": _one_of("object"),
        "dataGranularityDescription": _text,
        "tags": _texts,
        "customProperties": _custom,
        "properties": _list_of(_Property(newest)),
        "quality": _list_of(_rule),
        "relationships": _list_of(_table_relationship),
    }
    return _list_of(_Keys(tests, frozenset(("name",))))


_member = _Keys(
    dict.fromkeys(("username", "name", "description", "role", "dateIn", "dateOut"), _text),
    frozenset(("username",)),
)
_team = _Keys({"name": _text, "description": _text, "members": _list_of(_member), "tags": _texts})
_support = _list_of(
    _Keys(
        dict.fromkeys(("channel", "url", "description", "tool", "scope", "invitationUrl"), _text),
        frozenset(("channel", "url")),
    )
)
_description = _Keys({"purpose": _text, "limitations": _text, "usage": _text, "customProperties": _custom})
_sla = _list_of(
    _Keys(
        {
            "property": _text,
            "value": _scalar,
            "valueExt": _scalar,
            **dict.fromkeys(("unit", "element", "driver", "description"), _text),
        },
        frozenset(("property", "value")),
    )
)


def _contract(version: str) -> Test:
    tests: Mapping[str, Test] = {
        "apiVersion": _one_of(version),
        "kind": _one_of("DataContract"),
        **dict.fromkeys(("id", "name", "version", "status", "domain", "dataProduct", "tenant"), _text),
        "description": _description,
        "tags": _texts,
        "team": _team,
        "support": _support,
        "schema": _schema(newest=version == "v3.2.0"),
        "slaProperties": _sla,
        "customProperties": _custom,
    }
    return _Keys(tests, frozenset(("apiVersion", "kind", "id", "version", "status")))


_CONTRACTS = {version: _contract(version) for version in ("v3.1.0", "v3.2.0")}

_input_port = _Keys(
    dict.fromkeys(("name", "version", "contractId"), _text), frozenset(("name", "version", "contractId"))
)
_output_port = _Keys(
    dict.fromkeys(("name", "version", "contractId", "description", "type"), _text),
    frozenset(("name", "version")),
)
_domain = _Keys(
    {
        "apiVersion": _one_of("v1.0.0", "v1.1.0"),
        "kind": _one_of("DataProduct"),
        **dict.fromkeys(("id", "name", "version", "status", "domain", "tenant"), _text),
        "description": _description,
        "tags": _texts,
        "team": _team,
        "support": _support,
        "inputPorts": _list_of(_input_port),
        "outputPorts": _list_of(_output_port),
        "customProperties": _custom,
    },
    frozenset(("apiVersion", "kind", "id", "status")),
)
