# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Each rule form of a contract becomes exactly one rule, or is refused by name where it is written."""

from __future__ import annotations

import pytest

from mesh_assets.words.errors import DocumentMalformed, RuleRefused
from mesh_assets.words.rules import Severity

HEAD = "apiVersion: {version}\nkind: DataContract\nid: shop.orders\nversion: 1.0.0\nstatus: active\nschema:\n"


def _contract(
    properties: str = "{name: id, logicalType: integer}", table: str = "", version: str = "v3.1.0"
) -> str:
    text = HEAD.format(version=version) + f"  - name: orders\n    properties:\n      - {properties}\n"
    return text + (f"    {table}\n" if table else "")


def _rules(contract):
    return {
        rule.id: (rule.kind, rule.columns, dict(rule.arguments))
        for rule in contract.rules
        if rule.id not in ("columns_as_promised", "row_count_above_zero")
    }


def test_a_relationship_that_is_written_twice_is_told_as_such(contract_of):
    property = "{name: z, logicalType: string, relationships: [{to: geography.zip_area.zip5}]}"
    table = "relationships: [{from: orders.z, to: geography.zip_area.zip5}]"

    with pytest.raises(
        DocumentMalformed, match=r"relationship of z to geography\.zip_area is written twice"
    ) as told:
        contract_of(_contract(property, table))

    assert "in line 9. Keep one: of the property, or of the table" in str(told.value)


def test_the_example_declares_these_rules_in_the_order_in_which_they_are_written(contract_of, contract_text):
    contract = contract_of(contract_text)

    assert [(rule.id, rule.kind, rule.place.line) for rule in contract.rules] == [
        ("columns_as_promised", "physical_types", 27),
        ("row_count_above_zero", "row_count_positive", 21),
        ("primary_key", "primary_key", 37),
        ("order_id_required", "required", 34),
        ("week_start_minimum", "minimum", 39),
        ("sku_unique", "unique", 43),
        ("sku_min_length", "min_length", 46),
        ("sku_max_length", "max_length", 46),
        ("sku_pattern", "pattern", 46),
        ("known_status", "invalid_values", 50),
        ("amount_minimum", "minimum", 58),
        ("amount_exclusive_maximum", "exclusive_maximum", 58),
        ("amount_multiple_of", "multiple_of", 58),
        ("zip_mostly_known", "null_values", 64),
        ("zip5_is_zip_area", "foreign_key", 62),
        ("amount_is_sane", "sql", 73),
    ]


def test_rules_carry_what_they_need_to_be_run(contract_of, contract_text):
    rules = _rules(contract_of(contract_text))

    assert rules["primary_key"] == ("primary_key", ("week_start", "order_id"), {})
    assert rules["week_start_minimum"][2] == {"value": "2023-01-02"}
    assert rules["sku_pattern"][2] == {"value": "^[A-Z]+[0-9]+$"}
    assert rules["amount_multiple_of"][2] == {"value": 0.01}
    assert rules["known_status"][2] == {
        "operator": "mustBe",
        "value": 0,
        "unit": "rows",
        "validValues": ["open", "shipped"],
    }
    assert rules["zip_mostly_known"][2] == {"operator": "mustBeLessThan", "value": 5, "unit": "percent"}
    assert rules["zip5_is_zip_area"][2] == {"to_product": "geography.zip_area", "to_columns": ["zip5"]}
    assert rules["amount_is_sane"][2] == {
        "query": "SELECT avg(amount) FROM {object}",
        "operator": "mustBeBetween",
        "value": [1, 5000],
    }


def test_a_rule_says_its_description_severity_and_dimension(contract_of, contract_text):
    rules = {rule.id: rule for rule in contract_of(contract_text).rules}

    assert rules["zip_mostly_known"].severity is Severity.WARNING
    assert rules["zip_mostly_known"].dimension == "coverage"
    assert rules["zip_mostly_known"].description == "Few orders lack a ZIP"
    assert rules["known_status"].severity is Severity.ERROR
    assert rules["known_status"].dimension == "conformity"
    assert rules["order_id_required"].description == "order_id is never null"
    assert rules["primary_key"].dimension == "uniqueness"


