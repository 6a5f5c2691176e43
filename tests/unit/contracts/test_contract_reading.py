# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""What a contract says arrives whole, and what is wrong with it is told where it is written."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts import Partitioning, Person, odcs_model, read_contract
from mesh_assets.capabilities.contracts.shape import is_everyday_contract
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.names import ProductName


def test_a_contract_says_what_its_file_says(contract_of, contract_text):
    contract = contract_of(contract_text)

    assert contract.product == ProductName("shop", "orders")
    assert (contract.version, contract.api_version, contract.status) == ("1.2.0", "v3.1.0", "active")
    assert (contract.title, contract.purpose, contract.usage) == (
        "Orders",
        "What was ordered.",
        "Join on customer_id.",
    )
    assert contract.description == "One row per order line."
    assert contract.tags == ("sales", "lines")
    assert contract.automation.kind == "manual"
    assert contract.partitioning == Partitioning("week_start", "week", date(2023, 1, 2), date(2024, 12, 30))
    assert contract.sla == ({"property": "frequency", "value": 1, "unit": "w"},)
    assert contract.custom["costCenter"] == 42


def test_columns_have_duckdbs_own_types_and_the_key_has_its_order(contract_of, contract_text):
    contract = contract_of(contract_text)

    assert [(column.name, column.physical_type) for column in contract.columns] == [
        ("order_id", "BIGINT"),
        ("week_start", "DATE"),
        ("sku", "VARCHAR"),
        ("status", "VARCHAR"),
        ("amount", "DECIMAL(12,2)"),
        ("zip5", "VARCHAR"),
    ]
    assert contract.key == ("week_start", "order_id")
    assert contract.column("sku").tags == ("code",)
    assert contract.column("sku").classification == "public"


def test_owners_are_the_members_who_own_it_now_and_the_team(contract_of, contract_text):
    assert contract_of(contract_text).owners == (
        Person("owner@example.com", "owner"),
        Person("shop team", "team"),
    )


def test_the_raw_document_keeps_what_the_model_does_not_name(contract_of, contract_text):
    contract = contract_of(contract_text)

    assert contract.raw["schema"][0]["properties"][0]["description"] == "The order"
    assert contract.raw["customProperties"][2]["value"] == 42
    assert contract.text == contract_text


def test_a_contract_can_be_sent_to_another_process(contract_of, contract_text):
    contract = contract_of(contract_text)

    assert pickle.loads(pickle.dumps(contract)) == contract


def test_the_same_contract_is_at_hand_as_the_standards_pydantic_model(contract_of, contract_text):
    model = odcs_model(contract_of(contract_text))

    assert model.schema_[0].properties[2].logicalTypeOptions["minLength"] == 3


