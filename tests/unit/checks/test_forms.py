# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Every form of a property, as a contract writes it, against planted data: counted to the row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.words.rules import Outcome, RuleResult
from tests.unit.checks.conftest import one_column

HEAD = "apiVersion: {version}\nkind: DataContract\nid: shop.orders\nversion: 1.0.0\nstatus: active\nschema:\n  - name: orders\n    properties:\n"

Judge = Callable[..., dict[str, RuleResult]]


@pytest.fixture
def judged(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Judge:
    """The results by rule of a contract with these properties, over a relation."""

    def judge(
        relation: str, *properties: str, version: str = "v3.2.0", table: str = ""
    ) -> dict[str, RuleResult]:
        file = tmp_path / "shop" / "orders" / "contract.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        written = "".join(f"      - {each}\n" for each in properties) + (f"    {table}\n" if table else "")
        file.write_text(HEAD.format(version=version) + written, encoding="utf-8")
        contract = read_contract(file)
        return {result.rule.id: result for result in audit(con, relation, contract).results}

    return judge


def _long(local: int, domain: str = "x.org") -> str:
    return f"'{'a' * local}@{domain}'"


#: what the property x says, stored type, values, the rule, failing rows. A null is in every column, and breaks none of these.
FORMS: list[tuple[str, str, list[str], str, int]] = [
    # text: length in code points, patterns of ECMA 262
    ("logicalType: string, logicalTypeOptions: {minLength: 2}", "VARCHAR", ["'a'", "''", "'ab'", "'é'", "'éé'"], "x_min_length", 3),
    ("logicalType: string, logicalTypeOptions: {maxLength: 1}", "VARCHAR", ["'a'", "''", "'ab'", "'😀'"], "x_max_length", 1),
    ("logicalType: string, logicalTypeOptions: {pattern: '^\\d+$'}", "VARCHAR", ["'12'", "'١٢'", "''", "E'1\\n'"], "x_pattern", 3),
    ("logicalType: string, logicalTypeOptions: {pattern: '^\\s$'}", "VARCHAR", ["' '", "chr(160)", "chr(65279)", "'x'"], "x_pattern", 1),
    ("logicalType: string, logicalTypeOptions: {pattern: 'a.b'}", "VARCHAR", ["'axb'", "E'a\\rb'", "E'a\\nb'", "'a' || chr(8232) || 'b'"], "x_pattern", 3),
    ("logicalType: string, logicalTypeOptions: {pattern: '^[\\w-]+$'}", "VARCHAR", ["'a-b_1'", "'é'", "'a b'"], "x_pattern", 2),
    ("logicalType: string, logicalTypeOptions: {pattern: '^[^]{2}$'}", "VARCHAR", ["E'\\n\\n'", "'a'"], "x_pattern", 1),
    ("logicalType: string, logicalTypeOptions: {pattern: '^(?<year>[0-9]{4})\\u002d'}", "VARCHAR", ["'2024-1'", "'2024'"], "x_pattern", 1),
    ("logicalType: string, logicalTypeOptions: {pattern: '^\\p{Lu}'}", "VARCHAR", ["'Ä'", "'ä'"], "x_pattern", 1),
    ("logicalType: string, physicalType: varchar(2)", "VARCHAR", ["'abc'", "'ab'", "''"], "x_length", 1),
    ("logicalType: array, items: {logicalType: string, physicalType: VARCHAR(1)}", "VARCHAR[]", ["['a', 'bc']", "['a']"], "x__items_length", 1),
    # named formats of text
    ("logicalType: string, logicalTypeOptions: {format: email}", "VARCHAR", ["'a.b+c@x.example.org'", "'a@b'", "'a@[127.0.0.1]'", "'\"a b\"@x.org'", _long(64)], "x_format", 0),
    ("logicalType: string, logicalTypeOptions: {format: email}", "VARCHAR", ["'a'", "''", "'@b'", "'a@'", "'a..b@c'", "'a b@c'", "'a@-b.c'", "'é@b.c'", "'a@b_c'", "'a@[256.1.1.1]'", _long(65), _long(64, "b" * 190 + ".org")], "x_format", 12),
    ("logicalType: string, logicalTypeOptions: {format: uuid}", "VARCHAR", ["'123e4567-e89b-12d3-a456-426614174000'", "'123E4567-E89B-12D3-A456-426614174000'", "'{123e4567-e89b-12d3-a456-426614174000}'", "'123e4567e89b12d3a456426614174000'", "''"], "x_format", 3),
    ("logicalType: string, physicalType: UUID, logicalTypeOptions: {format: uuid}", "UUID", ["'123e4567-e89b-12d3-a456-426614174000'"], "x_format", 0),
    ("logicalType: string, logicalTypeOptions: {format: uri}", "VARCHAR", ["'https://a.example/b?c=d#e'", "'urn:isbn:1'", "'mailto:a@b.c'", "'http://[::1]:80/'", "'file:///x'", "'/a'", "'//a/b'", "'http://a b'", "'http://a/%2'", "'http://a/é'", "''"], "x_format", 6),
    ("logicalType: string, logicalTypeOptions: {format: hostname}", "VARCHAR", ["'a'", "'a-b.example'", "'1.2'", f"'{'x' * 63}'", f"'{'x' * 64}'", "'-a'", "'a-'", "'a..b'", "'a.'", "'a_b'", f"'{'.'.join(['x' * 60] * 5)}'"], "x_format", 7),
    ("logicalType: string, logicalTypeOptions: {format: ipv4}", "VARCHAR", ["'0.0.0.0'", "'255.255.255.255'", "'256.1.1.1'", "'01.2.3.4'", "'1.2.3'", "'1.2.3.4 '"], "x_format", 4),
    ("logicalType: string, logicalTypeOptions: {format: ipv6}", "VARCHAR", ["'::'", "'::1'", "'1:2:3:4:5:6:7:8'", "'1::8'", "'::ffff:1.2.3.4'", "'1:2:3:4:5:6:7::'", "'1:2:3:4:5:6:7'", "'1::2::3'", "'12345::'", "'fe80::1%eth0'", "'1:2:3:4:5:6:7:8:9'"], "x_format", 5),
    ("logicalType: string, logicalTypeOptions: {format: byte}", "VARCHAR", ["''", "'YQ=='", "'YWI='", "'YWJj'", "'YQ='", "'Y'", "'YW-j'", "'YW Jj'"], "x_format", 4),
    # formats of numbers
    ("logicalType: integer, logicalTypeOptions: {format: i8}", "BIGINT", ["-129", "-128", "127", "128"], "x_format", 2),
    ("logicalType: integer, logicalTypeOptions: {format: i32}", "BIGINT", ["-2147483649", "2147483647", "2147483648"], "x_format", 2),
    ("logicalType: integer, logicalTypeOptions: {format: u16}", "BIGINT", ["-1", "0", "65535", "65536"], "x_format", 2),
    ("logicalType: integer, logicalTypeOptions: {format: i16}", "BIGINT", ["-32769", "-32768", "32767", "32768"], "x_format", 2),
    ("logicalType: integer, logicalTypeOptions: {format: u8}", "BIGINT", ["-1", "0", "255", "256"], "x_format", 2),
    ("logicalType: integer, logicalTypeOptions: {format: u32}", "BIGINT", ["-1", "4294967295", "4294967296"], "x_format", 2),
    ("logicalType: integer, physicalType: 'DECIMAL(38,0)', logicalTypeOptions: {format: u64}", "DECIMAL(38,0)", ["-1", "18446744073709551615", "18446744073709551616"], "x_format", 2),
    ("logicalType: integer, physicalType: 'DECIMAL(38,0)', logicalTypeOptions: {format: i128}", "DECIMAL(38,0)", ["-1", "99999999999999999999999999999999999999"], "x_format", 0),
    ("logicalType: integer, logicalTypeOptions: {format: i64}", "BIGINT", ["-9223372036854775808", "9223372036854775807"], "x_format", 0),
    ("logicalType: integer, logicalTypeOptions: {format: u128}", "BIGINT", ["-1", "0"], "x_format", 1),
    ("logicalType: integer, physicalType: 'DECIMAL(38,0)', logicalTypeOptions: {format: i64}", "DECIMAL(38,0)", ["9223372036854775808", "9223372036854775807", "-9223372036854775809"], "x_format", 2),
    ("logicalType: number, logicalTypeOptions: {format: f32}", "DOUBLE", ["0.5", "0.1", "1e300", "'nan'", "'inf'", "-0.0", "16777217"], "x_format", 3),
    ("logicalType: number, logicalTypeOptions: {format: f64}", "DOUBLE", ["0.1", "'nan'"], "x_format", 0),
    # formats of dates and times: in text
    ("logicalType: date, physicalType: VARCHAR, logicalTypeOptions: {format: dd/MM/yyyy}", "VARCHAR", ["'29/02/2024'", "'29/02/2023'", "'1/02/2024'", "'2024-02-29'", "''", "'01/13/2024'"], "x_format", 5),
    ("logicalType: date, physicalType: VARCHAR, logicalTypeOptions: {format: d MMM yy}", "VARCHAR", ["'3 Feb 24'", "'03 Feb 24'", "'3 feb 24'", "'30 Feb 24'", "'3 February 24'"], "x_format", 4),
    ("logicalType: timestamp, physicalType: VARCHAR, logicalTypeOptions: {format: \"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\", timezone: true}", "VARCHAR", ["'2024-02-03T10:11:12.123Z'", "'2024-02-03T10:11:12.123+02:00'", "'2024-02-03T10:11:12.123+0200'", "'2024-02-03T10:11:12Z'", "'2024-02-03T24:00:00.000Z'"], "x_format", 3),
    ("logicalType: timestamp, physicalType: VARCHAR, logicalTypeOptions: {format: 'yyyy-MM-ddTHH:mm:ssZ'}", "VARCHAR", ["'2024-02-03T10:11:12+0200'", "'2024-02-03T10:11:12Z'"], "x_format", 1),
    ("logicalType: time, physicalType: VARCHAR, logicalTypeOptions: {format: 'hh:mm a'}", "VARCHAR", ["'10:11 PM'", "'13:11 PM'", "'10:11'"], "x_format", 2),
    # formats of dates and times: as stored, nothing is lost when they are written so
    ("logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}", "DATE", ["'2024-01-01'", "'infinity'", "'0044-03-15 (BC)'", "'10000-01-01'"], "x_format", 3),
    ("logicalType: date, logicalTypeOptions: {format: dd.MM.yy}", "DATE", ["'2024-01-01'", "'1999-12-31'", "'2100-01-01'"], "x_format", 2),
    ("logicalType: timestamp, logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm:ss'}", "TIMESTAMP", ["'2024-01-01 10:11:12'", "'2024-01-01 10:11:12.5'", "'1969-12-31 23:59:59.5'"], "x_format", 2),
    ("logicalType: timestamp, logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm:ss.SSS'}", "TIMESTAMP", ["'2024-01-01 10:11:12.123'", "'2024-01-01 10:11:12.1234'"], "x_format", 1),
    ("logicalType: timestamp, logicalTypeOptions: {format: yyyy-MM-dd}", "TIMESTAMP", ["'2024-01-01'", "'2024-01-01 00:00:01'"], "x_format", 1),
    ("logicalType: timestamp, physicalType: TIMESTAMP_NS, logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm:ss.SSSSSS'}", "TIMESTAMP_NS", ["'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000000001'"], "x_format", 1),
    ("logicalType: time, logicalTypeOptions: {format: 'HH:mm'}", "TIME", ["'10:11'", "'10:11:12'"], "x_format", 1),
    # bounds, also of what a text says, and in a zone
    ("logicalType: time, logicalTypeOptions: {minimum: '12:00:00'}", "TIME", ["'12:00:00'", "'11:59:59.999999'"], "x_minimum", 1),
    ("logicalType: time, logicalTypeOptions: {maximum: '12:00:00'}", "TIME", ["'12:00:00'", "'12:00:00.000001'"], "x_maximum", 1),
    ("logicalType: time, logicalTypeOptions: {exclusiveMinimum: '12:00:00'}", "TIME", ["'12:00:00'", "'12:00:00.000001'"], "x_exclusive_minimum", 1),
    ("logicalType: time, logicalTypeOptions: {exclusiveMaximum: '12:00:00'}", "TIME", ["'12:00:00'", "'11:59:59.999999'"], "x_exclusive_maximum", 1),
    ("logicalType: date, physicalType: VARCHAR, logicalTypeOptions: {format: dd/MM/yyyy, minimum: '2024-02-01'}", "VARCHAR", ["'31/01/2024'", "'01/02/2024'", "'never'", "'1/1/2020'"], "x_minimum", 1),
    ("logicalType: timestamp, physicalType: VARCHAR, logicalTypeOptions: {format: yyyy-MM-dd HH:mmXXX, maximum: '2024-01-01T00:00:00Z'}", "VARCHAR", ["'2024-01-01 01:00+01:00'", "'2024-01-01 01:00Z'"], "x_maximum", 1),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: true, defaultTimezone: Australia/Sydney, minimum: '2024-01-01T00:00:00'}", "TIMESTAMPTZ", ["'2023-12-31 13:00:00+00'", "'2023-12-31 12:59:59+00'"], "x_minimum", 1),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: true, minimum: '2024-01-01T00:00:00'}", "TIMESTAMPTZ", ["'2024-01-01 00:00:00+00'", "'2023-12-31 23:59:59+00'"], "x_minimum", 1),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: false, defaultTimezone: Europe/Berlin, maximum: '2024-01-01T00:00:00Z'}", "TIMESTAMP", ["'2024-01-01 01:00:00'", "'2024-01-01 01:00:01'"], "x_maximum", 1),
    # lists
    ("logicalType: array, items: {logicalType: integer}, logicalTypeOptions: {minItems: 2}", "BIGINT[]", ["[]", "[1]", "[1, NULL]", "[1, 2]"], "x_min_items", 2),
    ("logicalType: array, physicalType: 'INTEGER[]', logicalTypeOptions: {maxItems: 1}", "INTEGER[]", ["[]", "[1]", "[1, NULL]"], "x_max_items", 1),
    ("logicalType: array, items: {logicalType: string}, logicalTypeOptions: {uniqueItems: true}", "VARCHAR[]", ["['a', 'b']", "['a', 'a']", "[NULL, NULL]", "[]", "['a', NULL, 'a']"], "x_unique_items", 2),
    ("logicalType: array, items: {logicalType: number}, logicalTypeOptions: {uniqueItems: true}", "DOUBLE[]", ["[0.0, -0.0]", "['nan'::DOUBLE, 'nan'::DOUBLE]", "['nan'::DOUBLE, 1]", "[1, 2, NULL]"], "x_unique_items", 2),
    ("logicalType: array, physicalType: 'STRUCT(a INTEGER)[]', logicalTypeOptions: {uniqueItems: true}", "STRUCT(a INTEGER)[]", ["[{'a': 1}, {'a': 1}]", "[{'a': 1}, {'a': 2}]"], "x_unique_items", 1),
    ("logicalType: vector, logicalTypeOptions: {dimensions: 2}", "FLOAT[]", ["[1, 2]", "[1]", "[1, NULL]", "[1, 2, 3]"], "x_dimensions", 3),
    # objects: a property that is null is not there
    ("logicalType: object, physicalType: 'STRUCT(a INTEGER, b INTEGER)', logicalTypeOptions: {minProperties: 1}", "STRUCT(a INTEGER, b INTEGER)", ["{'a': 1, 'b': NULL}", "{'a': NULL, 'b': NULL}"], "x_min_properties", 1),
    ("logicalType: object, physicalType: 'STRUCT(a INTEGER, b INTEGER)', logicalTypeOptions: {maxProperties: 1}", "STRUCT(a INTEGER, b INTEGER)", ["{'a': 1, 'b': NULL}", "{'a': 1, 'b': 2}"], "x_max_properties", 1),
    ("logicalType: object, properties: [{name: a, logicalType: string}, {name: b, logicalType: integer}], logicalTypeOptions: {required: [a, b]}", "STRUCT(a VARCHAR, b BIGINT)", ["{'a': '', 'b': 1}", "{'a': NULL, 'b': 1}", "{'a': NULL, 'b': NULL}"], "x_required_properties", 2),
    # enumerations
    ("logicalType: string, enum: [{value: a}, {value: ''}]", "VARCHAR", ["'a'", "''", "'A'"], "x_enum", 1),
    ("logicalType: integer, enum: [{value: 1}]", "BIGINT", ["1", "2"], "x_enum", 1),
    ("logicalType: boolean, enum: [{value: true}]", "BOOLEAN", ["TRUE", "FALSE"], "x_enum", 1),
    # inside of objects
    ("logicalType: object, properties: [{name: zip, logicalType: string, required: true}]", "STRUCT(zip VARCHAR)", ["{'zip': NULL}", "{'zip': ''}"], "x__zip_required", 1),
    ("logicalType: object, properties: [{name: zip, logicalType: string, logicalTypeOptions: {pattern: '^[0-9]{5}$'}}]", "STRUCT(zip VARCHAR)", ["{'zip': NULL}", "{'zip': '1234'}", "{'zip': '12345'}"], "x__zip_pattern", 1),
    ("logicalType: object, properties: [{name: zip, logicalType: string, unique: true}]", "STRUCT(zip VARCHAR)", ["{'zip': 'a'}", "{'zip': 'a'}", "{'zip': NULL}", "{'zip': NULL}", "{'zip': 'b'}"], "x__zip_unique", 2),
    ("logicalType: object, properties: [{name: a, logicalType: object, properties: [{name: b, logicalType: integer, logicalTypeOptions: {minimum: 1}}]}]", "STRUCT(a STRUCT(b BIGINT))", ["{'a': {'b': 0}}", "{'a': {'b': 1}}", "{'a': NULL}"], "x__a__b_minimum", 1),
    ("logicalType: object, properties: [{name: zip, logicalType: string, enum: [{value: a}]}]", "STRUCT(zip VARCHAR)", ["{'zip': 'a'}", "{'zip': 'b'}"], "x__zip_enum", 1),
    # inside of arrays: a row counts once
    ("logicalType: array, items: {logicalType: integer, required: true}", "BIGINT[]", ["[1, NULL, NULL]", "[]", "[1]"], "x__items_required", 1),
    ("logicalType: array, items: {logicalType: integer, logicalTypeOptions: {minimum: 0}}", "BIGINT[]", ["[-1, -2]", "[0]", "[NULL]", "[]"], "x__items_minimum", 1),
    ("logicalType: array, items: {logicalType: array, items: {logicalType: integer, logicalTypeOptions: {maximum: 9}}}", "BIGINT[][]", ["[[1], [10]]", "[[1], NULL]", "[[9]]"], "x__items__items_maximum", 1),
    ("logicalType: array, items: {logicalType: object, properties: [{name: sku, logicalType: string, required: true}]}", "STRUCT(sku VARCHAR)[]", ["[{'sku': 'a'}, {'sku': NULL}]", "[NULL]", "[{'sku': 'a'}]"], "x__items__sku_required", 1),
    ("logicalType: array, items: {logicalType: object, properties: [{name: sku, logicalType: string, unique: true}]}", "STRUCT(sku VARCHAR)[]", ["[{'sku': 'a'}, {'sku': 'b'}]", "[{'sku': 'a'}]", "[{'sku': 'c'}, {'sku': 'c'}]", "[{'sku': NULL}, {'sku': NULL}]", "[{'sku': 'd'}]"], "x__items__sku_unique", 3),
    ("logicalType: array, items: {logicalType: string, logicalTypeOptions: {format: ipv4}}", "VARCHAR[]", ["['1.2.3.4', 'x']", "['1.2.3.4']"], "x__items_format", 1),
    ("logicalType: array, items: {logicalType: array, items: {logicalType: integer}, logicalTypeOptions: {minItems: 1}}", "BIGINT[][]", ["[[1], []]", "[[1]]", "[]"], "x__items_min_items", 1),
    # inside of maps
    ("logicalType: map, map: {key: {logicalType: string, logicalTypeOptions: {pattern: '^[a-z]+$'}}, value: {logicalType: integer}}", "MAP(VARCHAR, BIGINT)", ["MAP {'a': 1}", "MAP {'A': 1}", "MAP {}"], "x__key_pattern", 1),
    ("logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}}", "MAP(VARCHAR, BIGINT)", ["MAP {'a': -1, 'b': -2}", "MAP {'a': 0}", "MAP {'a': NULL}"], "x__value_minimum", 1),
    ("logicalType: map, map: {key: {logicalType: string}, value: {logicalType: array, items: {logicalType: number, logicalTypeOptions: {exclusiveMaximum: 1}}}}", "MAP(VARCHAR, DOUBLE[])", ["MAP {'a': [0.5], 'b': [1]}", "MAP {'a': [0.5]}"], "x__value__items_exclusive_maximum", 1),
]  # fmt: skip


