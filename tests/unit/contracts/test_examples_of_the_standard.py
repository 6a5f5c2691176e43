"""Forms that the standard's own examples have: loaded, or refused for what is wrong with them."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.contracts.alone import Reading, read_text_alone

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\n"


def read(schema: str, more: str = "") -> Reading:
    return read_text_alone("x.yaml", f"{HEAD}{more}schema:\n  - name: products\n    properties:\n{schema}")


def told(reading: Reading) -> str:
    return "\n".join(f"{finding.problem}. {finding.remedy}" for finding in reading.findings)


DETAILS = (
    "{logicalType: object, properties: [{name: label, logicalType: string}, "
    "{name: price, logicalType: number}]}"
)
STRUCT = "STRUCT(label VARCHAR, price DOUBLE)"


@pytest.mark.parametrize(
    ("kind", "inside", "stored"),
    [
        ("MAP<STRING, STRUCT>", "map: {key: {logicalType: string}, value: %s}", f"MAP(VARCHAR, {STRUCT})"),
        ("MAP<INT, STRUCT>", "map: {key: {logicalType: integer}, value: %s}", f"MAP(INTEGER, {STRUCT})"),
        ("ARRAY<STRUCT>", "items: %s", f"{STRUCT}[]"),
        (
            "MAP<STRING, ARRAY<STRUCT>>",
            "map: {key: {logicalType: string}, value: {logicalType: array, items: %s}}",
            f"MAP(VARCHAR, {STRUCT}[])",
        ),
    ],
)
def test_a_type_may_leave_to_the_properties_what_an_object_inside_of_it_has(
    kind: str, inside: str, stored: str
) -> None:
    logical = "map" if kind.startswith("MAP") else "array"
    column = f"      - name: x\n        logicalType: {logical}\n        physicalType: '{kind}'\n        "

    reading = read(column + inside % DETAILS + "\n")

    assert reading.loads, told(reading)
    assert [each.physical_type for each in reading.objects[0].columns] == [stored]


def test_what_such_a_type_does_say_must_agree() -> None:
    column = "      - name: x\n        logicalType: map\n        physicalType: MAP<INT, STRUCT>\n        "

    reading = read(f"{column}map: {{key: {{logicalType: string}}, value: {DETAILS}}}\n")

    assert "x{key} is of logicalType string, which is not stored as INTEGER" in told(reading)
    assert len(reading.findings) == 1


def test_a_date_that_is_stored_as_a_moment_is_noted() -> None:
    reading = read("      - {name: made_on, logicalType: date, physicalType: TIMESTAMP}\n")

    assert reading.loads, told(reading)
    assert [each.physical_type for each in reading.objects[0].columns] == ["TIMESTAMP"]
    assert "made_on is of logicalType date, which is not stored as TIMESTAMP" in reading.notes[0].problem


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("tab1.made_on", "'tab1.made_on' names no object of the contract. It has products"),
        ("product.made_on", "names no object of the contract. Did you mean products.made_on?"),
        ("products.made", "Did you mean made_on?"),
        ("made_on.year", "'made_on.year' is inside of the column made_on"),
    ],
)
def test_an_element_of_an_sla_that_names_nothing_is_told_what_there_is(element: str, said: str) -> None:
    sla = f"slaProperties: [{{property: latency, value: 4, unit: d, element: {element}}}]\n"

    reading = read("      - {name: made_on, logicalType: date}\n", sla)

    assert said in told(reading)


def test_a_query_that_the_environment_would_fill_in_is_refused_as_that() -> None:
    query = "SELECT count(*) FROM {object} WHERE made_on > ${CUTOFF}"
    rule = f"        quality: [{{type: sql, query: '{query}', mustBe: 0}}]\n"

    reading = read(f"      - name: made_on\n        logicalType: date\n{rule}")

    assert "${CUTOFF}, and what the environment fills in is no part of a promise" in told(reading)
