"""Partitions and rows that are set aside are promoted with all that is known of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens.promote import Wanted, promote
from mesh_assets.capabilities.kitchens.running import Plan, Verdict, run_kitchen
from mesh_assets.capabilities.kitchens.undo import undo
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.mending import release_corrected
from mesh_assets.capabilities.publishing.stale import stale_now
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import InTheWay, SampledKitchen
from tests.cuts import WEEKS, build_all, drop, make_cuts
from tests.shop import Shop
from tests.unit.kitchens.conftest import git, in_git, opened
from tests.unit.kitchens.test_promotion import nothing_is_stale

FILL, SALE = product_name("till.fill"), product_name("facts.sale")
HELD = """  - {property: onFailure, value: quarantine}
  - {property: quarantineLimit, value: 60}
"""
NO_AUDIT = Plan(audit_share=0.0)


FIRST = date.fromisoformat(WEEKS[0])


def deliver(mesh: Shop, weeks: tuple[str, ...]) -> None:
    for week in weeks:
        drop(mesh, week, [(WEEKS.index(week), date.fromisoformat(week), 10)])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Four weeks of fills, sales and performance; one row of the first week is in quarantine."""
    mesh = make_cuts(tmp_path_factory.mktemp("template") / "shop")
    contract = mesh.folder("till.fill") / "contract.yaml"
    text = contract.read_text(encoding="utf-8").replace(
        "customProperties:\n", "customProperties:\n" + HELD, 1
    )
    text = text.replace("- name: amount\n", "- name: amount\n        logicalTypeOptions: {maximum: 100}\n")
    contract.write_text(text, encoding="utf-8")
    recipe = mesh.folder("facts.sale") / "recipe.py"
    text = recipe.read_text(encoding="utf-8")
    declared = 'columns={"till.fill": ["fill_date", "week", "amount"]}, sources='
    recipe.write_text(text.replace("sources=", declared), encoding="utf-8")
    deliver(mesh, WEEKS[:4])
    drop(mesh, WEEKS[0], [(0, FIRST, 10), (100, FIRST, 1000)])
    build_all(mesh, "first")
    in_git(mesh)
    return mesh


@pytest.fixture
def cuts(template: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(template.root, tmp_path / "shop")
    return replace(template, root=tmp_path / "shop")


def change(here: Shop, product: str, before: str, after: str) -> None:
    domain, _, name = product.partition(".")
    path = here.settings.domains / domain / name / "recipe.py"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    git(here.settings.domains, "commit", "--quiet", "-am", "changed")


def aside(mesh: Shop) -> dict[str, int]:
    """Rows in quarantine by week."""
    with open_registry(mesh.settings) as registry:
        head = registry.head(FILL)
    assert head is not None
    weeks = head.certificate.quarantine["partitions"]
    return {week: facts["rows"] for week, facts in weeks.items() if facts["rows"]}


def stale(mesh: Shop, name: str) -> tuple[str, ...]:
    workshop = mesh.workshop(product_name(name).domain)
    try:
        return stale_now(workshop, read_mesh(mesh.settings).assets[product_name(name)])
    finally:
        workshop.registry.close()


def test_weeks_are_promoted_and_undone_and_nothing_is_to_be_made(cuts: Shop) -> None:
    here = opened(cuts)
    change(here, "till.fill", "cast(amount as bigint)", "cast(amount as bigint) * 2")
    run_kitchen(here.settings, NO_AUDIT)

    promote(cuts.settings, "try")

    assert [row[3] for row in cuts.rows("till.fill")] == [20] * 4
    assert [row[2] for row in cuts.rows("facts.sale")] == [20] * 4
    assert aside(cuts) == {WEEKS[0]: 1}
    assert nothing_is_stale(cuts)
    undo(cuts.settings, 1)
    assert [row[2] for row in cuts.rows("facts.sale")] == [10] * 4
    assert nothing_is_stale(cuts)


def test_weeks_that_were_skipped_are_not_made_by_production_either(cuts: Shop) -> None:
    """Most weeks of the contract have not come yet, and one came and was not built."""
    here = opened(cuts)
    change(here, "till.fill", "cast(fill_id as bigint)", "cast(fill_id as bigint) + 1000")
    run = run_kitchen(here.settings, NO_AUDIT)
    deliver(cuts, WEEKS[4:5])

    promote(cuts.settings, "try", Wanted(rebase=False))

    assert run.of(Verdict.SKIPPED) == (SALE,)
    assert [row[0] for row in cuts.rows("till.fill")] == [1000, 1001, 1002, 1003]
    assert stale(cuts, "till.fill") == WEEKS[1:5]  # rows of three weeks may be late
    assert stale(cuts, "facts.sale") == ()


def test_a_preview_since_a_day_reads_the_weeks_from_then_on(cuts: Shop) -> None:
    here = opened(cuts, since=WEEKS[2])

    run = run_kitchen(here.settings, Plan(audit_share=1.0, no_skip=True))
    here.build("facts.sale", run_id="preview", force=True)

    assert not run.wrong
    assert [str(row[1]) for row in here.rows("facts.sale")][-2:] == [*WEEKS[2:4]]
    with pytest.raises(SampledKitchen, match="--code-only"):
        promote(cuts.settings, "try")


def mend(mesh: Shop, amount: int) -> None:
    """Somebody corrects the row that is in quarantine."""
    file = mesh.root / "corrected.csv"
    file.write_text(f"fill_id,fill_date,amount,week\n100,{FIRST},{amount},{FIRST}\n", encoding="utf-8")
    with open_registry(mesh.settings) as registry:
        asset = read_mesh(mesh.settings).assets[FILL]
        assert release_corrected(mesh.settings, registry, asset, file, "mender") == 1


def test_rows_that_were_corrected_in_a_kitchen_stay_corrected(cuts: Shop) -> None:
    here = opened(cuts)
    mend(here, 50)
    run_kitchen(here.settings, NO_AUDIT)

    promote(cuts.settings, "try")

    assert aside(cuts) == {}
    assert [row[3] for row in cuts.rows("till.fill")] == [10, 10, 10, 10, 50]
    assert nothing_is_stale(cuts)
    undo(cuts.settings, 1)
    assert aside(cuts) == {WEEKS[0]: 1}
    assert nothing_is_stale(cuts)


def test_rows_that_were_corrected_on_both_sides_are_for_people(cuts: Shop) -> None:
    here = opened(cuts)
    mend(here, 50)
    run_kitchen(here.settings, NO_AUDIT)
    mend(cuts, 60)

    with pytest.raises(InTheWay, match=r"till\.fill were corrected on the other side too by mender"):
        promote(cuts.settings, "try")
    build_all(cuts, "second")
    assert 60 in [row[3] for row in cuts.rows("till.fill")]
