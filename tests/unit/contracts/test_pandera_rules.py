"""Custom rules of engine pandera: read without pandera, and refused where pandera would refuse or mislead."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.rules import Severity

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: paid, logicalType: number}
      - name: sku
        logicalType: string
        quality:
          - {type: custom, engine: pandera, implementation: {check: str_startswith, arguments: {string: S}}}
    quality:
      - type: custom
        engine: pandera
"""


@pytest.fixture
def rule_of(contract_of):
    def read(implementation: str, more: str = ""):
        text = f"{HEAD}{more}        implementation: {implementation}\n"
        return contract_of(text).rules[-1]

    return read


def test_a_rule_has_the_checks_name_and_arguments(rule_of):
    rule = rule_of(
        "{check: in_range, arguments: {min_value: 0, max_value: 10}, columns: [paid]}",
        "        name: Paid is plausible\n        severity: warning\n",
    )

    assert (rule.id, rule.kind, rule.columns) == ("paid_is_plausible", "pandera_check", ("paid",))
    assert rule.arguments == {
        "check": "in_range",
        "arguments": {"min_value": 0, "max_value": 10},
        "batches": True,
    }
    assert rule.severity is Severity.WARNING


def test_a_rule_of_a_column_is_about_it_and_is_named_for_it(contract_of):
    rule = next(rule for rule in contract_of(HEAD.rpartition("    quality:")[0]).rules if rule.columns)

    assert (rule.id, rule.columns) == ("sku_str_startswith", ("sku",))


def test_short_names_are_panderas(rule_of):
    rule = rule_of("{check: ge, arguments: {min_value: 0}, columns: [paid]}")

    assert rule.arguments["check"] == "greater_than_or_equal_to"


def test_an_implementation_may_be_a_yaml_text(rule_of):
    rule = rule_of(
        "|\n          check: isin\n          columns: [sku]\n          arguments: {allowed_values: [a]}"
    )

    assert rule.arguments["arguments"] == {"allowed_values": ["a"]}


def test_all_rows_at_once_where_the_check_is_about_all_of_them(rule_of):
    rule = rule_of("{check: unique_values_eq, arguments: {values: [a, b]}, columns: [sku]}")

    assert rule.arguments["batches"] is False


REGISTERED = """
import pandera.extensions as extensions

@extensions.register_check_method(statistics=["k"])
def is_multiple(data, *, k): ...
"""


def test_a_domains_own_check_is_known_from_the_text_of_its_file(rule_of, tmp_path):
    (tmp_path / "shop" / "orders" / "expectations.py").write_text("raise SystemExit\n" + REGISTERED)

    rule = rule_of("{check: is_multiple, arguments: {k: 2}, columns: [paid]}")

    assert rule.arguments == {"check": "is_multiple", "arguments": {"k": 2}, "batches": False}
    with pytest.raises(RuleRefused, match="is_multiple has no argument `j`"):
        rule_of("{check: is_multiple, arguments: {j: 2}, columns: [paid]}")


@pytest.mark.parametrize(
    ("implementation", "error", "told"),
    [
        ("{check: in_rnge, columns: [paid]}", RuleRefused, r"`check` is 'in_rnge'.*in_range"),
        ("{check: [isin], columns: [paid]}", RuleRefused, "neither pandera nor expectations.py"),
        ("{columns: [paid]}", RuleRefused, "`check` is None"),
        ("{check: eq, colums: [paid]}", RuleRefused, "no key `colums`"),
        ("{check: eq, arguments: {value: 1}}", DocumentMalformed, "names no `columns`"),
        ("{check: eq, arguments: {value: 1}, columns: [paied]}", DocumentMalformed, "Did you mean paid"),
        ("{check: eq, arguments: {valu: 1}, columns: [paid]}", RuleRefused, "no argument `valu`"),
        ("{check: eq, arguments: [1], columns: [paid]}", DocumentMalformed, "Write them by name"),
        ("{check: eq, columns: [paid]}", DocumentMalformed, "needs the argument `value`"),
        (
            "{check: eq, arguments: {value: '1'}, columns: [paid]}",
            DocumentMalformed,
            "no value of the column paid",
        ),
        (
            "{check: isin, arguments: {allowed_values: 1}, columns: [paid]}",
            DocumentMalformed,
            "a list of values",
        ),
        (
            "{check: isin, arguments: {allowed_values: abc}, columns: [sku]}",
            DocumentMalformed,
            "a list of values",
        ),
        ("{check: str_length, columns: [sku]}", DocumentMalformed, "needs the argument"),
        (
            "{check: str_length, arguments: {min_value: -1}, columns: [sku]}",
            DocumentMalformed,
            "a length, 0 or more",
        ),
        (
            "{check: str_length, arguments: {min_value: 2, max_value: 1}, columns: [sku]}",
            DocumentMalformed,
            "is above max_value",
        ),
        (
            "{check: str_length, arguments: {min_value: 2, exact_value: 1}, columns: [sku]}",
            DocumentMalformed,
            "stands alone",
        ),
        (
            "{check: str_length, arguments: {min_value: 2}, columns: [paid]}",
            DocumentMalformed,
            "paid is a number",
        ),
        ("{check: str_contains, arguments: {pattern: '(?=a)'}, columns: [sku]}", RuleRefused, "look-around"),
        (
            "{check: str_contains, arguments: {pattern: '('}, columns: [sku]}",
            DocumentMalformed,
            "no regular expr",
        ),
        (
            "{check: in_range, arguments: {min_value: 2, max_value: 1}, columns: [paid]}",
            DocumentMalformed,
            "is not below max_value",
        ),
        (
            "{check: in_range, arguments: {min_value: 1, max_value: 2, include_min: 1}, columns: [paid]}",
            DocumentMalformed,
            "write true or false",
        ),
        (
            "{check: unique_values_eq, arguments: {values: [a]}, columns: [sku], batches: true}",
            DocumentMalformed,
            "needs all rows at once",
        ),
        (
            "{check: eq, arguments: {value: 1}, columns: [paid], batches: 1}",
            DocumentMalformed,
            "`batches` is",
        ),
    ],
)
def test_what_pandera_would_refuse_or_pass_over_is_refused_with_its_line(
    rule_of, implementation, error, told
):
    with pytest.raises(error, match=told) as refused:
        rule_of(implementation)

    assert f"contract.yaml:{len(HEAD.splitlines()) + 1}:" in str(refused.value)


def test_reading_the_rules_imports_no_engine():
    program = (
        "import sys; import mesh_assets.capabilities.contracts.pandera_rules\n"
        "print(sorted({'pandera', 'pandas', 'polars', 'duckdb'} & set(sys.modules)))"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout

    assert told.strip() == "[]"
