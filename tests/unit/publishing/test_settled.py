"""Some weeks of a product are built again: its rules about the whole hold for the other weeks as well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.build import Built, build
from mesh_assets.words.errors import PromiseBroken
from mesh_assets.words.names import ProductName
from tests.shop import Shop, write_product

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
    return f"select * from (values ROWS) as rows(id, area, week) where week in ({weeks})"
'''


def areas(shop: Shop, *codes: int) -> None:
    rows = ", ".join(f"({code}::bigint)" for code in codes)
    recipe = f"select * from (values {rows}) as rows(code)\n"
    write_product(shop, "shop.area", columns=(("code", "BIGINT"),), recipe=recipe)


def visits(shop: Shop, *rows: tuple[int, int, str]) -> None:
    columns = (("id", "BIGINT"), ("area", "BIGINT"), ("week", "DATE"))
    folder = write_product(shop, "shop.visit", columns=columns, recipe="")
    (folder / "recipe.sql").unlink()
    text = (folder / "contract.yaml").read_text(encoding="utf-8")
    text = text.replace("- name: id\n", "- name: id\n        unique: true\n")
    text = text.replace("- name: area\n", "- name: area\n        relationships: [{to: shop.area.code}]\n")
    text = text.replace("- name: week\n", "- name: week\n        required: true\n")
    (folder / "contract.yaml").write_text(text + WEEKLY, encoding="utf-8")
    values = ", ".join(f"({key}::bigint, {area}::bigint, date '{week}')" for key, area, week in rows)
    (folder / "recipe.py").write_text(RECIPE.replace("ROWS", values), encoding="utf-8")


def build_week(shop: Shop, week: str, run_id: str) -> Built:
    workshop = replace(shop.workshop("shop", run_id=run_id), weeks=(week,))
    try:
        return build(workshop, ProductName("shop", "visit"))
    finally:
        workshop.registry.close()


@pytest.fixture
def published(shop: Shop) -> Shop:
    """Two weeks, an area each."""
    areas(shop, 1, 2)
    visits(shop, (10, 1, FIRST), (20, 2, SECOND))
    shop.build("shop.area", run_id="areas")
    shop.build("shop.visit", run_id="both")
    return shop


def test_a_week_that_is_not_built_fails_when_its_area_is_gone(published: Shop) -> None:
    areas(published, 1)
    published.build("shop.area", run_id="fewer")

    with pytest.raises(PromiseBroken, match=r"failed on 1 of 2 rows"):
        build_week(published, FIRST, "again")


def test_a_key_of_a_week_that_is_not_built_cannot_come_again(published: Shop) -> None:
    visits(published, (20, 1, FIRST), (20, 2, SECOND))

    with pytest.raises(PromiseBroken, match=r"failed on 2 of 2 rows"):
        build_week(published, FIRST, "again")


def test_a_good_week_is_published_beside_the_others(published: Shop) -> None:
    visits(published, (11, 2, FIRST), (20, 2, SECOND))

    build_week(published, FIRST, "again")

    assert [row[:2] for row in published.rows("shop.visit")] == [(11, 2), (20, 2)]


def test_rows_set_aside_are_counted_where_they_are_held(published: Shop) -> None:
    """A key that another week has too: both rows break the rule, and only this draft's can be set aside."""
    visits(published, (10, 1, FIRST), (10, 2, SECOND), (30, 2, SECOND))
    contract = published.folder("shop.visit") / "contract.yaml"
    words = "  - {property: onFailure, value: quarantine}\n  - {property: quarantineLimit, value: 60}\n"
    contract.write_text(contract.read_text(encoding="utf-8") + words, encoding="utf-8")

    built = build_week(published, SECOND, "run-2")

    assert built.verdict is not None
    results = {result.rule.id: result for result in built.verdict.results}
    twice = results["id_unique"]
    assert (twice.failed_rows, twice.quarantined_rows) == (1, 1)
    assert twice.summary == "failed on 1 of 2 rows, which are in quarantine"


def test_a_draft_without_bad_rows_of_its_own_is_refused_with_exact_counts(published: Shop) -> None:
    """The target loses an area that only a published week points at: there is nothing to set aside."""
    contract = published.folder("shop.visit") / "contract.yaml"
    words = "  - {property: onFailure, value: quarantine}\n"
    contract.write_text(contract.read_text(encoding="utf-8") + words, encoding="utf-8")
    areas(published, 2)
    published.build("shop.area", run_id="run-2")

    with pytest.raises(PromiseBroken, match="failed on 1 of"):
        build_week(published, SECOND, "run-2")


def promise(shop: Shop, before: str, after: str) -> None:
    contract = shop.folder("shop.visit") / "contract.yaml"
    text = contract.read_text(encoding="utf-8")
    assert text.count(before) == 1
    contract.write_text(text.replace(before, after), encoding="utf-8")


AREA = "- name: area\n"
AT_MOST_ONE = AREA + "        logicalTypeOptions: {maximum: 1}\n"


def test_rows_of_a_week_that_is_not_built_are_held_to_a_new_rule(published: Shop) -> None:
    promise(published, AREA, AT_MOST_ONE)

    with pytest.raises(PromiseBroken, match=r"failed on 1 of 2 rows, 1 of them rows of partitions that this"):
        build_week(published, FIRST, "again")
    assert published.head("shop.visit") == 1


def test_rows_of_a_week_that_is_not_built_are_held_to_a_changed_expectation(published: Shop) -> None:
    text = "from mesh_assets import mesh\n\n\n@mesh.expectation(columns=['area'])\ndef low(frame):\n"
    file = published.folder("shop.visit") / "expectations.py"
    file.write_text(f'{text}    """Low."""\n    return frame["area"] < 3\n', encoding="utf-8")
    build_week(published, FIRST, "kept")
    file.write_text(f'{text}    """Low."""\n    return frame["area"] < 2\n', encoding="utf-8")

    with pytest.raises(PromiseBroken, match=r"low.*failed on 1 of 2 rows, 1 of them"):
        build_week(published, FIRST, "again")


def test_quarantine_sets_no_published_row_aside_and_refuses(published: Shop) -> None:
    promise(published, AREA, AT_MOST_ONE)
    promise(
        published,
        "customProperties:\n  - property: partitions",
        "customProperties:\n  - {property: onFailure, value: quarantine}\n  - property: partitions",
    )

    with pytest.raises(PromiseBroken, match=r"1 of them rows of partitions that this build does not make"):
        build_week(published, FIRST, "again")


def test_a_new_rule_that_every_week_keeps_is_published_and_not_asked_again(
    published: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(published, AREA, AREA + "        logicalTypeOptions: {maximum: 2}\n")
    build_week(published, FIRST, "kept")
    assert published.head("shop.visit") == 2
    visits(published, (11, 2, FIRST), (20, 2, SECOND))
    promise(published, AREA, AREA + "        logicalTypeOptions: {maximum: 2}\n")
    asked: list[object] = []
    ask = Auditor.ask
    monkeypatch.setattr(Auditor, "ask", lambda self, *what: asked.append(what) or ask(self, *what))

    build_week(published, FIRST, "again")

    assert published.head("shop.visit") == 3
    assert asked == []
