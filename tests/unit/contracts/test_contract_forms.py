# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""What a property may say and how it is refused; columns inside of columns, types, patterns, formats of dates.

The forms that are run stand with planted data in tests/unit/checks/test_forms.py.
"""

from __future__ import annotations

import re

import pytest

from mesh_assets.capabilities.contracts.moments import FormatRefused, moment_format
from mesh_assets.capabilities.contracts.patterns import PatternMalformed, PatternRefused, plain_pattern
from mesh_assets.words.errors import DocumentMalformed, RuleRefused

HEAD = "apiVersion: {version}\nkind: DataContract\nid: shop.orders\nversion: 1.0.0\nstatus: active\nschema:\n  - name: orders\n    properties:\n"
#: The line on which the first property stands.
LINE = 9


def _contract(*properties: str, version: str = "v3.2.0") -> str:
    return HEAD.format(version=version) + "".join(f"      - {each}\n" for each in properties)


#: what the property a says, what the error says, the text at the place that it names.
REFUSED = [
    # options of another type
    ("logicalType: boolean, logicalTypeOptions: {minLength: 1}", "is of logicalType boolean, which has no option `minLength`", "minLength"),
    ("logicalType: map, map: {key: {logicalType: string}, value: {logicalType: string}}, logicalTypeOptions: {minProperties: 1}", "is of logicalType map, which has no option `minProperties`", "minProperties"),
    ("logicalType: string, physicalType: UUID, logicalTypeOptions: {minLength: 1}", "is stored as UUID, and `minLength` is about text", "minLength"),
    # formats
    ("logicalType: string, logicalTypeOptions: {format: e-mail}", "the format 'e-mail', which the mesh does not know. Did you mean email?", "e-mail"),
    ("logicalType: string, physicalType: BLOB, logicalTypeOptions: {format: email}", "is stored as BLOB, and `format` is about text", "format"),
    ("logicalType: number, physicalType: 'DECIMAL(9,2)', logicalTypeOptions: {format: f64}", "is stored as DECIMAL(9,2), and f64 is a binary float", "f64"),
    ("logicalType: date, logicalTypeOptions: {format: YYYY-MM-DD}", "has 'YYYY'; write yyyy", "YYYY-MM-DD"),
    ("logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd EEE}", "has 'EEE'; the mesh reads", "yyyy-MM-dd EEE"),
    ("logicalType: date, logicalTypeOptions: {format: 'yyyy-MM'}", "does not tell year, month and day", "'yyyy-MM'"),
    ("logicalType: time, logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm'}", "does not tell a time of day alone", "'yyyy-MM-dd HH:mm'"),
    ("logicalType: time, logicalTypeOptions: {format: 'hh:mm'}", "needs both h and a, or H", "'hh:mm'"),
    # patterns
    ("logicalType: string, logicalTypeOptions: {pattern: '^(?!x)'}", "no look-around and no back-references", "pattern"),
    ("logicalType: string, logicalTypeOptions: {pattern: '(a)\\1'}", "no look-around and no back-references", "pattern"),
    ("logicalType: string, logicalTypeOptions: {pattern: 'a{1001}'}", "repeats 1001 times, and RE2 counts up to 1000", "pattern"),
    ("logicalType: string, logicalTypeOptions: {pattern: '[[:alpha:]]'}", "a POSIX class", "pattern"),
    ("logicalType: string, logicalTypeOptions: {pattern: '\\Aa'}", r"uses '\\A', which regular expressions read differently", "pattern"),
    ("logicalType: integer, quality: [{metric: invalidValues, arguments: {pattern: '1'}, mustBe: 0}]", "is stored as BIGINT, and a pattern is about text", "pattern"),
    # time zones
    ("logicalType: time, logicalTypeOptions: {timezone: true, minimum: '08:00:00'}", "which of two such times is earlier depends on the day", "minimum"),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: true, defaultTimezone: Europe/Berlin, minimum: '2024-10-27T02:30:00'}", "the clocks of Europe/Berlin are put back or forward", "minimum"),
    # objects, arrays, vectors
    ("logicalType: object, physicalType: JSON, logicalTypeOptions: {minProperties: 1}", "is stored as JSON, and the mesh does not look into it", "minProperties"),
    ("logicalType: object, physicalType: JSON, properties: [{name: b, logicalType: string}]", "the mesh does not look into JSON", "properties"),
    ("logicalType: vector, logicalTypeOptions: {dimensions: 2, elementType: bfloat16}", "elements of bfloat16, which DuckDB does not have", "bfloat16"),
    ("logicalType: vector, logicalTypeOptions: {dimensions: 2, normalized: true}", "no length of floats is exactly 1", "normalized"),
    ("logicalType: object, enum: [{value: 1}], physicalType: 'STRUCT(b INTEGER)'", "listed values are single ones", "enum"),
    # what only a column of the table can say
    ("logicalType: object, properties: [{name: b, logicalType: string, primaryKey: true}]", "a.b has `primaryKey`, which only a column of the table can have", "primaryKey"),
    ("logicalType: object, properties: [{name: b, logicalType: string, relationships: [{to: x.y.z}]}]", "a.b has `relationships`", "relationships"),
    ("logicalType: array, items: {logicalType: string, quality: [{type: sql, query: SELECT 1, mustBe: 1}]}", "a quality rule of type sql stands inside of the column a", "type"),
    ("logicalType: array, items: {logicalType: object, properties: [{name: b, semanticType: measure, logicalType: number}]}", "b is a measure", "semanticType"),
]  # fmt: skip


@pytest.mark.parametrize(("says", "told", "place"), REFUSED)
def test_what_cannot_be_run_exactly_is_refused_by_name_and_place(contract_of, says, told, place):
    text = _contract(f"{{name: a, {says}}}")

    with pytest.raises(RuleRefused) as refused:
        contract_of(text)

    assert told.replace(r"\\", "\\") in str(refused.value).replace("\\\\", "\\")
    line, column = refused.value.facts["line"], refused.value.facts["column"]
    assert line == LINE
    assert text.splitlines()[line - 1][column - 1 :].startswith(place)


#: what the property a says, a pattern of what the error says.
MALFORMED = [
    ("logicalType: integer, logicalTypeOptions: {format: i33}", "Did you mean i32"),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: true}, physicalType: TIMESTAMP", "has `timezone: true`, and is stored as TIMESTAMP"),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: false}, physicalType: TIMESTAMPTZ", "Write physicalType: TIMESTAMP$"),
    ("logicalType: timestamp, physicalType: VARCHAR, logicalTypeOptions: {timezone: true, format: yyyy-MM-dd}", "Write a format with XXX"),
    ("logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Berlln}", "'Europe/Berlln' .text. is no time zone"),
    ("logicalType: date, physicalType: VARCHAR", "is of logicalType date, which is not stored as VARCHAR"),
    ("logicalType: object, properties: [{name: b, logicalType: string}], logicalTypeOptions: {required: [c]}", "a has no property 'c'"),
    ("logicalType: object, properties: [{name: b, logicalType: string}, {name: B, logicalType: string}]", "a has B twice"),
    ("logicalType: object, physicalType: 'STRUCT(b VARCHAR)', properties: [{name: c, logicalType: string}]", "the physicalType of a has no field 'c'"),
    ("logicalType: object, physicalType: 'STRUCT(b VARCHAR)', properties: [{name: b, logicalType: integer}]", "a.b is of logicalType integer, which is not stored as VARCHAR"),
    ("logicalType: array, physicalType: 'INTEGER[]', items: {logicalType: integer, physicalType: BIGINT}", r"a\[\] has the physicalType BIGINT, and that of a says INTEGER"),
    ("logicalType: array, physicalType: 'VARCHAR[]', items: {logicalType: integer}", r"a\[\] is of logicalType integer, which is not stored as VARCHAR"),
    ("logicalType: object, properties: [{name: 'b c', logicalType: string}]", "'b c' is no column name"),
    ("logicalType: array, items: {logicalType: array}", r"a\[\] is of logicalType array and has no `physicalType`"),
    ("logicalType: vector, physicalType: 'DOUBLE[]', logicalTypeOptions: {dimensions: 2, elementType: float32}", r"is stored as DOUBLE\[\]"),
    ("logicalType: array, items: {logicalType: integer, enum: [{value: x}]}", r"is no value of the column a\[\], an? integer"),
]  # fmt: skip


@pytest.mark.parametrize(("says", "told"), MALFORMED)
def test_what_contradicts_itself_is_told_with_its_place(contract_of, says, told):
    with pytest.raises(DocumentMalformed, match=told) as error:
        contract_of(_contract(f"{{name: a, {says}}}"))

    assert error.value.facts["line"] == LINE


#: what the property a says, how it is stored.
TYPES = [
    ("logicalType: array, items: {logicalType: string}", "VARCHAR[]"),
    ("logicalType: array, items: {logicalType: object, properties: [{name: b, logicalType: integer}]}", "STRUCT(b BIGINT)[]"),
    ("logicalType: object, properties: [{name: b, logicalType: date}, {name: c, logicalType: integer, physicalType: int}]", "STRUCT(b DATE, c INTEGER)"),
    ("logicalType: map, map: {key: {logicalType: string}, value: {logicalType: array, items: {logicalType: number}}}", "MAP(VARCHAR, DOUBLE[])"),
    ("logicalType: array, physicalType: 'struct(b int, c text)[]', items: {logicalType: object, properties: [{name: c, logicalType: string}]}", "STRUCT(b INTEGER, c VARCHAR)[]"),
    ("logicalType: array, physicalType: 'ARRAY<STRUCT<a: INT, b: MAP<STRING, DECIMAL(9,2)>>>'", "STRUCT(a INTEGER, b MAP(VARCHAR, DECIMAL(9,2)))[]"),
    ("logicalType: object, physicalType: STRUCT, properties: [{name: b, logicalType: array, physicalType: array, items: {logicalType: date}}]", "STRUCT(b DATE[])"),
    ("logicalType: vector, logicalTypeOptions: {dimensions: 3}", "FLOAT[]"),
    ("logicalType: vector, logicalTypeOptions: {dimensions: 3, elementType: uint8, distanceMetric: cosine, embeddingModel: m, normalized: false}", "UTINYINT[]"),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: true}", "TIMESTAMP WITH TIME ZONE"),
    ("logicalType: timestamp, logicalTypeOptions: {timezone: false}", "TIMESTAMP"),
    ("logicalType: time, logicalTypeOptions: {timezone: true}", "TIME WITH TIME ZONE"),
]  # fmt: skip


@pytest.mark.parametrize(("says", "stored"), TYPES)
def test_a_type_follows_from_what_is_inside(contract_of, says, stored):
    assert contract_of(_contract(f"{{name: a, {says}}}")).columns[0].physical_type == stored


def test_rules_inside_of_a_column_say_where_they_stand_and_which_path_they_take(contract_of):
    deep = (
        "{name: lines, logicalType: array, items: {logicalType: object, properties: "
        "[{name: tags, logicalType: map, map: {key: {logicalType: string, logicalTypeOptions: {minLength: 1}}, "
        "value: {logicalType: integer, quality: [{metric: nullValues, mustBe: 0, name: no empty tag}]}}}]}}"
    )
    rules = {rule.id: rule for rule in contract_of(_contract("{name: id, logicalType: integer}", deep)).rules}

    key = rules["lines__items__tags__key_min_length"]
    assert (key.columns, key.path) == (("lines",), ("[]", "tags", "{key}"))
    assert key.description == "lines[].tags{key} has at least 1 characters"
    assert key.place.line == LINE + 1
    assert rules["no_empty_tag"].path == ("[]", "tags", "{value}")


def test_the_columns_and_their_types_are_the_first_promise(contract_of):
    first = contract_of(
        _contract(
            "{name: a, logicalType: integer}", "{name: b, logicalType: number, physicalType: 'numeric(9,2)'}"
        )
    ).rules[0]

    assert (first.id, first.kind, first.blocking) == ("columns_as_promised", "physical_types", True)
    assert first.arguments == {"types": {"a": "BIGINT", "b": "DECIMAL(9,2)"}}


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\w$", "a_9Z", "é-"),
        (r"^\W$", "é-", "a_"),
        (r"^[^\s]$", "a", " \t\u00a0\ufeff"),
        (r"^[\S]$", "a", " \u2003"),
        (r"^[a\-z]$", "a-z", "b"),
        (r"^[\]^]$", "]^", "a"),
        (r"^[]$", "", "a"),
        (r"^\u00e9\x41$", ["éA"], "A"),
        (r"^\ud83d\ude00$", "😀", "a"),
        (r"^\cJ$", "\n", "J"),
        (r"^[\b]$", "\b", "b"),
        (r"^a{,2}$", ["a{,2}"], ["aa"]),
        (r"^(?:a|b)+?$", ["ab"], ["c"]),
        (r"^a\/b$", ["a/b"], ["a\\/b"]),
        (r"\bb", ["a b"], ["ab"]),
    ],
)
def test_a_pattern_means_what_ecma_262_says_in_every_engine(pattern, good, bad):
    import duckdb
    import polars as pl

    plain = plain_pattern(pattern)
    python = re.compile(
        re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: f"\\U{int(code[1], 16):08x}", plain), re.ASCII
    )
    for text, expected in [*((each, True) for each in good), *((each, False) for each in bad)]:
        assert duckdb.execute("SELECT regexp_matches(?, ?)", [text, plain]).fetchone() == (expected,)
        assert (python.search(text) is not None) is expected
        assert pl.Series([text]).str.contains(plain).item() is expected


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", "a++", "*a", "[z-a]", "a\\", "a|*"])
def test_what_is_no_regular_expression_is_told(pattern):
    with pytest.raises(PatternMalformed):
        plain_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(?<=a)b", r"\k<n>", r"(a)\1", "(?s).", r"\Qa\E", r"\ud83d", "[[=a=]]", r"[a-\d]"]
)
def test_a_pattern_that_other_engines_read_differently_is_refused(pattern):
    with pytest.raises(PatternRefused):
        plain_pattern(pattern)


@pytest.mark.parametrize(
    "text", ["", "'x", "yyyy yy", "HH h", "mm", "SSS", "yyyy-MM-dd HH:ss", "w", "SSSSSSS", "yyyyy"]
)
def test_a_format_of_dates_that_cannot_be_read_exactly_is_refused(text):
    with pytest.raises(FormatRefused):
        moment_format(text)
