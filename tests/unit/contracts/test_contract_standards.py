# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Contracts of every version that is read, and the fast road beside the standards' JSON schemas."""

from __future__ import annotations

import copy
import re
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts import Person
from mesh_assets.capabilities.contracts.document import parse
from mesh_assets.capabilities.contracts.shape import is_everyday_contract, is_everyday_domain
from mesh_assets.capabilities.contracts.standard import DOMAIN_VERSIONS, _bundled, _odcs_schema
from mesh_assets.words.errors import DocumentMalformed

OLD = """\
kind: DataContract
apiVersion: v3.0.2
id: shop.orders
version: 1.0.0
status: active
team:
  - {username: ann, role: Data Scientist, dateIn: "2022-08-02", dateOut: "2022-10-01", replacedByUsername: bea}
  - {username: bea, role: Owner, dateIn: "2022-10-01"}
support: [{channel: "#help", url: "https://chat.example.com/help"}]
price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte}
roles: [{role: reader, access: read}]
servers: [{server: dev, type: local, path: ./data, format: parquet}]
slaDefaultElement: orders.sold_at
slaProperties: [{property: latency, value: 4, unit: d, element: orders.sold_at}]
schema:
  - name: orders
    physicalType: table
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true, examples: [1, 2]}
      - {name: sold_at, logicalType: date, physicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01"}}
    quality: [{rule: rowCount, mustBeGreaterThan: 5, severity: error}]
"""


def test_a_contract_of_odcs_3_0_is_read_with_its_list_of_people(contract_of):
    contract = contract_of(OLD)

    assert contract.owners == (Person("bea", "owner"),)
    assert [(rule.id, rule.kind) for rule in contract.rules] == [
        ("columns_as_promised", "physical_types"),
        ("primary_key", "primary_key"),
        ("id_required", "required"),
        ("sold_at_minimum", "minimum"),
        ("row_count", "row_count"),
        ("sold_at_latency", "freshness"),
    ]


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2"])
def test_all_of_odcs_3_0_is_read(contract_of, version):
    assert contract_of(OLD.replace("v3.0.2", version)).api_version == version


def test_a_contract_of_odcs_3_1_takes_the_list_of_people_or_a_team(contract_of):
    text = OLD.replace("v3.0.2", "v3.1.0").replace("rule: rowCount", "metric: rowCount")
    text = text.replace("logicalType: date, physicalType: timestamp", "logicalType: timestamp")

    assert contract_of(text).owners == (Person("bea", "owner"),)


def test_what_odcs_3_2_adds_is_read_there_and_is_an_error_before(contract_of):
    text = OLD.replace("v3.0.2", "v3.2.0").replace("rule: rowCount", "metric: rowCount")
    text = text.replace("logicalType: date, physicalType: timestamp", "logicalType: timestamp")
    text = text.replace("examples: [1, 2]", "deprecated: true, synonyms: [{synonym: number}]")

    assert contract_of(text).columns[0].name == "id"
    with pytest.raises(DocumentMalformed, match=r"has the key `deprecated`, which ODCS v3.1.0 does not know"):
        contract_of(text.replace("v3.2.0", "v3.1.0"))


def test_a_property_without_logical_type_in_odcs_3_2_is_told_so(contract_of):
    text = "{apiVersion: v3.2.0, kind: DataContract, id: shop.orders, version: 1.0.0, status: active, "

    with pytest.raises(DocumentMalformed, match=r"has no `logicalType`\. Add it"):
        contract_of(text + "schema: [{name: orders, properties: [{name: a, physicalType: DATE}]}]}")


def test_the_second_reading_of_a_text_that_is_not_everyday_runs_no_schema(contract_of, monkeypatch):
    contract_of(OLD)
    monkeypatch.setattr(jsonschema.Draft201909Validator, "iter_errors", None)

    assert contract_of(OLD).api_version == "v3.0.2"


# -- the fast road ------------------------------------------------------------------------------------------------

_strange = st.sampled_from(
    [None, True, -1, 0, 1.5, "", "a", "no one", "x.y", "sql", [], [1, 1], {}, {"a": 1}]
)
_name = st.sampled_from(["a", "b", "orders"])
_names = st.lists(_name, max_size=1)
_whole = st.integers(0, 3)


