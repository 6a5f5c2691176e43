# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Consumers' files that mean harm: left out in one sentence, or rules that warn; the producer publishes."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.expects import read_expectations
from mesh_assets.capabilities.contracts.read import read_contract
from mesh_assets.capabilities.lineage.expected import check_own_files
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.words.errors import DocumentMalformed, ExpectationMismatch, MeshError
from mesh_assets.words.rules import Outcome
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop, make_shop, write_product

COLUMNS = (("order_id", "BIGINT"), ("amount", "BIGINT"), ("note", "VARCHAR"))
RECIPE = "-- source: order_log\nselect cast(order_id as bigint) as order_id, cast(amount as bigint) as amount, 'n' as note from source.order_log\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Orders with a text column. Each test writes its own file of expectations, in the same place."""
    made = make_shop(tmp_path_factory.mktemp("hostile"))
    write_product(made, "shop.orders", columns=COLUMNS, recipe=RECIPE)
    return made


@pytest.fixture
def file(shop: Shop) -> Iterator[Path]:
    path = shop.expects("books", "shop.orders", "")
    yield path
    path.unlink(missing_ok=True)


def left_out(shop: Shop) -> str:
    """What the producer's location says of the one file, which is one sentence of a sensible length."""
    assets = read_domain_assets(shop.settings, "shop")
    (found,) = assets.left_out
    assert {asset.expected for asset in assets.assets} == {()}
    said = str(found.problem)
    assert said.startswith(f"{found.problem.facts['file']}:{found.problem.facts['line']}")
    assert len(said) < 3_000
    assert "Error:" not in said
    if not isinstance(found.problem, ExpectationMismatch):  # that may be the producer's doing
        with pytest.raises(DocumentMalformed):
            check_own_files(shop.settings, read_domain_assets(shop.settings, "books").domain)
    return said


HEAD = (
    "apiVersion: v3.1.0\nkind: DataContract\nid: books.expects.shop.orders\nversion: 1.0.0\nstatus: active\n"
)
TABLE = HEAD + "schema:\n  - name: orders\n    properties:\n"
LAUGHS = "\n".join(
    f"      - &{name} [{', '.join([f'*{before}'] * 10)}]"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)
