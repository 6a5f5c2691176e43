"""Some weeks of a product are built: new and changed rules are asked of the weeks that stay, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.capabilities.publishing.keep import draft_folder
from mesh_assets.capabilities.publishing.rows import Reader, write_failing_rows
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import Outcome, RuleResult
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop, make_shop, write_product

VISIT = ProductName("shop", "visit")
FIRST, SECOND = "2024-01-01", "2024-01-08"
WEEKLY = """customProperties:
  - property: partitions
    value: {column: week, every: week, first: 2024-01-01, until: 2024-01-15}
"""
RECIPE = '''"""Visits of some weeks."""

from mesh_assets import mesh


@mesh.recipe(inputs=[])
def visit(run: mesh.Run) -> str:
    weeks = ", ".join(f"date '{week}'" for week in run.weeks)
    return f"select * from (values ROWS) as rows(COLUMNS) where week in ({weeks})"
'''
#: (id, note, week)
ROWS = (
    "(10::bigint, '1', date '2024-01-01'), (20, '2', date '2024-01-08'), "
    "(20, 'x', date '2024-01-08'), (null, '3', date '2024-01-08')"
)
OF_THE_OTHERS = "of them rows of partitions that this build does not make"


def visits(shop: Shop, rows: str = ROWS, *, columns: tuple[tuple[str, str], ...] = ()) -> Path:
    """The product; its contract has no key and one rule of its own. Rows are written as SQL."""
    kinds = (("id", "BIGINT"), ("note", "VARCHAR"), ("week", "DATE"), *columns)
    folder = write_product(shop, "shop.visit", columns=kinds, recipe="")
    (folder / "recipe.sql").unlink(missing_ok=True)
    text = (folder / "contract.yaml").read_text(encoding="utf-8") + WEEKLY
    for line in ("primaryKey: true", "primaryKeyPosition: 1", "required: true"):
        text = text.replace(f"        {line}\n", "")
    (folder / "contract.yaml").write_text(text, encoding="utf-8")
    names = ", ".join(name for name, _ in kinds)
    recipe = RECIPE.replace("ROWS", rows).replace("COLUMNS", names)
    (folder / "recipe.py").write_text(recipe, encoding="utf-8")
    return folder / "contract.yaml"


def promise(contract: Path, column: str, lines: str) -> None:
    text = contract.read_text(encoding="utf-8")
    assert text.count(f"- name: {column}\n") == 1
    contract.write_text(text.replace(f"- name: {column}\n", f"- name: {column}\n{lines}"), encoding="utf-8")


def build_week(shop: Shop, week: str, run_id: str) -> Built:
    workshop = replace(shop.workshop("shop", run_id=run_id), weeks=(week,))
    try:
        return build(workshop, VISIT)
    finally:
        workshop.registry.close()


def refused(shop: Shop, week: str = FIRST) -> dict[str, RuleResult]:
    with pytest.raises(PromiseBroken):
        build_week(shop, week, "again")
    assert shop.head("shop.visit") == 1
    with open_registry(shop.settings) as registry:
        return {each.rule.id: each for each in registry.rule_results(VISIT, run_id="again")}


def rows_of(shop: Shop, rule: str) -> list[tuple[object, ...]]:
    """What `mesh why shop.visit --rule RULE --rows FILE` writes; the file beside the draft has as many."""
    target = shop.root / "rows.parquet"
    with open_registry(shop.settings) as registry:
        asset = shop.workshop("shop").asset(VISIT)
        count = write_failing_rows(Reader(shop.settings, registry, asset), rule, target)
    found = duckdb.sql(f"select id, note, week::varchar from '{target}' order by all").fetchall()
    kept = draft_folder(shop.settings, VISIT) / "rows" / f"{rule}.parquet"
    assert duckdb.sql(f"select count(*) from '{kept}'").fetchall() == [(count,)]
    assert len(found) == count
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two weeks of visits, published without a rule that any row breaks."""
    made = make_shop(tmp_path)
    visits(made)
    made.build("shop.visit", run_id="both")
    return made


def test_a_new_rule_names_every_row_of_weeks_that_stay(shop: Shop) -> None:
    contract = visits(shop, ROWS.replace("'1'", "'0'"))
    promise(contract, "note", "        logicalTypeOptions: {pattern: '^[1-9]$'}\n")

    result = refused(shop)["note_pattern"]

    assert (result.failed_rows, result.checked_rows, len(result.sample)) == (2, 4, 2)
    assert f"1 {OF_THE_OTHERS}" in result.summary
    assert rows_of(shop, "note_pattern") == [(10, "0", FIRST), (20, "x", SECOND)]


