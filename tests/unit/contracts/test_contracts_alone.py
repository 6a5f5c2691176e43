"""A contract file of anybody's is judged to its end, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts.alone import read_alone, read_text_alone

CORPUS = sorted((Path(__file__).parents[2] / "corpus").rglob("*.yaml"))

SEVERAL = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553b
version: 1.0.0
status: active
servers: [{server: here, type: local, path: data, format: parquet}]
roles: [{role: reader, access: read}]
schema:
  - name: Customers
    properties:
      - {name: id, logicalType: string, primaryKey: true}
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - name: customer_id
        logicalType: string
        relationships: [{to: Customers.id}]
        quality:
          - {type: text, description: Looked at by a person.}
          - {type: sql, query: 'select count(*) from {object}', mustBeGreaterThan: 0}
          - {type: sql, query: 'select 1', mustBe: 1}
"""


def test_a_contract_of_several_objects_loads_and_its_objects_refer_to_each_other() -> None:
    reading = read_text_alone("orders.odcs.yaml", SEVERAL)

    assert reading.findings == ()
    customers, orders = reading.objects
    assert (str(customers.name), str(orders.name)) == ("contract.customers", "contract.orders")
    by_id = {rule.id: rule for rule in orders.rules}
    assert by_id["customer_id_is_customers"].arguments["to_product"] == "contract.customers"
    assert {"customer_id_sql", "customer_id_sql_2"} <= set(by_id)
    assert [each["description"] for each in orders.documentation] == ["Looked at by a person."]


def test_every_finding_is_told_with_its_line_and_the_rest_is_read() -> None:
    broken = (
        SEVERAL.replace("mustBe: 1}", "mustBe: 1, schedule: 0 6 * * *}")
        .replace("{to: Customers.id}", "{to: Customers.idd}")
        .replace("logicalType: integer, primaryKey", "logicalType: integer, physicalType: DATE, primaryKey")
    )

    reading = read_text_alone("orders.odcs.yaml", broken)

    assert [
        (finding.kind, finding.line) for finding in sorted(reading.findings, key=lambda one: one.line)
    ] == [
        ("contract", 14),
        ("contract", 17),
    ]
    assert "customer_id_sql" in {rule.id for rule in reading.objects[1].rules}
    assert [note.line for note in reading.notes] == [21], "when a rule runs is for a scheduler to say"


AS_PEOPLE_WRITE = """\
apiVersion: v3.1.0
kind: DataContract
id: 7
version: 1.0.0
status: active
servers: [{server: prod, type: SERVER, account: a, database: d, schema: s, host: h, project: p, dataset: t}]
schema:
  - name: Order Lines
    physicalName: ORDER_LINES
    quality: [{metric: duplicateValues, arguments: {properties: [Order ID, line]}, mustBe: 0}]
    properties:
      - {name: Order ID, physicalName: ORDER_ID, logicalType: string, primaryKey: true}
      - {name: line, logicalType: integer, physicalType: TYPE}
      - {name: anything}
      - {name: parts, logicalType: object}
      - {name: of, logicalType: string, relationships: [{to: Orders.id}]}
""".replace("id: 7", "id: '7'")


def written(server: str = "snowflake", physical: str = "NUMBER") -> str:
    needs = {
        "snowflake": "account: a, database: d, schema: s",
        "bigquery": "project: p, dataset: t",
        "mysql": "host: h, port: 1, database: d",
    }
    text = AS_PEOPLE_WRITE.replace("TYPE", physical).replace("SERVER", server)
    head, _, rest = text.partition("account: a")
    return head + needs.get(server, "host: h, port: 1, database: d, schema: s") + rest[rest.index("}]") :]


def test_what_only_a_mesh_asks_is_noted_and_refuses_nothing() -> None:
    reading = read_text_alone("lines.odcs.yaml", written())

    (lines,) = reading.objects
    assert reading.loads
    assert {note.kind for note in reading.notes} == {"note"}
    assert [column.name for column in lines.columns] == ["ORDER_ID", "line", "anything", "parts", "of"]
    assert next(rule for rule in lines.rules if rule.kind == "duplicate_values").columns == (
        "ORDER_ID",
        "line",
    )
    assert next(rule for rule in lines.rules if rule.kind == "foreign_key").id == "of_is_orders"


def test_in_the_mesh_itself_the_same_is_refused() -> None:
    notes = read_text_alone("lines.odcs.yaml", written()).notes
    findings = read_text_alone("lines.odcs.yaml", written(), of_the_mesh=True).findings

    assert notes[0].problem in {finding.problem for finding in findings}