TEXTS = {
    "a list that contains itself": (TABLE + "      - &a {name: note, properties: [*a]}\n", "contains itself"),
    "a billion laughs": (TABLE + f"      - &a [{', '.join('1' * 10)}]\n{LAUGHS}\n", "200,000 values"),
    "a tag that calls": (HEAD + "x: !!python/object/apply:os.system ['touch pwned']\n", "the YAML tag"),
    "ten thousand brackets": (HEAD + "x: " + "[" * 10_000, "nested more than"),
    "ten thousand dashes": (HEAD + "x:\n  " + "- " * 10_000 + "1\n", "nested more than"),
    "a million digits": (HEAD + f"x: {'9' * 1_000_000}\n", "beyond every value"),
    "a name of a megabyte": (HEAD.replace("books.expects", "x" * 1_000_000), "`id` is"),
    "a column of a megabyte": (TABLE + f"      - {{name: {'x' * 1_000_000}, required: true}}\n", "has no column"),
    "columns that are a word": (HEAD + "schema:\n  - name: orders\n    properties: yes please\n", "properties"),
    "columns that are true": (HEAD + "schema:\n  - name: orders\n    properties: true\n", "properties"),
    "a column that is a list": (TABLE + "      - [note]\n", "must be a mapping"),
    "a pattern that is a list": (TABLE + "      - {name: note, logicalType: string, logicalTypeOptions: {pattern: [a]}}\n", "pattern"),
    "a pattern of 5,000 groups": (TABLE + f"      - {{name: note, logicalType: string, logicalTypeOptions: {{pattern: '{'(' * 5_000}{')' * 5_000}'}}}}\n", "10,000 characters"),
    "a length that is a text": (TABLE + "      - {name: note, logicalType: string, logicalTypeOptions: {minLength: many}}\n", "must be"),
    "SQL as a type": (TABLE + "      - {name: note, physicalType: 'VARCHAR); DROP TABLE x; --', required: true}\n", "physicalType VARCHAR"),
    "SQL as a column": (TABLE + "      - {name: 'note\"; DROP TABLE x; --', required: true}\n", "has no column"),
    "a query that is a list": (HEAD + "schema:\n  - name: orders\n    quality: [{type: sql, query: [1], mustBe: 0}]\n", "query"),
    "a threshold that is code": (TABLE + "      - {name: note, quality: [{metric: nullValues, mustBe: '__import__(os)'}]}\n", "must be a number"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_file_is_left_out_in_one_sentence(shop: Shop, file: Path, name: str) -> None:
    text, told = TEXTS[name]
    file.write_text(text, encoding="utf-8")

    assert told in left_out(shop)
    assert not Path("pwned").exists()


def test_what_is_no_file_holds_nobody_up(shop: Shop, file: Path) -> None:
    """A pipe that nobody writes to, a device without an end, a file of a terabyte, a link to somewhere else."""
    file.unlink()
    os.mkfifo(file)
    assert "no file to read" in left_out(shop)

    for target, told in (
        ("/dev/zero", "a link to another place"),
        ("/etc/passwd", "a link to another place"),
    ):
        file.unlink()
        file.symlink_to(target)
        assert told in left_out(shop)

    file.unlink()
    with file.open("wb") as sparse:
        sparse.truncate(2**40)
    assert "1,099,511,627,776 bytes; at most 4,000,000 are read" in left_out(shop)


HARMFUL = """    properties:
      - name: note
        logicalType: string
        logicalTypeOptions: {pattern: '^(a+)+$'}
        quality:
          - {name: "'; DROP TABLE orders; --", metric: invalidValues, mustBe: 0, arguments: {validValues: ["'); DROP TABLE orders; --"]}}
          - {name: twice repeated, metric: invalidValues, mustBe: 0, arguments: {pattern: '((a{1,30}){1,30}){1,30}'}}
    quality:
      - {name: reads a file, type: sql, query: "select count(*) from read_text('/etc/passwd'), {object}", mustBe: 0}
      - {name: drops, type: sql, query: "drop table {object}", mustBe: 0}
      - {name: two statements, type: sql, query: "select 1; drop table {object}", mustBe: 0}
      - {name: sets, type: sql, query: "select count(*) from {object}, duckdb_settings()", mustBe: 0}
"""


def test_rules_that_mean_harm_warn_and_the_producer_publishes(shop: Shop, file: Path) -> None:
    shop.expects("books", "shop.orders", HARMFUL)

    built = shop.build("shop.orders")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert built.verdict is not None
    theirs = {each.rule.id: each for each in built.verdict.results if each.rule.expected_by}
    assert len(theirs) == 7
    assert {each.outcome for each in theirs.values()} <= {Outcome.FAILED, Outcome.ERROR}
    assert {name for name, each in theirs.items() if each.outcome is Outcome.ERROR} >= {
        "books__reads_a_file", "books__drops", "books__two_statements", "books__sets",
    }  # fmt: skip
    assert theirs["books__note_pattern"].failed_rows == 2
    assert len(shop.rows("shop.orders")) == 2


GOOD: dict[str, Any] = yaml.safe_load(HEAD) | {
    "schema": [
        {
            "name": "orders",
            "properties": [
                {
                    "name": "amount",
                    "logicalType": "integer",
                    "required": True,
                    "logicalTypeOptions": {"maximum": 100, "multipleOf": 2},
                    "relationships": [{"type": "foreignKey", "to": "books.revenue.order_count"}],
                    "quality": [
                        {"name": "a", "metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"},
                        {"name": "b", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [1]}},
                    ],
                }
            ],
            "quality": [
                {"name": "c", "metric": "rowCount", "mustBeBetween": [1, 5]},
                {"name": "d", "type": "sql", "query": "SELECT sum(amount) FROM {object}", "mustBe": 0},
                {"name": "e", "type": "custom", "engine": "mesh", "implementation": {"kind": "outlier_share", "column": "amount", "method": "iqr", "mustBe": 0}},
                {"name": "f", "type": "custom", "engine": "mesh", "implementation": "kind: expression\nexpression: amount > 1"},
            ],
        }
    ]
}  # fmt: skip
WRONG: list[Any] = [
    None, True, -1, 1e308, "", "'; DROP TABLE x; --", "{object}", "../../etc", "\u202e", "(a+)+$", "[", [], {}, [[]], [None],
    [{}], {"a": 1}, "2024-13-01", "amount", 10**30, "a" * 3000, [{"name": "amount"}] * 3,
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in pairs:
        yield from _places(each, (*path, step))


def test_a_file_with_anything_in_any_place_is_read_or_refused_and_breaks_nothing(
    shop: Shop, file: Path
) -> None:
    contract = read_contract(shop.folder("shop.orders") / "contract.yaml")
    consumer = read_domain(shop.root / "domains" / "books")
    file.write_text(yaml.safe_dump(GOOD), encoding="utf-8")
    assert len(read_expectations(file, contract, consumer)) == 10
    dice = random.Random(3)

    for path in [*_places(GOOD)] * 2:
        document = deepcopy(GOOD)
        owner = document
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = dice.choice(WRONG)
        file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        try:
            read_expectations(file, contract, consumer)
        except MeshError as error:
            assert str(file) in str(error)
