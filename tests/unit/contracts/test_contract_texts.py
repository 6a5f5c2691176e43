"""Texts made from contracts: dbt properties, and new files that are valid as they stand."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_assets.capabilities.contracts import read_contract, read_domain
from mesh_assets.capabilities.contracts.dbt import HEADER, dbt_properties, dbt_sources
from mesh_assets.capabilities.contracts.scaffold import new_contract_text, new_domain_text
from mesh_assets.capabilities.contracts.shape import is_everyday_contract, is_everyday_domain
from mesh_assets.capabilities.contracts.types import physical_type
from mesh_assets.words.names import ProductName


@pytest.fixture
def properties(contract_of, contract_text, domain_of, domain_text):
    def made(text=contract_text):
        return dbt_properties(domain_of(domain_text), [contract_of(text)])

    return made


def test_dbt_properties_say_who_made_them_and_how_to_make_them_again(properties):
    assert properties().startswith("# Generated from the contracts by `mesh dbt-properties`; do not edit.")


def test_dbt_properties_describe_models_and_columns_as_the_contract_does(properties):
    model = yaml.safe_load(properties())["models"][0]

    assert (model["name"], model["description"]) == ("orders", "One row per order line.")
    assert model["columns"][0] == {
        "name": "order_id",
        "description": "The order",
        "data_type": "BIGINT",
        "data_tests": ["not_null"],
    }
    assert [column["data_type"] for column in model["columns"]][-2:] == ["DECIMAL(12,2)", "VARCHAR"]


def test_dbt_tests_are_the_rules_that_dbt_says_exactly(properties, contract_text):
    text = contract_text.replace(
        "            mustBe: 0", "            mustBe: 0\n            severity: warning"
    )
    columns = {
        column["name"]: column.get("data_tests")
        for column in yaml.safe_load(properties(text))["models"][0]["columns"]
    }

    assert columns["week_start"] == ["not_null"]
    assert columns["sku"] == ["unique"]
    assert columns["status"] == [
        {
            "accepted_values": {
                "arguments": {"values": ["open", "shipped"], "quote": True},
                "config": {"severity": "warn"},
            }
        }
    ]
    assert columns["zip5"] is None


def test_dbt_properties_name_the_domains_own_drops(properties):
    sources = yaml.safe_load(properties())["sources"]

    assert [(source["name"], source["schema"]) for source in sources] == [("shop_sources", "shop_sources")]
    assert [table["name"] for table in sources[0]["tables"]] == ["skus", "till"]


def test_foreign_products_are_sources_of_their_domain_each_once(contract_of, contract_text):
    contract = contract_of(contract_text)

    made = yaml.safe_load(dbt_sources([contract, contract]).removeprefix(HEADER))

    assert [(source["name"], source["schema"]) for source in made["sources"]] == [("shop", "mesh_shop")]
    assert [table["name"] for table in made["sources"][0]["tables"]] == ["orders"]
    assert made["sources"][0]["tables"][0]["columns"][0] == {
        "name": "order_id",
        "description": "The order",
        "data_type": "BIGINT",
    }


def test_the_same_contracts_give_the_same_text_in_any_order(
    contract_of, contract_text, domain_of, domain_text, tmp_path
):
    orders = contract_of(contract_text)
    returns = tmp_path / "shop" / "returns" / "contract.yaml"
    returns.parent.mkdir()
    returns.write_text(new_contract_text(ProductName("shop", "returns")))
    domain, other = domain_of(domain_text), read_contract(returns)

    assert dbt_properties(domain, [orders, other]) == dbt_properties(domain, [other, orders])


_word = st.from_regex(r"c_[a-z0-9_]{0,12}", fullmatch=True)
_type = st.sampled_from(
    ["BIGINT", "int", "text", "numeric(12, 2)", "DATE", "timestamp", "boolean", "VARCHAR[]", "uuid"]
)
_columns = st.lists(st.tuples(_word, _type), min_size=1, max_size=6, unique_by=lambda column: column[0])


@settings(deadline=None, max_examples=60)
@given(
    product=_word,
    columns=_columns,
    owner=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
)
def test_a_new_contract_is_read_as_it_was_asked_for(tmp_path_factory, product, columns, owner):
    name = ProductName("shop", product)
    path = tmp_path_factory.mktemp("mesh") / "shop" / product / "contract.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(new_contract_text(name, columns, owner=owner), encoding="utf-8")

    contract = read_contract(path)

    assert contract.product == name
    assert [(column.name, column.physical_type) for column in contract.columns] == [
        (column, physical_type(kind)) for column, kind in columns
    ]
    assert contract.key == (columns[0][0],)
    assert contract.owners[0].name == owner
    assert is_everyday_contract(contract.raw)


def test_a_new_contract_has_an_id_and_a_name_and_rules_that_pass_and_warn(tmp_path):
    path = tmp_path / "shop" / "orders" / "contract.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(new_contract_text(ProductName("shop", "orders")))

    contract = read_contract(path)

    assert [(column.name, column.physical_type) for column in contract.columns] == [
        ("id", "BIGINT"),
        ("name", "VARCHAR"),
    ]
    assert [(rule.id, rule.severity.value) for rule in contract.rules] == [
        ("columns_as_promised", "error"),
        ("primary_key", "error"),
        ("id_required", "error"),
        ("not_more_than_a_million", "warning"),
    ]


def test_a_new_domain_is_read_with_its_products(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "domain.yaml").write_text(
        new_domain_text("shop", owner="ann@example.com", products=["orders", "returns"])
    )

    domain = read_domain(folder)

    assert domain.output_ports == (ProductName("shop", "orders"), ProductName("shop", "returns"))
    assert domain.owners[0].name == "ann@example.com"
    assert is_everyday_domain(domain.raw)