def test_prose_about_quality_is_kept_and_never_run(contract_of, contract_text):
    assert contract_of(contract_text).custom["documentation_rules"] == (
        {"column": None, "name": "", "description": "Prices are those of the day."},
    )


def test_every_product_has_rows_unless_its_contract_counts_them_itself(contract_of):
    assert "row_count_above_zero" in [rule.id for rule in contract_of(_contract()).rules]

    own = contract_of(_contract(table="quality: [{metric: rowCount, mustBeGreaterOrEqualTo: 0}]"))
    assert [rule.id for rule in own.rules] == ["columns_as_promised", "row_count"]


LIBRARY = [
    (
        "metric: nullValues, mustBe: 0",
        "a_null_values",
        "null_values",
        {"operator": "mustBe", "value": 0, "unit": "rows"},
    ),
    (
        "metric: missingValues, arguments: {missingValues: [null, '', 'n/a']}, mustNotBeBetween: [1, 2]",
        "a_missing_values",
        "missing_values",
        {"operator": "mustNotBeBetween", "value": [1, 2], "unit": "rows", "missingValues": [None, "", "n/a"]},
    ),
    (
        "metric: invalidValues, arguments: {pattern: '^x'}, mustBeLessOrEqualTo: 1.5, unit: percent",
        "a_invalid_values",
        "invalid_values",
        {"operator": "mustBeLessOrEqualTo", "value": 1.5, "unit": "percent", "pattern": "^x"},
    ),
    (
        "type: library, metric: duplicateValues, mustBeGreaterThan: 0",
        "a_duplicate_values",
        "duplicate_values",
        {"operator": "mustBeGreaterThan", "value": 0, "unit": "rows"},
    ),
]


@pytest.mark.parametrize("version", ["v3.1.0", "v3.2.0"])
@pytest.mark.parametrize(("written", "rule", "kind", "arguments"), LIBRARY)
def test_library_metrics_of_a_column_become_rules(contract_of, version, written, rule, kind, arguments):
    contract = contract_of(
        _contract(f"{{name: a, logicalType: string, quality: [{{{written}}}]}}", version=version)
    )

    assert _rules(contract) == {rule: (kind, ("a",), arguments)}


def test_a_null_among_the_valid_values_says_nothing_more(contract_of):
    quality = "quality: [{metric: invalidValues, arguments: {validValues: ['', null, x]}, mustBe: 0}]"

    rules = _rules(contract_of(_contract(f"{{name: a, logicalType: string, {quality}}}")))

    assert rules["a_invalid_values"][2]["validValues"] == ["", "x"]


def test_library_metrics_of_the_table_become_rules(contract_of):
    table = (
        "quality: [{metric: duplicateValues, mustBe: 0, arguments: {properties: [id, b]}}, "
        "{metric: rowCount, mustNotBe: 3}]"
    )
    contract = contract_of(
        _contract("{name: id, logicalType: integer}\n      - {name: b, logicalType: date}", table)
    )

    assert _rules(contract) == {
        "id_b_duplicate_values": (
            "duplicate_values",
            ("id", "b"),
            {"operator": "mustBe", "value": 0, "unit": "rows"},
        ),
        "row_count": ("row_count", (), {"operator": "mustNotBe", "value": 3, "unit": "rows"}),
    }


def test_a_sql_rule_of_a_column_may_answer_true_or_false(contract_of):
    query = "SELECT max({property}) > 3 FROM {object}"
    contract = contract_of(
        _contract(
            f"{{name: a, logicalType: integer, quality: [{{type: sql, query: '{query}', mustBe: true}}]}}"
        )
    )

    assert _rules(contract) == {
        "a_sql": ("sql", ("a",), {"query": query, "operator": "mustBe", "value": True})
    }


