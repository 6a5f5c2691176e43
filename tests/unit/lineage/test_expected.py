"""What consumers expect: compiled into the producer, and never in the producer's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh_assets.capabilities.lineage.expected import check_own_files, stray_expectations
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.order import in_order
from mesh_assets.capabilities.lineage.read import read_domain_assets, read_mesh
from mesh_assets.words.errors import DocumentMalformed, ExpectationMismatch, MeshError, RuleRefused
from mesh_assets.words.names import product_name
from mesh_assets.words.rules import Rule, Severity
from mesh_assets.words.settings import read_settings
from tests.shop import Shop

SMALL = """    properties:
      - name: amount
        logicalType: integer
        required: true
        logicalTypeOptions: {maximum: 100}
        quality:
          - name: few_are_free
            metric: nullValues
            mustBeLessThan: 5
            unit: percent
            dimension: completeness
      - name: order_id
    quality:
      - name: enough
        metric: rowCount
        mustBeGreaterThan: 1
      - name: sums_up
        type: sql
        query: SELECT sum(amount) FROM {object}
        mustBeGreaterThan: 0
"""


def orders(shop: Shop) -> Asset:
    return read_mesh(shop.settings).asset(product_name("shop.orders"))


def left_out(shop: Shop) -> MeshError:
    """The one file that the producer's location goes on without."""
    (found,) = read_domain_assets(shop.settings, "shop").left_out
    return found.problem


def amount(text: str) -> str:
    return f"    properties:\n      - name: amount\n{text}"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_consumers_rules_join_the_producers_and_warn(shop: Shop) -> None:
    shop.expects("books", "shop.orders", SMALL)

    expected = orders(shop).expected

    assert [rule.id for rule in expected] == [
        "books__amount_required",
        "books__amount_maximum",
        "books__few_are_free",
        "books__enough",
        "books__sums_up",
    ]
    assert {rule.severity for rule in expected} == {Severity.WARNING}
    assert {rule.expected_by for rule in expected} == {"books"}
    assert {Path(rule.place.file).parent.name for rule in expected if rule.place} == {"expects"}
    assert {rule.kind for rule in expected} >= {"required", "maximum", "null_values", "row_count", "sql"}


def test_what_is_expected_neither_adds_inputs_nor_belongs_to_the_promise(shop: Shop) -> None:
    """A rule that compares with a consumer's product would close a circle if it were an input."""
    before = orders(shop)
    related = "        relationships:\n          - {type: foreignKey, to: books.revenue.order_count}\n"
    shop.expects("books", "shop.orders", amount(related))

    after = orders(shop)

    assert [rule.kind for rule in after.expected] == ["foreign_key"]
    assert (after.needs, after.own_rules) == (before.needs, before.own_rules)
    mesh = read_mesh(shop.settings)
    assert len(in_order(mesh, list(mesh.assets))) == 2


def test_a_query_may_read_what_the_files_relationships_name_and_nothing_else(shop: Shop) -> None:
    text = amount("        relationships:\n          - {type: foreignKey, to: books.revenue.order_count}\n")
    query = "SELECT count(*) FROM {object}, books.revenue, shop._secret"
    text += f"    quality:\n      - {{name: both, type: sql, query: '{query}', mustBe: 0}}\n"
    shop.expects("books", "shop.orders", text)

    (rule,) = [rule for rule in orders(shop).expected if rule.kind == "sql"]

    assert rule.arguments["reads"] == ["books.revenue"]


@pytest.mark.parametrize(
    ("schema", "line", "told"),
    [
        ("    properties:\n      - name: amuont\n        required: true\n", 9, "Did you mean amount"),
        (amount("        physicalType: VARCHAR\n        required: true\n"), 10, "physicalType BIGINT"),
        (
            amount("        quality:\n          - {metric: nullValues, mustBe: 0, severity: error}\n"),
            11,
            "accepts no blocking expectations from books",
        ),
        (
            amount("        relationships:\n          - {type: foreignKey, to: shop.stock.item}\n"),
            11,
            "shop.stock, which books does not read",
        ),
        (
            amount("        relationships:\n          - {type: foreignKey, to: books._ledger.item}\n"),
            11,
            "books._ledger, which books does not read",
        ),
    ],
    ids=["no such column", "another type", "blocks", "product of others", "private asset"],
)
def test_what_the_producers_contract_does_not_have_or_allow_is_left_out_with_its_line(
    shop: Shop, schema: str, line: int, told: str
) -> None:
    path = shop.expects("books", "shop.orders", schema)

    problem = left_out(shop)

    assert isinstance(problem, ExpectationMismatch)
    assert str(problem).startswith(f"{path}:{line}:")
    assert told in str(problem)
    assert orders(shop).expected == ()
    # The producer may have changed: the consumer's own location loads.
    check_own_files(shop.settings, read_domain_assets(shop.settings, "books").domain)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema:", "schema: [", "not YAML"),
        ("kind: DataContract", "kind: Recipe", "kind"),
        ("id: books.expects.shop.orders", "id: orders", "Write id: books.expects.shop.orders"),
        ("status: active", "status: active\ndomain: shop", "Write domain: books"),
        ("status: active", "status: active\nslaProperties: []", "`slaProperties` is a promise"),
        ("- name: orders", "- name: order", "Write name: orders"),
        ("mustBeLessThan: 5", "mustBeLess: 5", "mustBeLess"),
        ("        logicalType: integer\n", "", "Write the column's logicalType"),
        ("name: few_are_free", "name: enough", "two rules have the name"),
    ],
    ids=["YAML", "kind", "id", "domain", "promise", "table", "operator", "untyped options", "twins"],
)
def test_a_file_that_is_wrong_in_itself_stops_the_consumers_location_and_not_the_producers(
    shop: Shop, old: str, new: str, told: str
) -> None:
    path = shop.expects("books", "shop.orders", SMALL)
    change(path, old, new)

    problem = left_out(shop)

    assert told in str(problem)
    assert str(path) in str(problem)
    assert orders(shop).expected == ()
    with pytest.raises(DocumentMalformed) as stopped:
        check_own_files(shop.settings, read_domain_assets(shop.settings, "books").domain)
    assert str(stopped.value) == str(problem)


