"""A run makes what a change touches, and audits what it leaves out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_assets.capabilities.kitchens import pruning
from mesh_assets.capabilities.kitchens.running import KitchenRun, Plan, Verdict, run_kitchen
from mesh_assets.capabilities.lineage.columns import ColumnLineage, How
from mesh_assets.capabilities.lineage.read import read_mesh
from mesh_assets.capabilities.publishing.build import build
from mesh_assets.capabilities.publishing.stale import stale_now
from mesh_assets.words.names import ProductName, product_name
from tests.shop import ORDERS, SOURCES, Shop, add_domain, write_product
from tests.unit.kitchens.conftest import edit, git, in_git, opened

#: Customers, and eleven products that use them in one way or another: two read what a customer has spent.
USERS = 11
SPENDERS = (3, 7)
#: Written in Python, and does not say which columns it reads: it was watched.
WATCHED = 5
PYTHON = """from mesh_assets import mesh


@mesh.recipe(inputs=["shop.customer"])
def {name}(run):
    return "{text}"
"""
NO_AUDIT = Plan(audit_share=0.0)


def chain(number: int) -> str:
    return f"shop.user_{number:02}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Twelve models of one domain, as SQLMesh's failure was found with: each reads the wide one."""
    shop = Shop(tmp_path_factory.mktemp("template") / "shop")
    shop.deliver(ORDERS)
    names = ["customer", *(f"user_{number:02}" for number in range(USERS))]
    add_domain(shop, "shop", tuple(names), sources=SOURCES)
    write_product(
        shop,
        "shop.customer",
        columns=(("customer_id", "BIGINT"), ("name", "VARCHAR"), ("spent", "BIGINT")),
        recipe="-- source: order_log\nselect order_id::bigint as customer_id, 'c' || order_id as name, "
        "amount::bigint as spent from source.order_log\n",
    )
    for number in range(USERS):
        read = "spent" if number in SPENDERS else "length(name)"
        write_product(
            shop,
            chain(number),
            columns=(("customer_id", "BIGINT"), ("figure", "BIGINT")),
            recipe="-- input: shop.customer\nselect customer_id, "
            f"({read} + {number})::bigint as figure from shop.customer\n",
        )
    folder = shop.folder(chain(WATCHED))
    text = (folder / "recipe.sql").read_text(encoding="utf-8").split("\n", 1)[1].strip()
    (folder / "recipe.py").write_text(PYTHON.format(name=folder.name, text=text), encoding="utf-8")
    (folder / "recipe.sql").unlink()
    in_git(shop)
    workshop = shop.workshop("shop", run_id="first")
    for name in names:
        build(workshop, product_name(f"shop.{name}"))
    workshop.registry.close()
    return shop


@pytest.fixture
def inside(template: Shop, tmp_path: Path) -> Shop:
    shutil.copytree(template.root, tmp_path / "shop")
    return opened(Shop(tmp_path / "shop"))


def names(run: KitchenRun, *verdicts: Verdict) -> list[str]:
    return sorted(map(str, run.of(*verdicts)))


def stale(shop: Shop) -> list[str]:
    found = []
    for name, asset in read_mesh(shop.settings).assets.items():
        workshop = shop.workshop(name.domain)
        found += [str(name)] if stale_now(workshop, asset) else []
        workshop.registry.close()
    return sorted(found)


def test_a_change_of_one_column_makes_three_of_twelve(inside: Shop) -> None:
    edit(inside, "shop.customer", "amount::bigint as spent", "amount::bigint * 2 as spent")

    run = run_kitchen(inside.settings, NO_AUDIT)

    assert names(run, Verdict.MADE) == ["shop.customer", *(chain(number) for number in SPENDERS)]
    assert len(run.of(Verdict.SKIPPED)) == USERS - len(SPENDERS)
    assert run.good
    assert stale(inside) == []
    assert inside.rows(chain(3)) == [(1, 23), (2, 43)]


def test_a_change_that_changes_no_row_ends_where_it_began(inside: Shop) -> None:
    edit(inside, "shop.customer", "'c' || order_id", "concat('c', order_id)")

    run = run_kitchen(inside.settings, NO_AUDIT)

    assert [(str(each.product), each.verdict) for each in run.steps] == [("shop.customer", Verdict.SAME)]
    assert not run_kitchen(inside.settings, NO_AUDIT).steps