def test_an_enumeration_of_odcs_3_2_is_a_rule(contract_of):
    contract = contract_of(
        _contract(
            "{name: a, logicalType: string, enum: [{value: x}, {value: y, label: Y}]}", version="v3.2.0"
        )
    )

    assert _rules(contract)["a_enum"] == (
        "invalid_values",
        ("a",),
        {"operator": "mustBe", "value": 0, "unit": "rows", "validValues": ["x", "y"]},
    )


@pytest.mark.parametrize(
    ("written", "rule", "columns", "arguments"),
    [
        (
            "quality: [{type: library, rule: duplicateValues, mustBe: 0}]",
            "a_duplicate_values",
            ("a",),
            {"operator": "mustBe", "value": 0, "unit": "rows"},
        ),
        (
            "quality: [{rule: duplicateCount, mustBeLessThan: 10, unit: rows, severity: info}]",
            "a_duplicate_values",
            ("a",),
            {"operator": "mustBeLessThan", "value": 10, "unit": "rows"},
        ),
        (
            "quality: [{rule: validValues, validValues: [1, 2]}]",
            "a_invalid_values",
            ("a",),
            {"operator": "mustBe", "value": 0, "unit": "rows", "validValues": [1, 2]},
        ),
        (
            "quality: [{rule: nullValues, mustBeLessThanOrEqualTo: 3}]",
            "a_null_values",
            ("a",),
            {"operator": "mustBeLessOrEqualTo", "value": 3, "unit": "rows"},
        ),
        (
            "logicalTypeOptions: {maximum: 9, exclusiveMaximum: true}",
            "a_exclusive_maximum",
            ("a",),
            {"value": 9},
        ),
        ("logicalTypeOptions: {maximum: 9, exclusiveMaximum: false}", "a_maximum", ("a",), {"value": 9}),
    ],
)
def test_the_forms_of_odcs_3_0_mean_what_they_meant(contract_of, written, rule, columns, arguments):
    contract = contract_of(_contract(f"{{name: a, logicalType: integer, {written}}}", version="v3.0.2"))

    assert [(r.id, r.columns, dict(r.arguments)) for r in contract.rules[-1:]] == [(rule, columns, arguments)]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("warning", "warning"),
        ("INFO", "warning"),
        ("low", "warning"),
        ("error", "error"),
        ("Critical", "error"),
    ],
)
def test_a_severity_blocks_or_is_told(contract_of, word, severity):
    quality = f"quality: [{{metric: rowCount, mustBe: 1, severity: {word}}}]"

    assert contract_of(_contract(table=quality)).rules[-1].severity == severity


def test_a_relationship_takes_its_severity_from_a_custom_property(contract_of):
    custom = "customProperties: [{property: severity, value: warning}, {property: cardinality, value: many-to-one}]"
    contract = contract_of(
        _contract(
            f"{{name: z, logicalType: string, relationships: [{{to: geography.zip_area.zip5, {custom}}}]}}"
        )
    )

    assert contract.rules[-1].severity is Severity.WARNING


def test_a_relationship_may_be_written_as_a_link_to_the_other_contract(contract_of):
    link = "geography/zip_area/contract.yaml#/schema/zip_area/properties/zip5"
    contract = contract_of(_contract(f"{{name: z, logicalType: string, relationships: [{{to: '{link}'}}]}}"))

    assert contract.rules[-1].arguments == {"to_product": "geography.zip_area", "to_columns": ["zip5"]}


def test_a_relationship_of_the_table_pairs_its_columns(contract_of):
    table = "relationships: [{from: [orders.id, orders.b], to: [hr.rep.rep_id, hr.rep.team]}]"
    contract = contract_of(
        _contract("{name: id, logicalType: integer}\n      - {name: b, logicalType: date}", table)
    )

    assert _rules(contract) == {
        "id_b_is_rep": (
            "foreign_key",
            ("id", "b"),
            {"to_product": "hr.rep", "to_columns": ["rep_id", "team"]},
        )
    }


def test_rules_without_a_name_are_numbered_where_their_names_would_be_the_same(contract_of):
    quality = "quality: [{metric: nullValues, mustBe: 0}, {metric: nullValues, mustNotBe: 9}]"

    found = contract_of(_contract(f"{{name: a, logicalType: string, {quality}}}"))

    assert [rule.id for rule in found.rules if rule.kind == "null_values"] == [
        "a_null_values",
        "a_null_values_2",
    ]