def test_loading_an_everyday_contract_imports_no_engine_and_no_validator(tmp_path, contract_text):
    folder = tmp_path / "shop" / "orders"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(contract_text)
    program = (
        "import sys; from pathlib import Path\n"
        "from mesh_assets.capabilities.contracts import read_contract\n"
        f"read_contract(Path({str(folder / 'contract.yaml')!r}))\n"
        "heavy = {'jsonschema', 'pydantic', 'duckdb', 'polars', 'pandas', 'pandera', 'dagster', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    told = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )

    assert told.stdout.strip() == "[]"


def test_the_example_is_an_everyday_contract(contract_of, contract_text):
    assert is_everyday_contract(contract_of(contract_text).raw)


def test_a_change_of_the_file_is_seen_at_the_next_reading(contract_of, contract_text):
    contract_of(contract_text)

    assert contract_of(contract_text.replace("1.2.0", "1.3.0")).version == "1.3.0"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(contract_of, contract_text, tmp_path):
    plain = contract_of(contract_text)
    path = tmp_path / "shop" / "orders" / "contract.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + contract_text.replace("\n", "\r\n").encode())

    assert read_contract(path) == plain


MALFORMED = [
    # old, new, line, column, words of the problem, words of the remedy
    ("required: true", "requred: true", 34, 9, "has the key `requred`", "Did you mean required?"),
    ("required: true", "required: 1", 34, 19, "is 1 (a number); it must be true or false", ""),
    ("required: true", "required: 'true'", 34, 19, "it must be true or false", ""),
    ("required: true", "required: yes", 34, 19, "read differently by different YAML readers", "Write 'yes' in quotes"),
    ("version: 1.2.0", "version: 1.2", 5, 10, "`version` is 1.2 (a number); it must be a text", "quotes"),
    ("version: 1.2.0", "version: 012", 5, 10, "012 is read differently", "Write '012' in quotes"),
    ("version: 1.2.0", "version: 1e3", 5, 10, "1e3 is read differently", ""),
    ("status: active\n", "", 1, 1, "the file has no `status`", "Add it"),
    ("kind: DataContract", "kind: Contract", 2, 7, "`kind` is 'Contract'", "Write DataContract"),
    ("apiVersion: v3.1.0", "apiVersion: v3.3.0", 1, 13, "no version of ODCS that this mesh reads", "v3.2.0"),
    ("apiVersion: v3.1.0", "apiVersion: v2.2.2", 1, 13, "no version of ODCS that this mesh reads", "v3.0.0"),
    ("apiVersion: v3.1.0\n", "", 1, 1, "`apiVersion` is missing", "apiVersion: v3.2.0"),
    ("logicalType: integer", "logicalType: intger", 29, 22, "is 'intger'", "Did you mean integer?"),
    ("purpose: What was", "purpose: [1]\n  x: What was", 10, 12, "it must be a text", ""),
    ("tags: [sales]", "tags: sales", 13, 7, "`tags` is 'sales' (text); it must be a list", ""),
    ("name: shop team", "nme: shop team", 15, 3, "`team` has the key `nme`", "Did you mean name?"),
    ("username: owner@", "usrname: owner@", 17, 8, "has the key `usrname`", "Did you mean username?"),
    ("minLength: 3", "minLenght: 3", 46, 30, "has the key `minLenght`", "Did you mean minLength?"),
    ("minLength: 3", "minLength: -3", 46, 41, "is -3; it must be at least 0", ""),
    ("metric: nullValues", "metric: nullVals", 66, 21, "is 'nullVals'", "Did you mean nullValues?"),
    ("mustBeLessThan: 5", "mustBeLesThan: 5", 67, 13, "has the key `mustBeLesThan`", "Did you mean mustBeLessThan?"),
    ("mustBeLessThan: 5", "operator: mustBeLessThan", 67, 13, "has the key `operator`", "The operator itself is the key"),
    ("mustBeLessThan: 5", "mustBeLessThan: five", 67, 29, "is 'five' (text); it must be a number", ""),
    ("            mustBeLessThan: 5\n", "", 64, 13, "has no operator", "Add one of mustBe"),
    ("mustBeLessThan: 5\n", "mustBeLessThan: 5\n            mustBe: 1\n", 68, 13, "has 2 operators", "one rule for each"),
    ("mustBeBetween: [1, 5000]", "mustBeBetween: [1, 1]", 76, 24, "two different numbers", ""),
    ("type: foreignKey, ", "type: foreignKey, from: a.b, ", 62, 13, "has a `from`", "Remove `from`"),
    ("slaProperties:", "slaProperty:", 79, 1, "the file has the key `slaProperty`", "Did you mean slaProperties?"),
    # what the mesh asks beyond the standard
    ("id: shop.orders", "id: shop.order", 3, 5, "`id` is 'shop.order'", "Write id: shop.orders, or move the folder"),
    ("domain: shop", "domain: store", 7, 9, "`domain` is 'store'", "Write domain: shop"),
    ("  - name: orders\n", "  - name: ordres\n", 21, 11, "`name` is 'ordres'", "Write name: orders"),
    ("physicalName: orders", "physicalName: t_1", 22, 19, "`physicalName` is 't_1'", "Write physicalName: orders"),
    ("name: sku", "name: Order_ID", 40, 15, "'Order_ID' is written twice (order_id is the same", "Keep one"),
    ("name: sku", "name: s ku", 40, 15, "'s ku' is no column name", "letters, digits"),
    ("name: sku", "name: sku\n        physicalName: s", 41, 23, "has the physicalName 's'", "same name"),
    ("physicalType: bigint", "physicalType: bigit", 30, 23, "bigit is not a DuckDB type", ""),
    ("physicalType: bigint", "physicalType: VARCHAR", 30, 23, "of logicalType integer, which is not stored as VARCHAR", "BIGINT"),
    ("physicalType: VARCHAR", "physicalType: char(0)", 42, 23, "a number of characters above zero", ""),
    ("physicalType: VARCHAR", "physicalType: ENUM", 42, 23, "a lake does not store it", ""),
    ("physicalType: VARCHAR", "physicalType: VARCHAR[3]", 42, 23, "has a fixed length", ""),
    ("primaryKeyPosition: 2", "primaryKeyPosition: 1", 38, 29, "2 key columns take 1 to 2, each once", ""),
    ("primaryKeyPosition: 2", "primaryKeyPosition: 3", 33, 29, "2 key columns take 1 to 2, each once", ""),
    ("        primaryKeyPosition: 2\n", "", 32, 21, "this has not", ""),
    ("        primaryKey: true\n", "", 32, 29, "is not in the primary key", "Add primaryKey: true"),
    ("column: week_start", "column: week_strat", 82, 44, "is no column of the table", "Did you mean week_start?"),
    ("column: week_start", "column: sku", 82, 44, "partitions go by a DATE, and sku is VARCHAR", ""),
    ("every: week", "every: day", 82, 63, "`every` is 'day'", "Allowed: week"),
    ("every: week, ", "", 82, 35, "`every` is missing here", ""),
    ("every: week", "evry: week", 82, 56, "the key `evry` is not known here", "Did you mean every?"),
    ("first: 2023-01-02", "first: 2023-01-03", 82, 76, "2023-01-03 is a Tuesday", ""),
    ("first: 2023-01-02", "first: soon", 82, 76, "'soon' (text) is no date", ""),
    ("until: 2024-12-30", "until: 2022-12-26", 82, 95, "is not after `first`", ""),
    ("property: partitions", "property: partitons", 82, 16, "means nothing to the mesh", "Did you mean partitions?"),
    ("property: costCenter", "property: automation", 84, 16, "'automation' is written twice", ""),
    ("value: manual", "value: eagr", 83, 35, "the automation is 'eagr'", "Did you mean eager?"),
    ("unique: true", "unique: true\n        partitioned: true", 44, 9, "is `partitioned`", "partitions"),
    # YAML
    ("tags: [sales]", "\ttags: [sales]", 13, 1, "tab character", "Indent with spaces"),
    ("tags: [sales]", "tags: [sales", 14, 5, "not YAML", ""),
    ("tags: [sales]", "status: draft", 13, 1, "the key 'status' is written twice", "Keep one"),
    ("tags: [sales]", "tags: !!python/object:os.system [sales]", 13, 7, "the YAML tag", "plain values"),
    ("tags: [sales]", "tags: &all [*all]", 13, 7, "nested more than", ""),
    ("tags: [sales]", "<<: {a: 1}", 13, 1, "merge keys", "Write the values out"),
    ("tags: [sales]", "? [a]\n: 1", 13, 3, "a key must be a word", ""),
    ("tags: [sales]", "tags: *nobody", 13, 7, "undefined alias", ""),
    ("tags: [sales]", "tags: [.inf]", 13, 8, ".inf is read differently", ""),
    ("tags: [sales]", "---\ntags: [sales]", 13, 1, "a second YAML document", "one document"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "column", "problem", "remedy"), MALFORMED)
def test_what_is_wrong_is_told_with_line_column_value_and_remedy(
    contract_of, contract_text, changed, old, new, line, column, problem, remedy
):
    with pytest.raises(DocumentMalformed) as told:
        contract_of(changed(contract_text, old, new))

    assert problem in str(told.value)
    assert remedy in str(told.value)
    assert (told.value.facts["line"], told.value.facts["column"]) == (line, column)
    assert str(told.value).startswith(f"{told.value.facts['file']}:{line}:{column}: ")
    assert told.value.facts["file"].endswith("contract.yaml")


def test_a_contract_of_two_tables_is_refused_by_their_names(contract_of, contract_text):
    two = contract_text.replace(
        "slaProperties:",
        "  - name: returns\n    properties: [{name: id, logicalType: integer}]\nslaProperties:",
    )

    with pytest.raises(
        DocumentMalformed, match=r"79:11: the contract describes 2 tables \(orders, returns\)"
    ):
        contract_of(two)


def test_a_contract_without_columns_or_table_is_refused(contract_of, contract_text):
    head, _, _ = contract_text.partition("schema:")

    with pytest.raises(DocumentMalformed, match="has no `schema`"):
        contract_of(head)
    with pytest.raises(DocumentMalformed, match="has no `properties`"):
        contract_of(head + "schema:\n  - name: orders\n")


def test_a_missing_an_empty_and_an_unreadable_file_are_told(tmp_path):
    path = tmp_path / "contract.yaml"
    with pytest.raises(DocumentMalformed, match="there is no such file"):
        read_contract(path)
    path.write_text("# nothing\n")
    with pytest.raises(DocumentMalformed, match="the file is empty"):
        read_contract(path)
    path.write_text("- a\n- b\n")
    with pytest.raises(DocumentMalformed, match="a list; it must hold"):
        read_contract(path)
    path.write_bytes(b"kind: DataContract\nname: caf\xe9\n")
    with pytest.raises(DocumentMalformed, match=r"2:10: byte 0xe9 is not UTF-8. Save the file as UTF-8"):
        read_contract(path)
    path.write_text("a: \x00\n")
    with pytest.raises(DocumentMalformed, match=r"1:1: the character U\+0000"):
        read_contract(path)
    path.write_bytes(b"a: " + b"x" * 5_000_000)
    with pytest.raises(DocumentMalformed, match="at most 4,000,000 are read"):
        read_contract(path)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "- " * 100_000 + "a", "{a: " * 3000, "? " * 100_000 + "a", "a: " + "[" * 60 + "]" * 60],
)
def test_a_file_that_is_nested_to_hurt_ends_in_an_error_and_not_in_a_crash(tmp_path, text):
    (tmp_path / "contract.yaml").write_text(text)

    with pytest.raises(DocumentMalformed):
        read_contract(tmp_path / "contract.yaml")


