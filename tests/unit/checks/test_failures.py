"""Failing rows as Parquet, a file per rule."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.checks.audit import audit
from mesh_assets.capabilities.checks.expectations import declared_expectations
from mesh_assets.capabilities.checks.failures import write_failures
from mesh_assets.words.names import ProductName
from tests.unit.checks.conftest import contract_of, draft, rule

ZIPS = ProductName("geography", "zip_area")
FK = rule("foreign_key", "zip5", id="zip5_is_zip_area", to_product=str(ZIPS), to_columns=["zip5"])


@pytest.fixture
def write(con, tmp_path):
    def write(relation, *rules, extra_rules=(), limit=100, known=True, **about):
        contract = contract_of(*rules, **about)
        references = {ZIPS: draft(("'1'",), columns="zip5")}
        verdict = audit(con, relation, contract, references=references, extra_rules=extra_rules)
        again = references if known else {}
        paths = write_failures(
            con, relation, contract, verdict, tmp_path / "rows", references=again, limit=limit
        )
        return {path.stem: con.execute(f"SELECT * FROM read_parquet('{path}')").fetchall() for path in paths}

    return write


def test_each_failed_rule_gets_a_file_with_all_its_rows_up_to_the_limit(write):
    relation = "SELECT i AS id, -i AS x FROM range(1, 1001) AS rows(i)"
    rules = (rule("minimum", "x", value=0), rule("maximum", "x", value=0), rule("multiple_of", "x", value=2))

    found = write(relation, *rules, key=("id",), limit=600)

    assert {name: len(rows) for name, rows in found.items()} == {"x_minimum": 600, "x_multiple_of": 500}
    assert found["x_minimum"][0] == (1, -1)


def test_personal_columns_are_masked(write):
    found = write(
        draft(("1", "'Ann'"), columns="id, name"), rule("max_length", "name", value=1), personal=("name",)
    )

    assert found == {"name_max_length": [("***",)]}


@pytest.mark.parametrize("known", [True, False])
def test_rows_without_a_reference_are_written_from_the_sample_if_the_reference_is_gone(write, known):
    found = write(draft(("1", "'1'"), ("2", "'2'"), columns="id, zip5"), FK, key=("id",), known=known)

    assert found == {"zip5_is_zip_area": [(2, "2")]}


def test_rows_that_an_expectation_found_are_written_too(write, tmp_path):
    path = tmp_path / "expectations.py"
    path.write_text(
        "from mesh_assets.capabilities.checks.expectations import expectation\n"
        "@expectation(columns=['x'], batches=True)\ndef x_is_even(frame):\n    return frame['x'] % 2 == 0\n"
    )
    relation = "SELECT i AS id, i AS x FROM range(1000) AS rows(i)"

    found = write(relation, extra_rules=declared_expectations(path), key=("id",), limit=400)

    assert len(found["x_is_even"]) == 400
    assert found["x_is_even"][0] == (1, 1)


@pytest.mark.parametrize(
    ("broken", "ids"),
    [
        (rule("unique", "zip5"), {1, 2, 3}),
        (FK, {1, 2, 3, 4}),
        (rule("null_values", "name", operator="mustBe", value=0), {2, 3}),
        (rule("minimum", "id", value=3), {1, 2}),
    ],
)
def test_the_complete_set_holds_every_row_that_was_counted(con, tmp_path, broken, ids):
    """Counts about the product take in rows of published partitions, and so do the files."""
    columns = "id, zip5, name"
    here = draft(("1", "'0'", "'a'"), ("2", "'0'", "NULL"), columns=columns)
    there = draft(("3", "'0'", "NULL"), ("4", "'9'", "'b'"), columns=columns)
    contract = contract_of(broken, key=("id",))
    references = {ZIPS: draft(("'1'",), columns="zip5")}
    verdict = audit(con, here, contract, references=references, whole_sql=there)

    (path,) = write_failures(con, here, contract, verdict, tmp_path, references=references, whole_sql=there)

    found = con.execute(f"SELECT id FROM read_parquet('{path}')").fetchall()
    assert {key for (key,) in found} == ids
    assert len(found) == verdict.results[0].failed_rows


def test_repeated_keys_stand_together(write):
    relation = "SELECT i % 3 AS id, i AS x FROM range(6) AS rows(i)"

    found = write(relation, rule("unique", "id"))

    assert [row[0] for row in found["id_unique"]] == [0, 0, 1, 1, 2, 2]