@pytest.mark.parametrize(
    ("version", "query"),
    [
        ("v3.0.2", "select count(*) from ${table} where ${column} is null"),
        ("v3.0.2", "select count(*) from ${object} where ${property} is null"),
        ("v3.1.0", "select count(*) from ${object} where ${property} is null"),
        ("v3.2.0", "select count(*) from {object} where {property} is null"),
    ],
)
def test_sql_names_its_table_and_column_as_its_version_of_the_standard_writes_them(
    contract_of, version, query
):
    quality = f"quality: [{{type: sql, query: '{query}', mustBe: 0}}]"

    found = contract_of(_contract(f"{{name: a, logicalType: string, {quality}}}", version=version))

    assert [rule.arguments["query"] for rule in found.rules if rule.kind == "sql"] == [query]


def test_names_of_rules_become_names_of_checks(contract_of):
    quality = "quality: [{metric: rowCount, mustBe: 1, name: 'Row count isRight (always)'}]"

    assert contract_of(_contract(table=quality)).rules[-1].id == "row_count_is_right_always"


REFUSED = [
    # properties, table, version, what is refused, where
    ("{name: a, logicalType: string, quality: [{type: custom, engine: soda, implementation: x}]}", "", "the engine 'soda'", "engine"),
    ("{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, schedule: 0 20 * * *}]}", "", "has a `schedule`", "schedule"),
    ("{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, scheduler: cron}]}", "", "has a `scheduler`", "scheduler"),
    ("{name: a, logicalType: string, logicalTypeOptions: {pattern: 'a(?=b)'}}", "", "no look-around", "pattern"),
    ("{name: a, logicalType: string, logicalTypeOptions: {pattern: '(a)\\1'}}", "", "no back-references", "pattern"),
    ("{name: a, logicalType: string, quality: [{metric: invalidValues, arguments: {pattern: '(?<!x)y'}, mustBe: 0}]}", "", "no look-around", "pattern"),
    ("{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, unit: hours}]}", "", "unit of nullValues is 'hours'", "hours"),
    ("{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, arguments: {of: 1}}]}", "", "nullValues has no argument `of`", "of: 1"),
    ("{name: a, logicalType: integer}", "quality: [{metric: rowCount, mustBe: 1, unit: percent}]", "unit of rowCount is 'percent'", "percent"),
    ("{name: a, logicalType: integer}", "quality: [{type: sql, query: 'SELECT 1 FROM ${table}', mustBe: 1}]", "the placeholder ${table}", "query"),
    ("{name: a, logicalType: integer}", "quality: [{type: sql, query: 'SELECT {column} FROM {object}', mustBe: 1}]", "the placeholder {column}", "query"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "table", "problem", "at"), REFUSED)
def test_what_the_mesh_does_not_run_is_refused_by_name_and_place(contract_of, properties, table, problem, at):
    text = _contract(properties, table)

    with pytest.raises(RuleRefused) as told:
        contract_of(text)

    facts = told.value.facts
    assert problem in str(told.value)
    assert text.splitlines()[facts["line"] - 1][facts["column"] - 1 :].startswith(at)


@pytest.mark.parametrize(
    ("quality", "problem"),
    [
        ("{type: sql, query: SELECT 1}", "has no operator"),
        ("{rule: nullCheck, mustBe: 0}", "the metric 'nullCheck' is not run"),
        ("{rule: rowCount, mustBe: 0, mustNotBe: 1}", "has the operators mustBe, mustNotBe"),
    ],
)
def test_forms_that_odcs_3_0_leaves_open_are_refused(contract_of, quality, problem):
    with pytest.raises(RuleRefused, match=problem):
        contract_of(_contract(table=f"quality: [{quality}]", version="v3.0.2"))