def test_a_billion_laughs_stop_early(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "contract.yaml").write_text("\n".join(lines))

    with pytest.raises(DocumentMalformed, match="more than 200,000 values once its aliases are written out"):
        read_contract(tmp_path / "contract.yaml")


def test_an_alias_of_a_value_is_the_value(contract_of, contract_text, changed):
    text = changed(contract_text, "description: The order", "description: &same The order")
    text = changed(text, "description: Few orders lack a ZIP", "description: *same")

    assert contract_of(text).columns[0].description == "The order"


def test_dates_and_times_without_quotes_stay_as_written(contract_of, contract_text, changed):
    contract = contract_of(changed(contract_text, "value: 42", "value: 2024-05-01"))

    assert contract.custom["costCenter"] == "2024-05-01"


def test_a_column_without_physical_type_gets_the_usual_one(contract_of):
    types = {
        "string": "VARCHAR",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "date": "DATE",
        "boolean": "BOOLEAN",
    }
    types |= {"timestamp": "TIMESTAMP", "time": "TIME"}
    properties = ", ".join(f"{{name: c_{logical}, logicalType: {logical}}}" for logical in types)

    contract = contract_of(_minimal(properties))

    assert [column.physical_type for column in contract.columns] == list(types.values())


def test_an_array_needs_its_physical_type(contract_of):
    with pytest.raises(DocumentMalformed, match="is of logicalType array and has no `physicalType`"):
        contract_of(_minimal("{name: a, logicalType: array}"))

    assert contract_of(_minimal("{name: a, logicalType: array, physicalType: 'text[]'}")).columns[
        0
    ].physical_type == ("VARCHAR[]")


def test_a_column_without_logical_type_is_what_its_physical_type_says(contract_of):
    assert contract_of(_minimal("{name: a, physicalType: DATE}")).columns[0].logical_type == "date"

    with pytest.raises(DocumentMalformed, match="no `logicalType` and no `physicalType`"):
        contract_of(_minimal("{name: a}"))


def _minimal(properties: str) -> str:
    return (
        "{apiVersion: v3.1.0, kind: DataContract, id: shop.orders, version: 1.0.0, status: active, "
        f"schema: [{{name: orders, properties: [{properties}]}}]}}"
    )