@pytest.mark.parametrize(("says", "stored", "values", "rule", "failing"), FORMS)
def test_planted_violations_of_every_form_are_counted_to_the_row(
    judged: Judge, says: str, stored: str, values: list[str], rule: str, failing: int
) -> None:
    results = judged(one_column(stored, *values, "NULL"), f"{{name: x, {says}}}")

    found = results[rule]
    assert (found.failed_rows, found.outcome) == (failing, Outcome.FAILED if failing else Outcome.PASSED), (
        found
    )
    assert len(found.sample) == min(failing, 20)
    assert results["columns_as_promised"].outcome is Outcome.PASSED, results["columns_as_promised"]


@pytest.mark.parametrize(("says", "stored", "rule"), [(form[0], form[1], form[3]) for form in FORMS])
def test_an_empty_table_breaks_no_form_and_is_refused_as_empty(
    judged: Judge, says: str, stored: str, rule: str
) -> None:
    results = judged(one_column(stored), f"{{name: x, {says}}}")

    assert results[rule].outcome is Outcome.PASSED
    assert results["row_count_above_zero"].outcome is Outcome.FAILED


#: quality rule inside of lines[].sku, measured value, failing rows; over four rows.
INSIDE = [
    ("{metric: nullValues, mustBe: 0}", "2", 2),
    ("{metric: nullValues, mustBeLessOrEqualTo: 50, unit: percent}", "50%", 0),
    ("{metric: nullValues, mustBeLessThan: 50, unit: percent}", "50%", 2),
    ("{metric: missingValues, arguments: {missingValues: [null, '']}, mustBe: 0}", "3", 3),
    ("{metric: invalidValues, arguments: {validValues: [a, '']}, mustBe: 0}", "1", 1),
    ("{metric: invalidValues, arguments: {pattern: '^[a-z]$'}, mustBeBetween: [0, 1]}", "1", 0),
    ("{metric: invalidValues, arguments: {validValues: [a, b, ''], pattern: '^[a-z]$'}, mustBe: 0}", "1", 1),
    ("{metric: duplicateValues, mustBeLessThan: 2}", "2", 2),
    ("{metric: duplicateValues, mustBeLessOrEqualTo: 50, unit: percent}", "50%", 0),
]  # fmt: skip