def test_a_changed_expectation_names_every_row_of_weeks_that_stay(shop: Shop) -> None:
    file = visits(shop).parent / "expectations.py"
    head = "from mesh_assets import mesh\n\n\n@mesh.expectation(columns=['note'])\ndef digits(frame):\n"
    file.write_text(
        f'{head}    """Digits."""\n    return frame["note"].is_in(["2", "3"])\n', encoding="utf-8"
    )

    result = refused(shop)["digits"]

    assert (result.failed_rows, result.checked_rows) == (2, 4)
    assert rows_of(shop, "digits") == [(10, "1", FIRST), (20, "x", SECOND)]


def test_nulls_of_a_new_key_are_counted_and_named_in_weeks_that_stay(shop: Shop) -> None:
    promise(visits(shop), "id", "        primaryKey: true\n        primaryKeyPosition: 1\n")

    result = refused(shop)["primary_key"]

    assert (result.failed_rows, result.checked_rows) == (3, 4)
    assert rows_of(shop, "primary_key") == [(20, "2", SECOND), (20, "x", SECOND), (None, "3", SECOND)]


def test_a_new_key_with_the_partition_column_is_asked_of_weeks_that_stay(shop: Shop) -> None:
    """No week can repeat another one's key, and a week that stays may repeat its own."""
    contract = visits(shop)
    for place, name in enumerate(("id", "week"), start=1):
        promise(contract, name, f"        primaryKey: true\n        primaryKeyPosition: {place}\n")

    result = refused(shop)["primary_key"]

    assert (result.failed_rows, result.checked_rows) == (3, 4)
    assert f"3 {OF_THE_OTHERS}" in result.summary
    assert rows_of(shop, "primary_key") == [(20, "2", SECOND), (20, "x", SECOND), (None, "3", SECOND)]


def test_a_key_with_a_column_that_weeks_that_stay_do_not_have_is_null_there(shop: Shop) -> None:
    more = ROWS.replace("), (", ", 7::bigint), (").removesuffix(")") + ", 7::bigint)"
    contract = visits(shop, more, columns=(("seat", "BIGINT"),))
    promise(contract, "seat", "        primaryKey: true\n        primaryKeyPosition: 1\n")

    result = refused(shop)["primary_key"]

    assert (result.outcome, result.failed_rows) == (Outcome.FAILED, 3)
    assert {week for *_, week in rows_of(shop, "primary_key")} == {SECOND}


EXPRESSION = """        quality:
          - name: half
            type: custom
            engine: mesh
            implementation: {kind: expression, expression: "note::integer > 0"}
"""


@pytest.mark.parametrize(("week", "where"), [(FIRST, "the weeks that stay"), (SECOND, "the draft")])
def test_a_rule_that_cannot_run_on_one_side_is_an_error_of_both(shop: Shop, week: str, where: str) -> None:
    promise(visits(shop), "note", EXPRESSION)

    result = refused(shop, week)["half"]

    assert (result.outcome, result.failed_rows) == (Outcome.ERROR, None), where
    assert "Could not convert string 'x'" in result.summary


def expects(shop: Shop, lines: str) -> None:
    shop.expects("books", "shop.visit", f"    properties:\n      - name: note\n{lines}")
    domain = shop.root / "domains" / "books" / "domain.yaml"
    text = domain.read_text(encoding="utf-8")
    if "contractId: shop.visit" not in text:
        port = "  - name: shop_visit\n    version: 1.0.0\n    contractId: shop.visit\n"
        domain.write_text(text.replace("inputPorts:\n", f"inputPorts:\n{port}"), encoding="utf-8")


def of_guest(built: Built) -> RuleResult:
    assert built.verdict is not None
    (found,) = [each for each in built.verdict.results if each.rule.expected_by == "books"]
    return found


def test_what_a_consumer_expects_is_asked_of_weeks_that_stay_and_stops_nothing(shop: Shop) -> None:
    visits(shop, ROWS.replace("10::bigint", "11::bigint"))
    expects(shop, "        logicalType: string\n        logicalTypeOptions: {pattern: '^[0-9]$'}\n")

    built = build_week(shop, FIRST, "again")

    found = of_guest(built)
    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert (found.outcome, found.failed_rows, found.checked_rows) == (Outcome.FAILED, 1, 4)
    assert f"1 {OF_THE_OTHERS}" in found.summary
    assert found.sample[0]["note"] == "x"

    visits(shop, ROWS.replace("10::bigint", "12::bigint"))
    again = build_week(shop, FIRST, "third")  # it failed, so that nobody may take it for kept

    assert of_guest(again).failed_rows == 1


def test_a_consumers_rule_that_cannot_run_on_weeks_that_stay_is_its_own_error(shop: Shop) -> None:
    visits(shop, ROWS.replace("10::bigint", "11::bigint"))
    expects(shop, EXPRESSION)

    built = build_week(shop, FIRST, "again")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert of_guest(built).outcome is Outcome.ERROR
