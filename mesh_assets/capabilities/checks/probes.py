"""One small contract for each form of the standard, so that the readers themselves say what becomes of it.

Here: the forms, taken from the standard's JSON schemas and from the readers' own tables, with sample values.
Not here: asking the readers, and the page made of their answers (forms).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_assets.capabilities.contracts.explain import OPERATORS
from mesh_assets.capabilities.contracts.formats import FLOAT_FORMATS, HINTS, INTEGER_FORMATS, TEXT_FORMATS
from mesh_assets.capabilities.contracts.sla import READERS
from mesh_assets.capabilities.contracts.standard import contract_schema

#: The versions that the page has a column for: the last of each minor version.
VERSIONS = ("v3.0.2", "v3.1.0", "v3.2.0")

Written = dict[str, Any]


@dataclass(frozen=True)
class Probe:
    """A form, and what of a contract holds it: keys of the first column, more columns, of table and top."""

    section: str
    form: str
    column: Written = field(default_factory=dict)
    more: tuple[Written, ...] = ()
    table: Written = field(default_factory=dict)
    top: Written = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """True for the contract that writes no form at all."""
        return not (self.column or self.more or self.table or self.top)

    def contract(self, version: str) -> Written:
        """The whole contract, as plain values."""
        older = version.startswith("v3.0")
        first = {"name": "a", "logicalType": "string", **self.column}
        table = {"name": "orders", "properties": [first, *self.more], **self.table}
        facts = {"id": "shop.orders", "version": "1.0.0", "status": "active"}
        whole = {"apiVersion": version, "kind": "DataContract", **facts, "schema": [table], **self.top}
        return _as_of_old(whole) if older else whole


def _as_of_old(value: Any) -> Any:
    """The same in the words of ODCS 3.0, which wrote `rule` for `metric` and had no timestamp beside date."""
    if isinstance(value, list):
        return [_as_of_old(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {("rule" if key == "metric" else key): _as_of_old(each) for key, each in value.items()}
    stamp = plain.get("physicalType") == "TIMESTAMP" and plain.get("logicalType") == "timestamp"
    return {**plain, "logicalType": "date"} if stamp else plain


def probes() -> Iterator[Probe]:
    """Every form, section by section, in the order of the page."""
    yield from _properties()
    yield from _options()
    yield from _nested()
    yield from _library()
    yield from _other_quality()
    yield from _relationships()
    yield from _service_levels()


def _properties() -> Iterator[Probe]:
    section = "Properties"
    yield Probe(section, "nothing at all")
    yield Probe(section, "`required: true`", {"required": True})
    yield Probe(section, "`unique: true`", {"unique": True})
    yield Probe(section, "`primaryKey: true`", {"primaryKey": True})
    second = {"name": "b", "logicalType": "integer", "primaryKey": True, "primaryKeyPosition": 2}
    yield Probe(
        section, "`primaryKeyPosition`, composite", {"primaryKey": True, "primaryKeyPosition": 1}, (second,)
    )
    yield Probe(section, "`enum`", {"enum": [{"value": "x"}, {"value": "y"}]})
    for physical in ("VARCHAR", "VARCHAR(50)", "NVARCHAR2(50)"):
        yield Probe(section, f"`physicalType: {physical}`", {"physicalType": physical})
    for physical in ("NUMBER(10,2)", "DECIMAL(10,2)"):
        yield Probe(
            section, f"`physicalType: {physical}`", {"logicalType": "number", "physicalType": physical}
        )
    yield Probe(section, "`physicalName` other than `name`", {"physicalName": "b"})
    yield Probe(section, "`semanticType: measure`", {"semanticType": "measure", "transformLogic": "sum(x)"})


#: A value for each option; by logicalType where it depends on it.
_SAMPLES: Mapping[str, Any] = {
    "minLength": 1,
    "maxLength": 9,
    "pattern": "^a",
    "multipleOf": 5,
    "timezone": True,
    "defaultTimezone": "Etc/UTC",
    "minItems": 1,
    "maxItems": 9,
    "uniqueItems": True,
    "minProperties": 1,
    "maxProperties": 2,
    "required": ["b"],
    "dimensions": 3,
    "elementType": "float32",
    "distanceMetric": "cosine",
    "normalized": True,
    "embeddingModel": "a-model",
    "embeddingModelVersion": "1",
}
_BOUNDS: Mapping[str, Any] = {
    "date": "2024-12-31",
    "timestamp": "2024-12-31T23:59:59",
    "time": "23:59:59",
    "integer": 10,
    "number": 10.5,
}
_COLUMNS: Mapping[str, Written] = {
    "array": {"items": {"logicalType": "string"}, "physicalType": "VARCHAR[]"},
    "object": {"properties": [{"name": "b", "logicalType": "string"}], "physicalType": "STRUCT(b VARCHAR)"},
}


def _options() -> Iterator[Probe]:
    """Options as the newest schema lists them, by logicalType."""
    section = "logicalTypeOptions"
    for logical, option, schema in _listed_options():
        if option == "format":
            yield from _formats(section, logical, schema)
            continue
        value = _BOUNDS.get(logical, 1) if "imum" in option else _SAMPLES.get(option, 1)
        column = {
            "logicalType": logical,
            **_COLUMNS.get(logical, {}),
            "logicalTypeOptions": {option: value, **({"dimensions": 3} if logical == "vector" else {})},
        }
        yield Probe(section, f"{logical}: `{option}`", column)
    old = {"maximum": 10, "exclusiveMaximum": True}
    yield Probe(
        section,
        "integer: `exclusiveMaximum: true` beside `maximum`",
        {"logicalType": "integer", "logicalTypeOptions": old},
    )


def _listed_options() -> Iterator[tuple[str, str, Written]]:
    for part in contract_schema(VERSIONS[-1])["$defs"]["SchemaBaseProperty"]["allOf"]:
        options = part.get("then", {}).get("properties", {}).get("logicalTypeOptions", {})
        for case in part.get("if", {}).get("anyOf") or [part.get("if", {})]:
            logical = case.get("properties", {}).get("logicalType", {}).get("const")
            for option, schema in options.get("properties", {}).items():
                yield str(logical), option, schema


def _formats(section: str, logical: str, schema: Written) -> Iterator[Probe]:
    ours = {
        "string": (*TEXT_FORMATS, *HINTS),
        "integer": tuple(INTEGER_FORMATS),
        "number": tuple(FLOAT_FORMATS),
    }
    for name in dict.fromkeys((*schema.get("examples", ()), *ours.get(logical, ()))):
        column = {"logicalType": logical, "logicalTypeOptions": {"format": name}}
        yield Probe(section, f"{logical}: `format: {name}`", column)


def _nested() -> Iterator[Probe]:
    section = "Nested values"
    inner = {"name": "b", "logicalType": "string", "required": True}
    for word, more in (
        ("required", {}),
        ("unique", {"required": False, "unique": True}),
        ("logicalTypeOptions", {"required": False, "logicalTypeOptions": {"maxLength": 3}}),
        ("quality", {"required": False, "quality": [{"metric": "nullValues", "mustBe": 0}]}),
    ):
        column = {**_COLUMNS["object"], "logicalType": "object", "properties": [{**inner, **more}]}
        yield Probe(section, f"object, `properties[].{word}`", column)
    for word, items in (
        ("logicalTypeOptions", {"logicalTypeOptions": {"maxLength": 3}}),
        ("enum", {"enum": [{"value": "x"}]}),
    ):
        column = {**_COLUMNS["array"], "logicalType": "array", "items": {"logicalType": "string", **items}}
        yield Probe(section, f"array, `items.{word}`", column)
    pair = {
        "key": {"logicalType": "string"},
        "value": {"logicalType": "string", "logicalTypeOptions": {"maxLength": 3}},
    }
    column = {"logicalType": "map", "physicalType": "MAP(VARCHAR, VARCHAR)", "map": pair}
    yield Probe(section, "map, `value.logicalTypeOptions`", column)


def _library() -> Iterator[Probe]:
    section = "Quality: library"
    arguments = {
        "missingValues": {"missingValues": [None, "", "n/a"]},
        "invalidValues": {"validValues": ["x", "y"]},
    }
    schema = contract_schema(VERSIONS[-1])["$defs"]["DataQualityLibrary"]
    for metric in schema["properties"]["metric"]["enum"]:
        for unit in ("rows", "percent"):
            rule = {"metric": metric, "mustBe": 0, "unit": unit}
            if metric in arguments:
                rule["arguments"] = arguments[metric]
            yield Probe(section, f"`{metric}` of a property, {unit}", {"quality": [rule]})
            if metric == "duplicateValues":
                rule = {**rule, "arguments": {"properties": ["a"]}}
            yield Probe(section, f"`{metric}` of the table, {unit}", table={"quality": [rule]})
    pattern = {"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "^a"}}
    yield Probe(section, "`invalidValues` with `pattern`", {"quality": [pattern]})
    yield Probe(section, "`rule: nullValues` (ODCS 3.0)", {"quality": [{"rule": "nullValues", "mustBe": 0}]})
    valid = {"rule": "validValues", "validValues": ["x"]}
    yield Probe(section, "`rule: validValues` (ODCS 3.0)", {"quality": [valid]})
    for operator in OPERATORS:
        bound: Any = [1, 9] if operator.endswith("Between") else 1
        yield Probe(
            section, f"operator `{operator}`", table={"quality": [{"metric": "rowCount", operator: bound}]}
        )


def _other_quality() -> Iterator[Probe]:
    section = "Quality: sql, text, custom"
    for names in (("{object}", "{property}"), ("${object}", "${property}"), ("${table}", "${column}")):
        query = f"select count(*) from {names[0]} where {names[1]} is null"
        rule = {"type": "sql", "query": query, "mustBe": 0}
        yield Probe(section, f"`sql` with `{names[0]}` and `{names[1]}`", {"quality": [rule]})
    other = {"type": "sql", "query": "select count(*) from {model}", "mustBe": 0}
    yield Probe(section, "`sql` with placeholders of other tools", table={"quality": [other]})
    said = {"type": "text", "description": "Looked at by a person."}
    yield Probe(section, "`text`", {"quality": [said]})
    digit = {
        "type": "custom",
        "engine": "mesh",
        "implementation": {"kind": "check_digit", "algorithm": "luhn"},
    }
    yield Probe(section, "`custom`, engine `mesh`", {"quality": [digit]})
    isin = {"check": "isin", "arguments": {"allowed_values": ["x"]}}
    yield Probe(
        section,
        "`custom`, engine `pandera`",
        {"quality": [{"type": "custom", "engine": "pandera", "implementation": isin}]},
    )
    for engine in ("soda", "greatExpectations", "dbt", "montecarlo"):
        rule = {"type": "custom", "engine": engine, "implementation": "anything"}
        yield Probe(section, f"`custom`, engine `{engine}`", {"quality": [rule]})
    for key, value in (("schedule", "0 20 * * *"), ("scheduler", "cron")):
        rule = {"metric": "nullValues", "mustBe": 0, key: value}
        yield Probe(section, f"`{key}` of a rule", {"quality": [rule]})


def _relationships() -> Iterator[Probe]:
    section = "Relationships"
    for form, to in (
        ("to the table itself, `object.property`", "orders.b"),
        ("to the table itself, `schema/<id>/properties/<id>`", "schema/orders/properties/b"),
        ("to the table itself, with a leading `/`", "/schema/orders/properties/b"),
        ("to a product of the domain, `object.property`", "customers.id"),
        ("to a product of any domain, `domain.product.column`", "geography.zip_area.zip5"),
        (
            "to a contract's file, `…/contract.yaml#/schema/…`",
            "../../geography/zip_area/contract.yaml#/schema/zip_area/properties/zip5",
        ),
        ("to a contract at a URL", "https://example.com/orders.yaml#/schema/orders/properties/b"),
        ("to a nested property", "orders.b.c"),
        ("to an object, not a property", "schema/orders"),
    ):
        key = {"name": "b", "logicalType": "string"}
        yield Probe(section, form, {"relationships": [{"to": to}]}, (key,))
    two = {"from": ["orders.a", "orders.b"], "to": ["hr.rep.a", "hr.rep.b"]}
    yield Probe(
        section,
        "of the table, composite",
        more=({"name": "b", "logicalType": "string"},),
        table={"relationships": [two]},
    )
    strange = {"to": "hr.rep.a", "type": "derivedFrom"}
    yield Probe(section, "`type` other than foreignKey", {"relationships": [strange]})


def _service_levels() -> Iterator[Probe]:
    section = "Service levels"
    stamps = ({"name": "at", "logicalType": "timestamp", "physicalType": "TIMESTAMP"},)
    values = {
        "timeOfAvailability": ("09:00-08:00", None),
        **dict.fromkeys(("generalAvailability", "endOfSupport", "endOfLife"), ("2032-05-12", None)),
        **dict.fromkeys(("availability", "errorRate"), (99.9, "percent")),
    }
    for name in READERS:
        value, unit = values.get(name, (4, "d"))
        level = {"property": name, "value": value, **({"unit": unit} if unit else {})}
        yield Probe(section, f"`{name}`", more=stamps, top={"slaProperties": [level]})
        if name in ("latency", "freshness", "frequency", "timeOfAvailability"):
            level = {**level, "element": "orders.at"}
            yield Probe(section, f"`{name}` of a column", more=stamps, top={"slaProperties": [level]})
    scheduled = {"property": "latency", "value": "P1D", "schedule": "0 20 * * *", "scheduler": "cron"}
    yield Probe(section, "`schedule` of a service level", top={"slaProperties": [scheduled]})
    yield Probe(section, "any other property", top={"slaProperties": [{"property": "beauty", "value": 1}]})
