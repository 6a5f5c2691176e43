# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Rules of the engine `mesh`: what each kind may be told, and what is refused where it is written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mesh_assets.capabilities.contracts.kinds import KINDS
from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Severity, products_of

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: order_id, logicalType: integer, primaryKey: true}
      - {name: sku, logicalType: string}
      - {name: paid, logicalType: number}
      - {name: list, logicalType: number}
      - {name: ordered_on, logicalType: date}
"""
PARTITIONS = """\
customProperties:
  - {property: partitions, value: {column: ordered_on, every: week, first: 2023-01-02}}
"""


def _written(implementation: str, more: str = "", tail: str = "") -> str:
    return (
        f"{HEAD}    quality:\n"
        f"      - {{type: custom, engine: mesh, {more}implementation: {{{implementation}}}}}\n{tail}"
    )


@pytest.fixture
def rules_of(contract_of):
    def read(implementation: str, more: str = "", tail: str = ""):
        contract = contract_of(_written(implementation, more, tail))
        return [rule for rule in contract.rules if rule.kind in KINDS]

    return read


def test_a_kind_becomes_one_rule_with_its_arguments(rules_of):
    (rule,) = rules_of("kind: expression, expression: paid <= list", "name: Paid within list, ")

    assert (rule.id, rule.kind, rule.columns) == ("paid_within_list", "expression", ("paid", "list"))
    assert rule.arguments == {"expression": "paid <= list", "unit": "rows"}
    assert (rule.severity, rule.dimension) == (Severity.ERROR, "consistency")


def test_a_level_to_warn_at_becomes_a_warning_of_its_own(rules_of):
    fails, warns = rules_of(
        "kind: change, aggregate: count, mustBeBetween: [-20, 20], warn: {mustBeBetween: [-5, 5]}",
        "name: steady, ",
    )

    assert (fails.id, fails.severity, fails.arguments["value"]) == ("steady", Severity.ERROR, [-20, 20])
    assert (warns.id, warns.severity, warns.arguments["value"]) == (
        "steady_warning",
        Severity.WARNING,
        [-5, 5],
    )
    assert fails.arguments["aggregate"] == warns.arguments["aggregate"] == "count"


def test_a_rule_at_a_column_is_about_that_column(contract_of):
    text = HEAD.replace(
        "logicalType: string}",
        "logicalType: string, quality: [{type: custom, engine: mesh, implementation: {kind: check_digit, algorithm: gs1}}]}",
    )

    (rule,) = [rule for rule in contract_of(text).rules if rule.kind == "check_digit"]

    assert (rule.id, rule.columns) == ("sku_check_digit", ("sku",))


def test_an_implementation_may_be_a_text_and_its_errors_have_true_lines(contract_of):
    text = (
        f"{HEAD}    quality:\n      - type: custom\n        engine: mesh\n        implementation: |\n"
        "          kind: when\n          when: paid > 0\n          then: sku IS NOT NULL\n"
    )

    contract = contract_of(text)
    with pytest.raises(DocumentMalformed, match=r"contract.yaml:20:17: .*'skuu'.*Did you mean sku") as told:
        contract_of(text.replace("sku IS", "skuu IS"))

    assert contract.rules[-1].columns == ("paid", "sku")
    assert text.splitlines()[told.value.facts["line"] - 1].strip() == "then: sku IS NOT NULL"


def test_products_that_a_rule_compares_with_are_known_before_anything_runs(rules_of):
    (balance,) = rules_of("kind: balance, aggregate: sum, column: paid, product: bank.transfers")
    (rate,) = rules_of("kind: match_rate, column: sku, product: stock.articles, mustBe: 100")

    assert products_of(balance) == (ProductName("bank", "transfers"),)
    assert products_of(rate) == (ProductName("stock", "articles"),)
    assert (balance.arguments["operator"], balance.arguments["value"]) == ("mustBe", 0)


def test_the_clock_of_a_partitioned_product_knows_its_column(rules_of):
    (rule,) = rules_of(
        "kind: freshness, column: ordered_on, clock: partition, unit: days, mustBeLessThan: 3",
        tail=PARTITIONS,
    )

    assert rule.arguments["partition_column"] == "ordered_on"


@pytest.mark.parametrize(
    ("implementation", "told"),
    [
        ("kind: outliers", r"no kind 'outliers'.*Did you mean outlier_share"),
        ("expression: paid > 0", r"`kind` is nothing"),
        ("kind: expression", r"`expression` is nothing"),
        (
            "kind: expression, expression: paid > 0, columns: [paid]",
            r"no argument `columns`.*Allowed: kind, expression",
        ),
        ("kind: expression, expression: paid > 0, unit: percent", r"`unit` belongs to a threshold"),
        ("kind: expression, expression: paid > 0, mustBe: 1, mustNotBe: 2", r"exactly one"),
        ("kind: expression, expression: paid > 0, mustBe: few", r"it must be a number"),
        ("kind: when, when: paid > 0", r"`then` is nothing"),
        ("kind: check_digit, column: sku, algorithm: lunh", r"Did you mean luhn"),
        (
            "kind: check_digit, column: paid, algorithm: luhn",
            r"not for paid, which is a number.*integer, string",
        ),
        ("kind: check_digit, column: skew, algorithm: luhn", r"skew"),
        (
            "kind: freshness, column: ordered_on, clock: now, unit: days, mustBe: 1",
            r"Allowed: build, partition",
        ),
        ("kind: freshness, column: ordered_on, clock: partition, unit: days, mustBe: 1", r"no partitions"),
        (
            "kind: freshness, column: ordered_on, clock: build, mustBe: 1",
            r"`unit` is nothing.*minutes, hours",
        ),
        ("kind: freshness, column: ordered_on, clock: build, unit: days", r"no operator"),
        ("kind: outlier_share, column: paid, method: iqr, k: 0, mustBe: 1", r"number above 0"),
        ("kind: outlier_share, column: sku, method: iqr, mustBe: 1", r"not for sku"),
        ("kind: distribution, column: sku, measure: psi, bins: 5, mustBe: 1", r"`bins` is for numbers"),
        ("kind: distribution, column: paid, measure: psi, bins: 1, mustBe: 1", r"from 2 to 100"),
        ("kind: distribution, column: paid, measure: psi, edges: [2, 1], mustBe: 1", r"rising numbers"),
        (
            "kind: distribution, column: paid, measure: psi, edges: [1], bins: 3, mustBe: 1",
            r"`edges` and `bins`",
        ),
        ("kind: distribution, column: paid, measure: hellinger, mustBe: 1", r"jensen_shannon, psi"),
        ("kind: change, aggregate: count, column: paid, mustBe: 1", r"`count` counts rows"),
        ("kind: change, aggregate: sum, column: sku, mustBe: 1", r"not for sku"),
        ("kind: change, aggregate: count, against: yesterday, mustBe: 1", r"previous, same weekday"),
        ("kind: schema_unchanged, mustBe: 0", r"no argument `mustBe`"),
        ("kind: balance, aggregate: count, product: shop.orders", r"the product itself"),
        ("kind: balance, aggregate: count, product: Bank", r"is not the name of a product"),
        ("kind: balance, aggregate: count, product: bank.days, by: [sku], to_by: [a, b]", r"2 columns for 1"),
        ("kind: match_rate, columns: [sku, skew], product: a.b, mustBe: 1", r"skew"),
        ("kind: change, aggregate: count, mustBe: 1, warn: {unit: rows}", r"`warn` has the key `unit`"),
        ("kind: change, aggregate: count, mustBe: 1, warn: 2", r"`warn` is not a threshold"),
    ],
)
def test_what_a_kind_does_not_take_is_an_error_where_it_is_written(rules_of, implementation, told):
    with pytest.raises(DocumentMalformed, match=told) as error:
        rules_of(implementation, tail="")

    assert error.value.facts["line"] == 15


def test_a_level_to_warn_at_beside_a_warning_says_it_twice(rules_of):
    with pytest.raises(DocumentMalformed, match="stands beside one that blocks"):
        rules_of("kind: change, aggregate: count, mustBe: 1, warn: {mustBe: 0}", "severity: warning, ")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("(SELECT 1) = paid", r"calls SELECT|names 'SELECT'"),
        ("paid IN (SELECT 1)", r"names 'SELECT'"),
        ("getenv('HOME') = ''", r"calls getenv"),
        ("read_text('/etc/passwd') = ''", r"calls read_text"),
        ("current_setting('threads') = '1'", r"calls current_setting"),
        ("sum(paid) > 1", r"calls sum"),
        ("random() < paid", r"calls random"),
        ("ordered_on < current_date", r"names 'current_date'"),
        ("ordered_on < now()", r"calls now"),
        ("repeat(sku, 1000000000) = ''", r"calls repeat"),
        ("paid > 0; DROP TABLE orders", r"the character ';'"),
        ("paid > 0 -- and more", r"a comment"),
        ("paid > 0 /* more */", r"a comment"),
        ("sku = 'open", r"does not end"),
        ("sku = $$x$$", r"the character '\$'"),
        ("sku = E'\\\\x41'", r"names 'E'"),
        ('"no such" > 1', r"names 'no such'"),
        ("piad > list", r"Did you mean paid"),
        ("list_filter([paid], x -> x > 0) = []", r"calls list_filter"),
        ("", r"it must be a text"),
    ],
)
def test_an_expression_is_one_value_per_row_and_nothing_else(contract_of, expression, told):
    text = f"{HEAD}    quality:\n      - type: custom\n        engine: mesh\n        implementation:\n          kind: expression\n"

    with pytest.raises(DocumentMalformed, match=told) as error:
        contract_of(
            f"{text}          expression: >-\n            {expression}\n"
            if expression
            else f"{text}          expression: ''\n"
        )

    assert error.value.facts["line"] == 19


@pytest.mark.parametrize(
    "expression",
    [
        "paid <= list OR sku IS NULL",
        "paid BETWEEN 0 AND list * 1.5",
        "sku LIKE 'A%' AND NOT sku ILIKE '%b'",
        "CASE WHEN paid > 0 THEN sku IS NOT NULL ELSE TRUE END",
        "ordered_on >= DATE '2020-01-01' + INTERVAL 3 DAY",
        "CAST(paid AS DECIMAL(10, 2)) = round(paid, 2)",
        "regexp_matches(sku, '^[A-Z]{3}''s')",
        'coalesce("paid", 0) IN (0, 1, 2)',
        "extract(year FROM ordered_on) >= 2020",
        "PAID >= 0",
    ],
)
def test_ordinary_expressions_are_taken(rules_of, expression):
    (rule,) = rules_of(f"kind: expression, expression: {json.dumps(expression)}")

    assert rule.arguments["expression"] == expression
    assert set(rule.columns) <= {"order_id", "sku", "paid", "list", "ordered_on"} and rule.columns


def test_another_engine_is_refused_by_name(contract_of):
    with pytest.raises(
        RuleRefused, match=r":15:.*the engine 'soda', which the mesh does not run.*mesh, pandera"
    ):
        contract_of(_written("kind: freshness").replace("engine: mesh", "engine: soda"))


def test_reading_kinds_loads_no_engine(tmp_path):
    folder = tmp_path / "shop" / "orders"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(
        _written("kind: expression, expression: paid <= list"), encoding="utf-8"
    )
    script = (
        "import sys; from pathlib import Path; from mesh_assets.capabilities.contracts import read_contract; "
        f"read_contract(Path({str(folder / 'contract.yaml')!r})); print([m for m in ('duckdb', 'polars') if m in sys.modules])"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