def _mapping(needed: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(needed, optional=optional or {})


def _few(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(item, max_size=1)


_custom = _few(_mapping({"property": _name, "value": _strange}, {"description": _name}))
_said = {"name": _name, "description": _name, "severity": _name, "tags": _names, "customProperties": _custom}
_operator = st.one_of(
    _mapping({"mustBe": _strange}),
    _mapping({"mustBeLessThan": _whole}),
    _mapping({"mustBeBetween": st.just([1, 2])}),
)
_measured = st.one_of(
    _mapping(
        {"metric": st.sampled_from(["nullValues", "rowCount"])},
        {**_said, "type": st.just("library"), "arguments": st.just({"a": 1}), "unit": _name},
    ),
    _mapping({"type": st.just("sql"), "query": _name}, {**_said, "dimension": st.just("accuracy")}),
)
_rule = st.one_of(
    st.tuples(_measured, _operator).map(lambda two: two[0] | two[1]),
    _mapping({"type": st.just("text")}, _said),
    _mapping(
        {
            "type": st.just("custom"),
            "engine": _name,
            "implementation": st.one_of(_name, st.just({"kind": "expression", "mustBe": 1})),
        },
        {**_said, "dimension": st.just("accuracy"), "schedule": _name},
    ),
)
_dates = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"), _name)
_moments = {**_dates, "timezone": st.booleans(), "defaultTimezone": _name}
_bounds = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers())
_OPTIONS: dict[str, dict[str, Any]] = {
    "string": {"minLength": _whole, "maxLength": _whole, "pattern": _name, "format": _name},
    "date": _dates,
    **dict.fromkeys(("timestamp", "time"), _moments),
    "integer": {**_bounds, "multipleOf": st.integers(1, 3), "format": st.sampled_from(["i8", "u128"])},
    "number": {**_bounds, "multipleOf": st.integers(1, 3), "format": st.just("f64")},
    "object": {"minProperties": _whole, "maxProperties": _whole, "required": st.just(["a", "b"])},
    "array": {"minItems": _whole, "maxItems": _whole, "uniqueItems": st.booleans()},
}
_texts = ("physicalName", "physicalType", "businessName", "description", "classification", "transformLogic")
_entry = _mapping({"value": st.sampled_from(["a", 1, None])}, {"label": _name, "description": _name})


def _parts(logical: str, newest: bool, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """What a property of this kind holds beside what every property has."""
    if logical == "object":
        return {"properties": st.lists(inner, max_size=2)}
    if logical == "array":
        return {"items": inner}
    return {"enum": st.lists(_entry, min_size=1, max_size=1)} if newest else {}


def _property_of(logical: str, newest: bool, inner: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
    needed = {"name": _name, "logicalType": st.just(logical)}
    if logical == "map":
        needed["map"] = _mapping({"key": inner, "value": inner})
    options = {"logicalTypeOptions": _mapping({}, _OPTIONS[logical])} if logical in _OPTIONS else {}
    return _mapping(
        needed,
        {
            **dict.fromkeys(_texts, _name),
            **dict.fromkeys(
                ("required", "unique", "primaryKey", "partitioned", "criticalDataElement"), st.booleans()
            ),
            **dict.fromkeys(("primaryKeyPosition", "partitionKeyPosition"), _whole),
            **options,
            **(_parts(logical, newest, inner) if inner is not None else {}),
            "quality": _few(_rule),
            "relationships": _few(_mapping({"to": st.just("x.y.z")}, {"type": st.just("foreignKey")})),
            "examples": _few(_strange),
            "tags": _names,
            "customProperties": _custom,
        },
    )


def _property(newest: bool) -> st.SearchStrategy[Any]:
    flat = st.sampled_from(sorted(_OPTIONS)).flatmap(lambda logical: _property_of(logical, newest, None))
    kinds = [*sorted(_OPTIONS), *(["map"] if newest else [])]
    return st.sampled_from(kinds).flatmap(lambda logical: _property_of(logical, newest, flat))


_pair = _mapping({"from": st.just(["x.y"]), "to": st.just(["x.y.z"])}, {"customProperties": _custom})


def _table(newest: bool) -> st.SearchStrategy[Any]:
    texts = ("physicalName", "physicalType", "description", "dataGranularityDescription")
    return _mapping(
        {"name": _name, "properties": st.lists(_property(newest), min_size=1, max_size=2)},
        {
            **dict.fromkeys(texts, _name),
            "logicalType": st.just("object"),
            "quality": _few(_rule),
            "relationships": _few(_pair),
            "tags": _names,
        },
    )


_member = _mapping(
    {"username": _name}, dict.fromkeys(("name", "role", "description", "dateIn", "dateOut"), _name)
)
_about = {
    **dict.fromkeys(("name", "domain", "tenant"), _name),
    "description": _mapping({}, dict.fromkeys(("purpose", "usage", "limitations"), _name)),
    "tags": _names,
    "team": _mapping({}, {"name": _name, "description": _name, "members": _few(_member), "tags": _names}),
    "support": _few(
        _mapping({"channel": _name, "url": _name}, dict.fromkeys(("tool", "scope", "description"), _name))
    ),
    "customProperties": _custom,
}
_sla = _mapping(
    {"property": _name, "value": _whole}, dict.fromkeys(("unit", "element", "driver", "description"), _name)
)
contracts = st.sampled_from(["v3.1.0", "v3.2.0"]).flatmap(
    lambda version: _mapping(
        {
            "apiVersion": st.just(version),
            "kind": st.just("DataContract"),
            **dict.fromkeys(("id", "version", "status"), _name),
            "schema": st.lists(_table(newest=version == "v3.2.0"), min_size=1, max_size=1),
        },
        {**_about, "slaProperties": _few(_sla)},
    )
)
_port = _mapping(dict.fromkeys(("name", "version", "contractId"), _name))
_out = _mapping(
    dict.fromkeys(("name", "version"), _name), dict.fromkeys(("contractId", "type", "description"), _name)
)
domains = _mapping(
    {
        "apiVersion": st.sampled_from(DOMAIN_VERSIONS),
        "kind": st.just("DataProduct"),
        **dict.fromkeys(("id", "status"), _name),
    },
    {**_about, "version": _name, "inputPorts": _few(_port), "outputPorts": _few(_out)},
)


def _slots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document, as its mapping or list and the key or position in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [slot for key, inner in inside for slot in ((value, key), *_slots(inner))]


def _spoilt(draw: Any, document: Any) -> Any:
    """The document with one value exchanged, one key gone or one key too many."""
    document = copy.deepcopy(document)
    holder, key = draw(st.sampled_from(_slots(document)))
    what = draw(st.sampled_from(["exchange", "remove", "add"]))
    if what == "exchange":
        holder[key] = draw(_strange)
    elif what == "remove":
        del holder[key]
    elif isinstance(holder, dict):
        words = [
            "minLength",
            "from",
            "query",
            "metric",
            "mustBeLessThan",
            "enum",
            "items",
            "id",
            "requred",
            "schedule",
        ]
        holder[draw(st.sampled_from(words))] = draw(_strange)
    return document


def _faults(document: Any, schema: Any) -> list[Any]:
    return list(jsonschema.Draft201909Validator(schema).iter_errors(document))


@settings(max_examples=150, deadline=None)
@given(contracts)
def test_everyday_contracts_take_the_fast_road_and_the_standard_takes_them_too(document):
    assert is_everyday_contract(document)
    assert _faults(document, _odcs_schema(document["apiVersion"])) == []


@settings(max_examples=300, deadline=None)
@given(contracts, st.data())
def test_the_fast_road_takes_no_contract_that_the_standard_refuses(document, data):
    spoilt = _spoilt(data.draw, document)

    if is_everyday_contract(spoilt):
        assert _faults(spoilt, _odcs_schema(spoilt["apiVersion"])) == []


@settings(max_examples=150, deadline=None)
@given(domains, st.data())
def test_the_fast_road_takes_no_domain_that_the_standard_refuses(document, data):
    assert is_everyday_domain(document)
    for one in (document, _spoilt(data.draw, document)):
        if is_everyday_domain(one):
            assert _faults(one, _bundled(f"odps-{one['apiVersion'][1:]}")) == []


# -- places -------------------------------------------------------------------------------------------------------

# PyYAML's writer loses some of Unicode's line separators between quotes; what is read here is not at fault.
_text = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" \n"), max_size=6)
_keys = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=4).filter(
    lambda text: not re.fullmatch(r"\d+[eE]\d+", text)
)
_json = st.recursive(
    # PyYAML writes the text 0E0 without quotes, which other readers take for a number: it is refused here.
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**6), 10**6),
        _text.filter(lambda text: not re.fullmatch(r"\d+[eE]\d+", text)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(_keys, _json, min_size=1, max_size=4), st.booleans())
def test_what_is_written_as_yaml_is_read_as_it_was(value, flow):
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)

    assert parse("x.yaml", text).value == value


@settings(deadline=None)
@given(
    st.dictionaries(st.from_regex(r"k[a-z]{1,6}", fullmatch=True), st.integers(0, 9), min_size=1, max_size=6)
)
def test_every_value_has_the_line_and_column_where_it_is_written(value):
    text = yaml.safe_dump({"outer": value, "list": [value]}, sort_keys=False)
    document = parse("x.yaml", text)

    for key, number in value.items():
        for path in (("outer", key), ("list", 0, key)):
            at_key, at_value = document.place(path, key=True), document.place(path)
            assert text.splitlines()[at_key.line - 1][at_key.column - 1 :].startswith(key)
            assert text.splitlines()[at_value.line - 1][at_value.column - 1 :] == str(number)