@pytest.mark.parametrize(("quality", "value", "failing"), INSIDE)
def test_library_metrics_count_rows_also_inside_of_arrays(
    judged: Judge, quality: str, value: str, failing: int
) -> None:
    rows = [
        "[{'sku': 'a'}, {'sku': NULL}]",
        "[{'sku': NULL}]",
        "[{'sku': ''}, {'sku': 'b'}]",
        "[{'sku': 'a'}]",
    ]
    sku = f"{{name: sku, logicalType: string, quality: [{quality}]}}"
    lines = f"{{name: x, logicalType: array, items: {{logicalType: object, properties: [{sku}]}}}}"

    result = next(
        found
        for name, found in judged(one_column("STRUCT(sku VARCHAR)[]", *rows), lines).items()
        if name.startswith("x__items__sku_")
    )

    assert (result.value, result.failed_rows) == (value, failing), result
    assert result.outcome is (Outcome.FAILED if failing else Outcome.PASSED)


def test_the_bounds_of_odcs_3_0_are_strict_where_a_flag_says_so(judged: Judge) -> None:
    strict = "{name: x, logicalType: integer, logicalTypeOptions: {minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false}}"

    results = judged(one_column("BIGINT", "1", "2", "3", "4"), strict, version="v3.0.2")

    assert results["x_exclusive_minimum"].failed_rows == 1
    assert results["x_maximum"].failed_rows == 1


def test_a_format_that_no_text_can_break_is_documentation_and_no_rule(judged: Judge) -> None:
    results = judged(
        one_column("VARCHAR", "''"), "{name: x, logicalType: string, logicalTypeOptions: {format: password}}"
    )

    assert list(results) == ["columns_as_promised", "row_count_above_zero"]
