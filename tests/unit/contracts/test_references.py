# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""What a relationship refers to, in every notation of the standard."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.words.errors import DocumentMalformed, RuleRefused

CONTRACT = """\
apiVersion: {version}
kind: DataContract
id: shop.orders
version: 1.0.0
status: active
schema:
  - id: orders_obj
    name: orders
    properties:
      - {{id: key_prop, name: id, logicalType: integer}}
      - {{name: line, logicalType: integer}}
      - name: parent_id
        logicalType: integer
        relationships: [{relationship}]
{table}"""


def contract(relationship: str = "{to: orders.id}", *, table: str = "", version: str = "v3.2.0") -> str:
    below = f"    relationships: [{table}]\n" if table else ""
    return CONTRACT.format(version=version, relationship=relationship, table=below)


def foreign_keys(found) -> list[tuple[str, tuple[str, ...], str, list[str]]]:
    return [
        (rule.id, rule.columns, rule.arguments["to_product"], rule.arguments["to_columns"])
        for rule in found.rules
        if rule.kind == "foreign_key"
    ]


@pytest.mark.parametrize("version", ["v3.1.0", "v3.2.0"])
@pytest.mark.parametrize(
    ("to", "product", "column"),
    [
        ("orders.id", "shop.orders", "id"),
        ("shop.orders.id", "shop.orders", "id"),
        ("schema/orders_obj/properties/key_prop", "shop.orders", "id"),
        ("/schema/orders_obj/properties/key_prop", "shop.orders", "id"),
        ("schema/orders/properties/line", "shop.orders", "line"),
        ("customer.id", "shop.customer", "id"),
        ("geography.zip_area.zip5", "geography.zip_area", "zip5"),
        (
            "../../geography/zip_area/contract.yaml#/schema/zip_area/properties/zip5",
            "geography.zip_area",
            "zip5",
        ),
        ("geography/zip_area/contract.yaml#schema/zip_area/properties/zip5", "geography.zip_area", "zip5"),
    ],
)
def test_a_reference_names_a_product_and_its_column(contract_of, version, to, product, column):
    found = contract_of(contract(f"{{to: '{to}'}}", version=version))

    assert foreign_keys(found) == [
        (f"parent_id_is_{product.partition('.')[2]}", ("parent_id",), product, [column])
    ]


def test_ids_of_another_contract_are_looked_up_there(contract_of, tmp_path: Path):
    other = tmp_path / "geography" / "zip_area"
    other.mkdir(parents=True)
    (tmp_path / "geography" / "domain.yaml").write_text("", encoding="utf-8")
    text = contract().replace("shop.orders", "geography.zip_area").replace("name: id", "name: zip5")
    (other / "contract.yaml").write_text(text, encoding="utf-8")
    link = "../../geography/zip_area/contract.yaml#/schema/orders_obj/properties/key_prop"

    found = contract_of(contract(f"{{to: '{link}'}}"))
    (other / "contract.yaml").write_text(text.replace("name: zip5", "name: zip"), encoding="utf-8")
    again = contract_of(contract(f"{{to: '{link}'}}"))

    assert foreign_keys(found) == [("parent_id_is_zip_area", ("parent_id",), "geography.zip_area", ["zip5"])]
    assert foreign_keys(again)[0][3] == ["zip"]


def test_composite_keys_pair_their_columns_in_both_notations(contract_of):
    names = "{from: [orders.parent_id, orders.line], to: [orders.id, orders.line]}"
    ids = "{from: [schema/orders/properties/parent_id, orders.line], to: [schema/orders_obj/properties/key_prop, orders.line]}"

    for written in (names, ids):
        found = contract_of(contract("{to: hr.rep.id}", table=written))
        assert foreign_keys(found)[1] == (
            "parent_id_line_is_orders",
            ("parent_id", "line"),
            "shop.orders",
            ["id", "line"],
        )


def test_one_column_may_refer_to_two_keys_of_one_product(contract_of):
    found = contract_of(contract("{to: hr.rep.id}, {to: hr.rep.old_id}"))

    assert [rule[0] for rule in foreign_keys(found)] == ["parent_id_is_rep", "parent_id_is_rep_old_id"]


@pytest.mark.parametrize(
    ("relationship", "error", "told"),
    [
        ("{to: orders.idd}", DocumentMalformed, "orders has no column 'idd'. Did you mean id?"),
        ("{to: shop.orders.nothing}", DocumentMalformed, "orders has no column 'nothing'"),
        ("{to: schema/order/properties/key_prop}", DocumentMalformed, "no object 'order'"),
        ("{to: schema/orders_obj}", RuleRefused, "names no column"),
        ("{to: orders.id.part}", RuleRefused, "inside of an object"),
        ("{to: schema/orders/properties/a/properties/b}", RuleRefused, "inside of an object"),
        ("{to: 'https://x.example/c.yaml#/schema/t/properties/c'}", RuleRefused, "is a contract at a URL"),
        (
            "{to: 'elsewhere.yaml#/schema/t/properties/c'}",
            DocumentMalformed,
            "there is no contract elsewhere.yaml",
        ),
        ("{to: orders.id, type: derivedFrom}", DocumentMalformed, "'derivedFrom'.*Write foreignKey"),
        ("{to: [orders.id, orders.line]}", DocumentMalformed, "refer to 2 columns"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error_in_its_line(contract_of, relationship, error, told):
    with pytest.raises(error, match=told) as raised:
        contract_of(contract(relationship))

    assert raised.value.facts["line"] == 14


def test_a_relationship_of_the_table_begins_in_the_table(contract_of):
    with pytest.raises(DocumentMalformed, match=r"begins at 'hr.rep.id', which is of hr.rep"):
        contract_of(contract(table="{from: hr.rep.id, to: orders.id}"))


def test_a_contract_of_odcs_3_0_has_no_relationships(contract_of):
    text = contract(version="v3.0.2").replace("id: orders_obj\n    ", "").replace("id: key_prop, ", "")

    with pytest.raises(DocumentMalformed, match=r"the key `relationships`, which ODCS v3.0.2 does not know"):
        contract_of(text)