@pytest.mark.parametrize(
    ("server", "physical", "stored"),
    [
        ("snowflake", "INT", "DECIMAL(38,0)"),
        ("snowflake", "NUMBER", "DECIMAL(38,0)"),
        ("bigquery", "INT", "BIGINT"),
        ("sqlserver", "TINYINT", "UTINYINT"),
        ("postgres", "bigserial", "BIGINT"),
        ("mysql", "int(11) unsigned", "UINTEGER"),
        ("oracle", "NUMBER(9)", "DECIMAL(9,0)"),
    ],
)
def test_a_word_for_a_type_means_what_the_contracts_server_means_by_it(server, physical, stored) -> None:
    (lines,) = read_text_alone("lines.odcs.yaml", written(server, physical)).objects

    assert lines.columns[1].physical_type == stored


def test_a_type_without_an_exact_equal_is_refused_where_it_is_written() -> None:
    text = written("oracle", "NUMBER").replace("schema: s}]", "serviceName: x}]")

    (finding,) = (one for one in read_text_alone("lines.odcs.yaml", text).findings if "NUMBER" in one.problem)

    assert (finding.kind, finding.line) == ("form", 13)
    assert "write NUMBER(p,s)" in finding.problem


def test_a_contract_without_a_schema_has_nothing_to_check() -> None:
    reading = read_text_alone("x.yaml", SEVERAL.partition("schema:")[0])

    assert (reading.loads, reading.objects) == (True, ())
    assert [note.problem for note in reading.notes] == [
        "the contract has no `schema`: there is nothing to check"
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("columns: []", "Did you mean properties?"),
        ("properties: [{name: a, isNullable: false}]", "Did you mean required?"),
        ("properties: [{name: a, type: string}]", "Did you mean logicalType?"),
        (
            "properties: [{name: a, logicalType: string, quality: [{rule: nullValues, mustBe: 0}]}]",
            "Write metric",
        ),
    ],
)
def test_the_words_of_other_tools_are_answered_with_the_standards_own(wrong: str, told: str) -> None:
    text = SEVERAL.partition("schema:")[0] + f"schema:\n  - name: t\n    {wrong}\n"

    assert told in [finding.remedy for finding in read_text_alone("x.yaml", text).findings]


def test_the_same_mistake_in_two_lines_is_two_findings() -> None:
    level = "  - {property: availability, value: 99.9, unit: percent}\n"

    reading = read_text_alone("orders.odcs.yaml", SEVERAL + "slaProperties:\n" + 2 * level)

    last = SEVERAL.count("\n")
    assert [finding.line for finding in reading.findings] == [last + 2, last + 3]


def test_what_is_taken_out_to_read_on_does_not_make_the_same_text_valid_later() -> None:
    wrong = SEVERAL.replace("primaryKey: true}\n  - name: orders", "primaryKey: yess}\n  - name: orders")

    first, second = (read_text_alone("orders.odcs.yaml", wrong) for _ in range(2))

    assert [finding.line for finding in first.findings] == [11]
    assert second.findings == first.findings


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: b: c",
        "\x00",
        "apiVersion: v9",
        "apiVersion: [v3.1.0]",
        "apiVersion: v3.1.0\nschema: 7\n",
        "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: '1'\nstatus: active\nschema: [{}]\n",
        "apiVersion: v3.0.2\nkind: DataContract\nid: a\nversion: '1'\nstatus: active\nschema: {}\n",
    ],
)
def test_a_file_that_is_no_contract_is_a_finding_with_a_line(text: str) -> None:
    reading = read_text_alone("x.yaml", text)

    assert not reading.loads
    assert all(finding.line >= 1 and finding.problem for finding in reading.findings)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_contract_of_the_corpus_loads_or_is_refused_with_file_line_and_reason(path: Path) -> None:
    reading = read_alone(path)

    lines = path.read_text(encoding="utf-8").count("\n") + 1
    for finding in reading.findings:
        assert finding.file == str(path)
        assert 1 <= finding.line <= lines
        assert finding.problem
        assert "Please report it" not in finding.remedy


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_contract_with_any_value_in_any_place_is_judged(data: st.DataObject) -> None:
    """Other people's mistakes: a value of the wrong kind, or a line that is gone."""
    lines = data.draw(
        st.sampled_from([path.read_text(encoding="utf-8") for path in CORPUS[:40]])
    ).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[at].partition(": ")
    value = data.draw(
        st.sampled_from(["", "null", "7", "true", "[]", "{}", "[1, a]", "{a: 1}", "'x y'", "-1.5"])
    )
    lines[at] = f"{key}: {value}" if colon else ""

    reading = read_text_alone("x.yaml", "\n".join(lines))

    assert all("Please report it" not in finding.remedy for finding in reading.findings), reading.findings
