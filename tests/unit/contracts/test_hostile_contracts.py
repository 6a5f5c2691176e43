# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Contracts that mean harm: read, or refused with file and line; nothing runs, nothing hangs, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.words.errors import DocumentMalformed, RuleRefused

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: shop.orders\nversion: 1.0.0\nstatus: active\n"
TABLE = HEAD + "schema:\n  - name: orders\n    properties:\n"
COLUMN = TABLE + "      - {name: x, logicalType: string, %s}\n"
QUALITY = TABLE + "      - {name: x, logicalType: string}\n    quality:\n"
CUSTOM = QUALITY + "      - {type: custom, engine: %s, implementation: %s}\n"

REFUSED = {
    "an anchor that contains itself": (TABLE + "      - &a {name: x, items: *a}\n", "contains itself"),
    "a tag that would call a function": (HEAD + "x: !!python/object/apply:os.system ['touch pwned']\n", "the YAML tag"),
    "a tag in an implementation": (CUSTOM % ("mesh", "'!!python/object/apply:os.system [id]'"), "the YAML tag"),
    "a key twice": (COLUMN % "name: y", "written twice"),
    "a NUL that is escaped": (COLUMN % r'description: "\0"', r"U\+0000 cannot be stored"),
    "a number of 5,000 digits": (QUALITY + "      - {metric: rowCount, mustBe: 1" + "0" * 5_000 + "}\n", "beyond every value"),
    "a number that is infinity": (QUALITY + "      - {metric: rowCount, mustBe: 1.0e+400}\n", "beyond every value"),
    "a pattern of 5,000 brackets": (COLUMN % f'logicalTypeOptions: {{pattern: "{"(" * 5_000 + ")" * 5_000}"}}', "10,000 characters"),
    "a pattern nested too deep": (COLUMN % f'logicalTypeOptions: {{pattern: "{"(" * 900 + ")" * 900}"}}', "nested too deep"),
    "a look-around": (COLUMN % 'logicalTypeOptions: {pattern: "(?=a)a"}', "pattern"),
    "a type nested too deep": (COLUMN % ("physicalType: '" + "STRUCT(a " * 3_000 + "INT" + ")" * 3_000 + "'"), "nested deeper"),
    "a list of lists of lists": (COLUMN % ("physicalType: '" + "INT" + "[]" * 20_000 + "'"), "nested deeper"),
    "a type with a statement in it": (COLUMN % "physicalType: 'VARCHAR); DROP TABLE x; --'", "not a DuckDB type"),
    "a column with a path as name": (TABLE + "      - {name: '../../x', logicalType: string}\n", "no column name"),
    "a column whose name turns around": (TABLE + '      - {name: "x\\u202ey", logicalType: string}\n', "no column name"),
    "a rule's name that is no word": (QUALITY + "      - {name: '../..', metric: rowCount, mustBe: 1}\n", "no letter or digit"),
    "a rule's name that no file can have": (QUALITY + f"      - {{name: {'x' * 300}, metric: rowCount, mustBe: 1}}\n", "300 characters"),
    "a check that is no check": (CUSTOM % ("pandera", "{check: __class__, columns: [x]}"), "neither pandera nor"),
    "an argument that is code": (CUSTOM % ("pandera", "{check: isin, columns: [x], arguments: {allowed_values: '__import__(os)'}}"), "must be a list"),
    "an argument that is pandera's own": (CUSTOM % ("pandera", "{check: isin, columns: [x], arguments: {allowed_values: [a], element_wise: true}}"), "no argument `element_wise`"),
    "an expression that reads a file": (CUSTOM % ("mesh", '{kind: expression, expression: "x = read_text(1)"}'), "rules may not call"),
    "an expression with a comment": (CUSTOM % ("mesh", '{kind: expression, expression: "x = 1 -- )"}'), "has a comment"),
    "an empty implementation": (CUSTOM % ("mesh", "''"), "Write `key: value` lines"),
    "a foreign key into a file": (COLUMN % "relationships: [{to: '../../etc/passwd#/schema/a/properties/b'}]", "does not have the form"),
    "a foreign key into the internet": (COLUMN % "relationships: [{to: 'https://example.com/x.yaml#/schema/a/properties/b'}]", "reads nothing from there"),
    "a span that nobody waits for": (HEAD + f"slaProperties: [{{property: latency, value: {'9' * 290}, unit: d, element: orders.x}}]\n" + TABLE[len(HEAD):] + "      - {name: x, logicalType: date}\n", "no span of time"),
}  # fmt: skip


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "shop" / "orders" / "contract.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_contract_is_refused_with_file_and_line(written, name):
    text, told = REFUSED[name]
    path = written(text)

    with pytest.raises((DocumentMalformed, RuleRefused), match=told) as error:
        read_contract(path)

    assert str(path) in str(error.value)
    assert error.value.facts["line"] >= 1
    assert not Path("pwned").exists()


def test_aliases_that_multiply_inside_of_an_implementation_stop_early(written):
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for one, next_one in zip("abcde", "bcdef", strict=True):
        lines.append(f"{next_one}: &{next_one} [{', '.join([f'*{one}'] * 10)}]")
    text = QUALITY + "      - type: custom\n        engine: mesh\n        implementation: |\n"

    with pytest.raises(DocumentMalformed, match="200,000 values"):
        read_contract(written(text + "".join(f"          {line}\n" for line in lines)))


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("'../../x'", "x"), ("'a/b\\c'", "a_b_c"), ("'CON'", "con"), ("\"a\\u202eb\"", "a_b"), ("'; DROP TABLE x'", "drop_table_x")],
)  # fmt: skip
def test_a_rules_name_becomes_a_word_that_names_a_file_and_a_check(written, name, identifier):
    contract = read_contract(written(QUALITY + f"      - {{name: {name}, metric: rowCount, mustBe: 1}}\n"))

    assert contract.rules[-1].id == identifier


def test_five_thousand_rules_and_a_hundred_thousand_lines_are_read(written):
    rules = "".join(
        f"      - {{name: r{at}, type: sql, query: 'select {at}', mustBe: 0}}\n" for at in range(5_000)
    )

    contract = read_contract(written(QUALITY + rules + "# a remark\n" * 100_000))

    assert len(contract.rules) == 5_002
    assert contract.rules[-1].place.line == 10 + 5_000