def test_columns_that_are_each_the_same_and_stand_together_in_other_rows_are_another_input(
    inside: Shop,
) -> None:
    edit(
        inside,
        "shop.customer",
        "amount::bigint as spent from source.order_log",
        "(30 - amount::bigint) as spent from source.order_log",
    )

    run = run_kitchen(inside.settings, NO_AUDIT)

    assert set(names(run, Verdict.MADE)) == {"shop.customer", *(chain(number) for number in SPENDERS)}


def test_what_production_publishes_meanwhile_is_not_what_a_run_reads(inside: Shop) -> None:
    outside = Shop(inside.root)
    outside.deliver("order_id,amount\n1,1000\n")
    outside.build("shop.customer", run_id="later")
    edit(inside, chain(3), "spent + 3", "spent + 4")

    run = run_kitchen(inside.settings, NO_AUDIT)

    assert names(run, Verdict.MADE) == [chain(3)]
    assert inside.rows(chain(3)) == [(1, 14), (2, 24)]


def test_a_run_with_no_skip_makes_all_that_a_change_could_reach(inside: Shop) -> None:
    edit(inside, "shop.customer", "amount::bigint as spent", "amount::bigint * 2 as spent")

    run = run_kitchen(inside.settings, Plan(no_skip=True))

    assert len(run.of(Verdict.MADE, Verdict.SAME)) == 1 + USERS


def test_the_audit_makes_a_share_of_what_was_skipped_and_finds_it_as_it_was(inside: Shop) -> None:
    edit(inside, "shop.customer", "amount::bigint as spent", "amount::bigint * 2 as spent")

    run = run_kitchen(inside.settings, Plan(audit_share=0.25, seed="a"))

    assert len(run.of(Verdict.AUDITED)) == 3  # of nine, a quarter
    assert len(run.of(Verdict.SKIPPED)) == USERS - len(SPENDERS) - 3
    assert run.good


def test_a_wrong_skip_is_a_loud_failure(inside: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(inside, "shop.customer", "amount::bigint as spent", "amount::bigint * 2 as spent")
    monkeypatch.setattr(pruning, "column_lineage", _lying(pruning.column_lineage))

    run = run_kitchen(inside.settings, Plan(audit_share=1.0))

    assert names(run, Verdict.WRONG) == [chain(3)]
    assert not run.good


def test_what_uses_a_product_that_fails_is_not_made(inside: Shop) -> None:
    edit(inside, "shop.customer", "amount::bigint as spent", "amount::bigint / 0 as spent, 1 as more")

    run = run_kitchen(inside.settings, NO_AUDIT)

    assert names(run, Verdict.FAILED) == ["shop.customer"]
    assert len(run.of(Verdict.BLOCKED)) == USERS
    assert not run.good


def _lying(true: Callable[..., ColumnLineage]) -> Callable[..., ColumnLineage]:
    """A lineage that says of one product that it reads names alone."""

    def lineage(settings: object, mesh: object, name: ProductName) -> ColumnLineage:
        if name != product_name(chain(3)):
            return true(settings, mesh, name)
        reads = {product_name("shop.customer"): frozenset({"customer_id", "name"})}
        return ColumnLineage(name, reads=reads, how=How.DECLARED)

    return lineage


def test_another_domain_that_reads_nothing_that_changed_is_skipped_and_not_called_outside(
    template: Shop, tmp_path: Path
) -> None:
    shutil.copytree(template.root, tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    add_domain(shop, "books", ("names", "sums"), inputs=("shop.customer",))
    for name, read in (("names", "count(distinct name)"), ("sums", "sum(spent)::bigint")):
        recipe = f"-- input: shop.customer\nselect 1::bigint as id, {read} as figure from shop.customer\n"
        write_product(shop, f"books.{name}", columns=(("id", "BIGINT"), ("figure", "BIGINT")), recipe=recipe)
        shop.build(f"books.{name}", run_id="books")
    git(shop.root, "add", "--all")
    git(shop.root, "commit", "--quiet", "-m", "books")
    here = opened(shop, domains=("shop",))
    edit(here, "shop.customer", "amount::bigint as spent", "amount::bigint * 2 as spent")

    run = run_kitchen(here.settings, Plan(audit_share=1.0))

    assert names(run, Verdict.OUTSIDE) == ["books.sums"]
    assert names(run, Verdict.SKIPPED) == ["books.names"]  # and it is not audited: that would make it
    assert run.good