def test_a_measure_of_odcs_3_2_is_refused(contract_of):
    measure = "{name: a, logicalType: number, semanticType: measure, transformLogic: sum(x)}"
    with pytest.raises(RuleRefused, match="the column a is a measure"):
        contract_of(_contract(measure, version="v3.2.0"))


def test_an_sla_that_wants_to_be_checked_is_refused(contract_of):
    sla = "slaProperties: [{property: latency, value: 4, unit: d, scheduler: cron, schedule: 0 0 * * *}]\n"

    with pytest.raises(RuleRefused, match="SLA latency has a `schedule`"):
        contract_of(_contract(version="v3.2.0") + sla)


WRONG = [
    (
        "{name: a, logicalType: string, quality: [{metric: rowCount, mustBe: 0}]}",
        "rowCount is a rule of the table",
    ),
    ("{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: none}]}", "`mustBe` is 'none'"),
    (
        "{name: a, logicalType: string, quality: [{metric: nullValues, mustBeBetween: [5, 1]}]}",
        r"must be \[low, high\]",
    ),
    (
        "{name: a, logicalType: string, quality: [{metric: invalidValues, mustBe: 0}]}",
        "has no `validValues` or `pattern`",
    ),
    (
        "{name: a, logicalType: string, quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [1]}}]}",
        "1 .a number. is no value of the column a",
    ),
    (
        "{name: a, logicalType: integer, quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: ['1']}}]}",
        "'1' .text. is no value of the column a",
    ),
    (
        "{name: a, logicalType: string, quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: x}}]}",
        "must be a list of values",
    ),
    (
        "{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, severity: wanring}]}",
        "Did you mean warning",
    ),
    ("{name: a, logicalType: string, logicalTypeOptions: {pattern: '(a'}}", "is no regular expression"),
    ("{name: a, logicalType: date, logicalTypeOptions: {minimum: '2023-13-01'}}", "is no date"),
    ("{name: a, logicalType: timestamp, logicalTypeOptions: {minimum: noon}}", "is no timestamp"),
    (
        "{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, name: '!'}]}",
        "has no letter or digit",
    ),
    (
        "{name: a, logicalType: string, quality: [{metric: nullValues, mustBe: 0, name: n}, {metric: nullValues, mustNotBe: 9, name: n}]}",
        "two rules have the name 'n', here and in line 9",
    ),
    (
        "{name: a, logicalType: string, relationships: [{to: [x.y.a, x.y.b]}]}",
        "1 columns .a. refer to 2 columns",
    ),
    ("{name: a, logicalType: string, relationships: [{to: X.y.a}]}", "must be lower-case"),
]


@pytest.mark.parametrize(("properties", "problem"), WRONG)
def test_a_rule_that_cannot_be_meant_is_told(contract_of, properties, problem):
    with pytest.raises(DocumentMalformed, match=problem):
        contract_of(_contract(properties))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("quality: [{metric: nullValues, mustBe: 0}]", "nullValues is a rule of a column"),
        ("quality: [{metric: duplicateValues, mustBe: 0}]", "duplicateValues of the table needs the columns"),
        (
            "quality: [{metric: duplicateValues, mustBe: 0, arguments: {properties: [idd]}}]",
            "Did you mean id",
        ),
        ("quality: [{type: sql, query: 'SELECT {property}', mustBe: 0}]", "which only a column's rule has"),
        ("relationships: [{from: [orders.idd], to: [x.y.z]}]", "Did you mean id"),
        ("relationships: [{from: [orders.id, orders.id], to: [x.y.z, x.w.z]}]", "refers to two products"),
    ],
)
def test_a_rule_of_the_table_that_cannot_be_meant_is_told(contract_of, table, problem):
    with pytest.raises(DocumentMalformed, match=problem):
        contract_of(_contract(table=table))


def test_a_typo_in_a_quality_rule_of_odcs_3_0_is_found_though_its_schema_lets_it_pass(contract_of):
    with pytest.raises(DocumentMalformed, match=r"has the key `mustBeLesThan`\. Did you mean mustBeLessThan"):
        contract_of(_contract(table="quality: [{rule: rowCount, mustBeLesThan: 3}]", version="v3.0.2"))