def test_a_form_that_the_mesh_does_not_run_is_refused_by_name(shop: Shop) -> None:
    rule = "        quality:\n          - {type: custom, engine: soda, implementation: 'checks for orders'}\n"
    shop.expects("books", "shop.orders", amount(rule))

    assert isinstance(left_out(shop), RuleRefused)
    assert "soda" in str(left_out(shop))


def test_only_who_reads_a_product_may_expect_something_of_it(shop: Shop) -> None:
    shop.expects("books", "shop.orders", amount("        required: true\n"))
    domain = shop.root / "domains" / "books" / "domain.yaml"
    change(domain, "contractId: shop.orders", "contractId: shop.stock")

    assert "has no input port for shop.orders" in str(left_out(shop))


def test_a_producer_may_let_a_consumer_block(shop: Shop) -> None:
    rule = "        quality:\n          - {name: paid, metric: nullValues, mustBe: 0, severity: error}\n"
    shop.expects("books", "shop.orders", amount(f"        required: true\n{rule}"))
    contract = shop.folder("shop.orders") / "contract.yaml"
    with contract.open("a", encoding="utf-8") as file:
        file.write("customProperties:\n  - property: acceptsBlockingExpectationsFrom\n    value: [books]\n")

    severities = {rule.id: rule.severity for rule in orders(shop).expected}

    assert severities == {
        "books__amount_required": Severity.WARNING,  # it does not ask for more
        "books__paid": Severity.ERROR,
    }


def test_who_may_block_is_a_list_of_domains(shop: Shop) -> None:
    contract = shop.folder("shop.orders") / "contract.yaml"
    with contract.open("a", encoding="utf-8") as file:
        file.write("customProperties:\n  - property: acceptsBlockingExpectationsFrom\n    value: books\n")

    with pytest.raises(DocumentMalformed, match="must be a list of domains"):
        orders(shop)


def test_a_name_that_the_producer_has_already_is_left_out(shop: Shop) -> None:
    column = "      - name: books__amount\n        logicalType: integer\n        required: true\n"
    contract = shop.folder("shop.orders") / "contract.yaml"
    change(contract, "    properties:\n", f"    properties:\n{column}        description: A trap.\n")
    shop.expects("books", "shop.orders", amount("        required: true\n"))

    assert "has a rule 'books__amount_required' already" in str(left_out(shop))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"- 1\n", b"a: &a [*a]\n"])
def test_whatever_a_consumers_file_holds_the_producer_goes_on(shop: Shop, content: bytes) -> None:
    shop.expects("books", "shop.orders", SMALL).write_bytes(content)

    assert str(left_out(shop))
    assert len(orders(shop).own_rules) > 0


def test_a_folder_with_the_name_of_a_file_is_left_out(shop: Shop) -> None:
    path = shop.expects("books", "shop.orders", SMALL)
    path.unlink()
    path.mkdir()

    assert "it is a folder" in str(left_out(shop))


def test_a_consumer_without_a_readable_domain_is_left_out(shop: Shop) -> None:
    shop.expects("books", "shop.orders", SMALL)
    (shop.root / "domains" / "books" / "domain.yaml").write_text("kind: [", encoding="utf-8")

    assert "domain.yaml" in str(left_out(shop))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("orders.yaml", "names no product"),
        ("shop.orders.yml", "names no product"),
        ("shop._secret.yaml", "names no product"),
        ("books.revenue.yaml", "Write these rules into revenue/contract.yaml"),
        ("shop.stock.yaml", "there is no product shop.stock"),
        ("farm.fields.yaml", "there is no product farm.fields"),
    ],
)
def test_a_file_about_nothing_is_told_of(shop: Shop, name: str, told: str) -> None:
    shop.expects("books", "shop.orders", SMALL).rename(shop.root / "domains" / "books" / "expects" / name)

    mesh = read_mesh(shop.settings)

    (problem,) = stray_expectations(shop.settings, "books", list(mesh.assets))
    assert told in str(problem)


def test_too_many_rules_of_one_consumer_are_left_out(shop: Shop) -> None:
    rules = "".join(f"      - {{name: r{n}, metric: rowCount, mustBeGreaterThan: {n}}}\n" for n in range(51))
    shop.expects("books", "shop.orders", f"    quality:\n{rules}")

    assert "51 rules; it must have 1 to 50" in str(left_out(shop))


def test_the_example_expects_and_everything_of_it_is_used() -> None:
    mesh = read_mesh(read_settings({}))
    expected: list[Rule] = [rule for asset in mesh.assets.values() for rule in asset.expected]

    assert {rule.expected_by for rule in expected} == {"brand_analytics", "field_reports", "prescriptions"}
    assert [each for domain in mesh.domains.values() for each in domain.left_out] == []
    assert [
        each
        for name in mesh.domains
        for each in stray_expectations(read_settings({}), name, list(mesh.assets))
    ] == []
